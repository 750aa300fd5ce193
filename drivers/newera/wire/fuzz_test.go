package wire

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzDecode: nothing panics on any data, and what decodes encodes to something that decodes to the same.
// Covers GW-10.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		if data, _, err := DecodeFrame(v.frame); err == nil {
			f.Add(data)
		}
	}
	f.Add([]byte("00S1234.ML"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Reply
		if DecodeReply(data, &r) != nil {
			return
		}
		if again := AppendReply(nil, &r); !bytes.Equal(again, data) {
			t.Fatalf("%q encodes to %q", data, again)
		}
		for _, q := range Queries() {
			var first, second Value
			if first.Decode(r.Data, q) != nil {
				continue
			}
			if err := second.Decode(first.AppendValue(nil, q), q); err != nil {
				t.Fatalf("%s: own encoding of %q: %v", q, r.Data, err)
			}
			if first.Infused != second.Infused || first.Withdrawn != second.Withdrawn || first.Unit != second.Unit || !bytes.Equal(first.Text, second.Text) {
				t.Fatalf("%s: %q gives %+v, encoded again %+v", q, r.Data, first, second)
			}
		}
	})
}

// FuzzStream: behind any noise that does not begin a longer frame a good one is found, however the stream is cut, and
// cutting changes nothing.
// Covers GW-10.
func FuzzStream(f *testing.F) {
	f.Add([]byte("\x0200I\x02\x08"), uint8(1))
	f.Add([]byte("\xFF\x02\x2B"), uint8(3))
	f.Fuzz(func(t *testing.T, noise []byte, cut uint8) {
		good := AppendSafe(nil, []byte("00I5.000MH"))
		stream := slices.Concat(noise, make([]byte, MaxFrame), good, good, make([]byte, MaxFrame))
		whole := scanAll(stream, len(stream))
		if len(whole) == 0 || whole[len(whole)-1] != "00I5.000MH" {
			t.Fatalf("good frame not found after % X: %q", noise, whole)
		}
		if pieces := scanAll(stream, int(cut)%17+1); !slices.Equal(pieces, whole) {
			t.Fatalf("cut into pieces: %q, whole: %q", pieces, whole)
		}
	})
}

func scanAll(stream []byte, size int) []string {
	var s Scanner
	var all []string
	for piece := range slices.Chunk(stream, size) {
		for {
			data, _, used := s.Next(piece)
			piece = piece[used:]
			if data != nil {
				all = append(all, string(data))
				continue
			}
			if len(piece) == 0 {
				break
			}
		}
	}
	return all
}
