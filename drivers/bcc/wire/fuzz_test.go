package wire

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzDecode: nothing panics on any bytes, and what decodes encodes to the same bytes.
// Covers GW-10.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.frame, v.stuffed)
	}
	f.Fuzz(func(t *testing.T, frame []byte, stuffed bool) {
		var b Block
		if _, err := DecodeFrame(frame, nil, stuffed, &b); err == nil {
			if again := b.Append(nil, stuffed); !bytes.Equal(again, frame) {
				t.Fatalf("% X encodes to % X", frame, again)
			}
		}
		b.Information = frame
		records := b.Records()
		var again []byte
		for {
			var r Record
			ok, err := records.Next(&r)
			if err != nil {
				return
			}
			if !ok {
				break
			}
			if r.Time == 0 || len(frame) > 0 && frame[0] == '0' {
				return // leading zeros are not kept
			}
			again = AppendRecord(again, &r)
		}
		if !bytes.Contains(frame, []byte{RS, '0'}) && !bytes.Equal(again, frame) {
			t.Fatalf("%q encodes to %q", frame, again)
		}
	})
}

// FuzzStream: behind any noise a good frame is found, however the stream is cut, and cutting changes nothing.
// Covers GW-10.
func FuzzStream(f *testing.F) {
	f.Add([]byte{SOH, 'E', 0xFF}, uint8(1))
	f.Add([]byte{ACK, NAK, EOT, SOH, SOH}, uint8(3))
	f.Fuzz(func(t *testing.T, noise []byte, cut uint8) {
		want := Block{Address: []byte("Bed1/1/1"), Information: []byte("300,50111,INRT,5.00"), Last: true}
		stream := want.Append(slices.Clone(noise), true)
		whole := scanAll(stream, len(stream))
		if len(whole) == 0 || whole[len(whole)-1] != string(want.Information) {
			t.Fatalf("good frame not found after % X: %q", noise, whole)
		}
		if pieces := scanAll(stream, int(cut)%17+1); !slices.Equal(pieces, whole) {
			t.Fatalf("cut into pieces: %q, whole: %q", pieces, whole)
		}
	})
}

func scanAll(stream []byte, size int) []string {
	s := NewScanner(true)
	var all []string
	for piece := range slices.Chunk(stream, size) {
		for len(piece) > 0 {
			var b Block
			e, used := s.Next(piece, &b)
			piece = piece[used:]
			if e == Good {
				all = append(all, string(b.Information))
			}
		}
	}
	return all
}
