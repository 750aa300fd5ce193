package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
)

// vectors reads testdata/frames/vectors.hex: id | clause | direction | origin | hex.
func vectors(tb testing.TB) map[string][]byte {
	tb.Helper()
	text, err := os.ReadFile("testdata/frames/vectors.hex")
	if err != nil {
		tb.Fatal(err)
	}
	all := make(map[string][]byte)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, " | ")
		if len(cells) != 5 {
			tb.Fatalf("%q has %d cells, want 5", line, len(cells))
		}
		if all[cells[0]], err = hex.DecodeString(strings.ReplaceAll(cells[4], " ", "")); err != nil {
			tb.Fatalf("%s: %v", cells[0], err)
		}
	}
	return all
}

var goldenBatches = map[string]struct {
	sequence byte
	batch    Batch
}{
	"Q3": {7, Batch{Software: 0x0D010203, Serial: 12345678, DropSize: 250, Rate: 50, Remaining: 9877, Delivered: 123}},
	"Q4": {8, Batch{Software: 0x0D010203, Serial: 12345678, DropSize: 250, Rate: 1, Remaining: 9877, Delivered: 123}},
	"Q9": {0xBB, Batch{Software: 0xBBBBBBBB, Serial: 0xBB, DropSize: 250, Rate: 50, Remaining: 9877, Delivered: 123}},
}

// Covers GW-11.
func TestGoldenBatchesDecodeAndReencode(t *testing.T) {
	all := vectors(t)
	for id, want := range goldenBatches {
		var m Message
		if err := DecodeMessage(all[id], true, &m); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		var got Batch
		if err := got.Decode(&m); err != nil || got != want.batch || m.Sequence != want.sequence {
			t.Errorf("%s: %+v of message %d, %v; want %+v", id, got, m.Sequence, err, want)
		}
		data := make([]byte, MinBatch)
		got.Put(data)
		again := Message{Target: PC, Sender: Pump, Type: TypeBatch, Sequence: m.Sequence, Data: data}
		if frame := again.Append(nil); !bytes.Equal(frame, all[id]) {
			t.Errorf("%s encoded again: % X", id, frame)
		}
	}
}

// Covers GW-11.
func TestGoldenHeartbeatsAndForbiddenMessages(t *testing.T) {
	all := vectors(t)
	for sequence, id := range []string{"Q1", "Q2"} {
		if got := Heartbeat(nil, byte(sequence)); !bytes.Equal(got, all[id]) {
			t.Errorf("heartbeat %d: % X, want % X", sequence, got, all[id])
		}
	}
	for id, want := range map[string]Message{
		"Q6": {Target: Pump, Sender: PC, Type: TypeCommand, Sequence: 2, Data: []byte{55}},
		"Q7": {Target: Pump, Sender: PC, Type: TypeEvent, Sequence: 3, Data: []byte{3}},
		"Q8": {Target: Pump, Sender: PC, Type: TypeWriteEEPROM, Sequence: 4, Data: []byte{0, 0x90, 0, 2, 0x32, 0}},
	} {
		if got := want.Append(nil); !bytes.Equal(got, all[id]) {
			t.Errorf("%s: % X, want % X", id, got, all[id])
		}
	}
	if len(all) != 9 {
		t.Errorf("%d vectors, want 9", len(all))
	}
}

// Covers GW-10.
func TestVectorWithBadChecksumIsDropped(t *testing.T) {
	bad := vectors(t)["Q5"]
	var m Message
	if err := DecodeMessage(bad, true, &m); !errors.Is(err, ErrChecksum) {
		t.Errorf("DecodeMessage: %v, want ErrChecksum", err)
	}
	s := NewScanner(true)
	if found, _ := s.Next(bad, &m); found || s.Bad() == 0 {
		t.Errorf("the scanner accepts it (%d bad)", s.Bad())
	}
	if err := DecodeMessage(bad, false, &m); err != nil {
		t.Errorf("unchecked: %v", err)
	}
}

// A batch in which 0xBB occurs is found behind half a message.
func TestResynchronisesByLengthAndChecksum(t *testing.T) {
	all := vectors(t)
	for cut := range all["Q9"] {
		s := NewScanner(true)
		stream := append(append(append([]byte{}, all["Q9"][cut:]...), all["Q9"]...), make([]byte, MaxMessage)...)
		found := 0
		for in := stream; ; {
			var m Message
			ok, used := s.Next(in, &m)
			in = in[used:]
			if ok {
				found++
				continue
			}
			if len(in) == 0 {
				break
			}
		}
		if want := map[bool]int{true: 2, false: 1}[cut == 0]; found != want {
			t.Errorf("cut at %d: %d messages, want %d", cut, found, want)
		}
	}
}

// Covers GW-10.
func TestDecodeRefuses(t *testing.T) {
	good := vectors(t)["Q3"]
	change := func(at int, b byte) []byte {
		c := bytes.Clone(good)
		c[at] = b
		return c
	}
	for _, row := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, ErrTruncated},
		{"only a header", good[:8], ErrTruncated},
		{"a byte too few", good[:len(good)-1], ErrTruncated},
		{"a byte too many", append(bytes.Clone(good), 0), ErrMalformed},
		{"start", change(0, 0xBA), ErrMalformed},
		{"target", change(1, 99), ErrMalformed},
		{"flags", change(2, 1), ErrMalformed},
		{"sender", change(3, 104), ErrMalformed},
		{"length beyond 2048", change(5, 0x09), ErrMalformed},
		{"checksum", change(60, 1), ErrChecksum},
	} {
		t.Run(row.name, func(t *testing.T) {
			var m Message
			if err := DecodeMessage(row.b, true, &m); !errors.Is(err, row.want) {
				t.Errorf("DecodeMessage: %v, want %v", err, row.want)
			}
		})
	}
	var b Batch
	if err := b.Decode(&Message{Type: TypeBatch, Sender: Pump, Data: make([]byte, 170)}); !errors.Is(err, ErrTruncated) {
		t.Errorf("short batch: %v", err)
	}
	if err := b.Decode(&Message{Type: TypeResponse, Sender: Pump, Data: make([]byte, 200)}); !errors.Is(err, ErrOther) {
		t.Errorf("another type: %v", err)
	}
	if err := b.Decode(&Message{Type: TypeBatch, Sender: LCM, Data: make([]byte, 200)}); !errors.Is(err, ErrOther) {
		t.Errorf("another sender: %v", err)
	}
	if err := b.Decode(&Message{Type: TypeBatch, Sender: Pump, Data: make([]byte, 400)}); err != nil {
		t.Errorf("a longer batch: %v", err)
	}
}

func BenchmarkDecode(b *testing.B) {
	frame := vectors(b)["Q3"]
	s := NewScanner(true)
	var m Message
	var batch Batch
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if found, _ := s.Next(frame, &m); !found || batch.Decode(&m) != nil {
			b.Fatal("not decoded")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(frame)), "ns/byte")
}
