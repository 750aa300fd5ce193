package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type vector struct {
	direction string
	framing   Framing
	frame     []byte
}

// vectors reads testdata/frames/vectors.hex: id | clause | direction | framing | hex.
func vectors(tb testing.TB) map[string]vector {
	tb.Helper()
	text, err := os.ReadFile("testdata/frames/vectors.hex")
	if err != nil {
		tb.Fatal(err)
	}
	all := make(map[string]vector)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, " | ")
		if len(cells) != 5 {
			tb.Fatalf("%q has %d cells, want 5", line, len(cells))
		}
		v := vector{direction: cells[2]}
		if cells[3] == "safe" {
			v.framing = Safe
		}
		if v.frame, err = hex.DecodeString(strings.ReplaceAll(cells[4], " ", "")); err != nil {
			tb.Fatalf("%s: %v", cells[0], err)
		}
		all[cells[0]] = v
	}
	return all
}

// In the vectors a host writes an address below 10 with one digit; this package writes two, which the manual allows.
var goldenQueries = map[string]Query{"N2": Status, "N4": Version, "N6": Rate, "N8": Dispensed, "N14": Dispensed}

func num(m int32, d int8) Number { return Number{Mantissa: m, Decimals: d, Valid: true} }

var goldenReplies = map[string]struct {
	reply Reply
	query Query
	value Value
}{
	"N3":  {Reply{Status: 'I', Data: []byte{}}, Status, Value{}},
	"N5":  {Reply{Status: 'S', Data: []byte("NE1000V3.928")}, Version, Value{Text: []byte("NE1000V3.928")}},
	"N7":  {Reply{Status: 'I', Data: []byte("5.000MH")}, Rate, Value{Infused: num(5000, 3), Unit: MilliliterPerHour}},
	"N9":  {Reply{Status: 'I', Data: []byte("I1.234W0.000ML")}, Dispensed, Value{Infused: num(1234, 3), Withdrawn: num(0, 3), Unit: Milliliter}},
	"N10": {Reply{Status: 'A', Alarm: 'S'}, NoQuery, Value{}},
	"N11": {Reply{Status: 'S', Data: []byte("?NA")}, NoQuery, Value{}},
	"N12": {Reply{Status: 'I', Data: []byte("5.000MH")}, Rate, Value{Infused: num(5000, 3), Unit: MilliliterPerHour}},
	"N13": {Reply{Status: 'A', Alarm: 'R'}, NoQuery, Value{}},
}

// Covers GW-11.
func TestGoldenRepliesDecodeAndReencode(t *testing.T) {
	all := vectors(t)
	for id, want := range goldenReplies {
		t.Run(id, func(t *testing.T) {
			data, f, err := DecodeFrame(all[id].frame)
			if err != nil || f != all[id].framing {
				t.Fatalf("framing %d, %v", f, err)
			}
			var s Scanner
			if scanned, _, used := s.Next(all[id].frame); !bytes.Equal(scanned, data) || used != len(all[id].frame) {
				t.Errorf("Scanner: %q after %d bytes", scanned, used)
			}
			if again := AppendReplyFrame(nil, data, f); !bytes.Equal(again, all[id].frame) {
				t.Errorf("encoded again: % X", again)
			}
			var r Reply
			if err := DecodeReply(data, &r); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.reply, r); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
			if again := AppendReply(nil, &r); !bytes.Equal(again, data) {
				t.Errorf("reply encoded again: %q, want %q", again, data)
			}
			if want.query == NoQuery {
				return
			}
			var v Value
			if err := v.Decode(r.Data, want.query); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.value, v); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
			if again := v.AppendValue(nil, want.query); !bytes.Equal(again, r.Data) {
				t.Errorf("value encoded again: %q, want %q", again, r.Data)
			}
		})
	}
}

// Covers GW-11.
func TestGoldenQueries(t *testing.T) {
	all := vectors(t)
	for id, q := range goldenQueries {
		short := bytes.Clone(AppendQuery(nil, 0, q, all[id].framing))
		if all[id].framing == Basic {
			short = short[1:] // one digit
		} else {
			short = AppendSafe(nil, short[3:len(short)-3])
		}
		if !bytes.Equal(short, all[id].frame) {
			t.Errorf("%s: % X, want % X", id, short, all[id].frame)
		}
	}
	if again := AppendSafe(nil, []byte("SAF0")); !bytes.Equal(again, all["N1"].frame) {
		t.Errorf("N1: % X", again)
	}
	if n := len(goldenQueries) + len(goldenReplies) + 1; n != len(all) {
		t.Errorf("%d expectations for %d vectors", n, len(all))
	}
}

// Covers GW-10.
func TestDecodeRefuses(t *testing.T) {
	for _, row := range []struct {
		name, data string
		q          Query
	}{
		{"five digits", "12345MH", Rate},
		{"four decimals", "1.2345MH", Rate},
		{"two points", "1.2.3MH", Rate},
		{"no number", "MH", Rate},
		{"point first", ".5MH", Rate},
		{"unit of a volume", "5.000ML", Rate},
		{"unit of a rate", "5.000MH", Volume},
		{"no unit", "5.000", Rate},
		{"sign", "-5.00MH", Rate},
		{"no withdrawn", "I1.234ML", Dispensed},
		{"withdrawn first", "W0.000I1.234ML", Dispensed},
		{"empty infused", "IW0.000ML", Dispensed},
		{"data behind a status", "5.000MH", Status},
		{"not NE", "XX1000V3.9", Version},
		{"no minor", "NE1000V3", Version},
		{"direction", "INV", Direction},
		{"phase of three digits", "100", Phase},
		{"phase with a point", "1.", Phase},
		{"function with digits", "RAT1", Function},
	} {
		t.Run(row.name, func(t *testing.T) {
			var v Value
			if err := v.Decode([]byte(row.data), row.q); !errors.Is(err, ErrOther) {
				t.Errorf("%q: %+v, %v", row.data, v, err)
			}
		})
	}
	for name, data := range map[string]string{"short": "00", "address": "0xI", "status": "00Q", "alarm without a letter": "00A?", "alarm with two": "00A?SS", "alarm in lower case": "00A?s"} {
		var r Reply
		if err := DecodeReply([]byte(data), &r); err == nil {
			t.Errorf("%s: %q is accepted: %+v", name, data, r)
		}
	}
	for name, frame := range map[string]string{
		"no STX": "00I\x03", "no ETX": "\x0200I", "control byte": "\x0200\x01I\x03", "safe too short": "\x02\x03\x00\x00\x03", "safe without ETX": "\x02\x0800SAF0UC\x04",
		"safe CRC": "\x02\x08SAF0UD\x03", "too long": "\x02" + strings.Repeat("0", 50) + "\x03",
	} {
		if _, _, err := DecodeFrame([]byte(frame)); err == nil {
			t.Errorf("%s: %q is accepted", name, frame)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	all := vectors(b)
	for _, id := range []string{"N9", "N7", "N12"} {
		b.Run(id, func(b *testing.B) {
			frame := all[id].frame
			var s Scanner
			var r Reply
			var v Value
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				data, _, _ := s.Next(frame)
				if DecodeReply(data, &r) != nil || v.Decode(r.Data, goldenReplies[id].query) != nil {
					b.Fatal("not decoded")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(frame)), "ns/byte")
		})
	}
}
