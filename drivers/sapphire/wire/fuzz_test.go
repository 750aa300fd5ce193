package wire

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzDecode: nothing panics on any bytes, and what decodes encodes to the same bytes.
// Covers GW-10.
func FuzzDecode(f *testing.F) {
	for _, b := range vectors(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		if DecodeMessage(b, false, &m) == nil {
			_ = new(Batch).Decode(&m)
		}
		if DecodeMessage(b, true, &m) != nil {
			return
		}
		if again := m.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("% X encodes to % X", b, again)
		}
		var batch Batch
		if batch.Decode(&m) != nil {
			return
		}
		data := bytes.Clone(m.Data)
		batch.Put(data)
		if !bytes.Equal(data, m.Data) {
			t.Fatalf("batch %+v does not survive", batch)
		}
	})
}

// FuzzStream: behind any noise a good message is found once enough bytes followed, however the stream is cut, and
// cutting changes nothing.
// Covers GW-10.
func FuzzStream(f *testing.F) {
	good := vectors(f)["Q9"]
	f.Add([]byte{Start, Pump, 0, PC, 1, 7, 0xFF, 1}, uint8(1))
	f.Add([]byte{Start, Start, Pump, 0}, uint8(3))
	f.Add(good[:90], uint8(9))
	f.Fuzz(func(t *testing.T, noise []byte, cut uint8) {
		stream := slices.Concat(noise, good, make([]byte, MaxMessage))
		whole := scanAll(stream, len(stream))
		swallowed := false // the noise may hold a good message that contains the beginning of ours
		for _, m := range whole {
			swallowed = swallowed || len(m) > 0
		}
		if !slices.ContainsFunc(whole, func(m []byte) bool { return bytes.Equal(m, good) }) && !swallowed {
			t.Fatalf("good message not found after % X", noise)
		}
		pieces := scanAll(stream, int(cut)%97+1)
		if !slices.EqualFunc(pieces, whole, bytes.Equal) {
			t.Fatalf("cut into pieces: %d messages, whole: %d", len(pieces), len(whole))
		}
	})
}

func scanAll(stream []byte, size int) [][]byte {
	s := NewScanner(true)
	var all [][]byte
	var m Message
	for piece := range slices.Chunk(stream, size) {
		for {
			found, used := s.Next(piece, &m)
			piece = piece[used:]
			if found {
				all = append(all, m.Append(nil))
				continue
			}
			if len(piece) == 0 {
				break
			}
		}
	}
	return all
}
