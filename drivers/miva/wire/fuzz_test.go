package wire

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzDecode: nothing panics on any payload, and what decodes encodes to
// something that decodes to the same.
// Covers GW-10.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		if payload, err := DecodeFrame(v.frame, v.rule); err == nil {
			f.Add(payload)
		}
	}
	f.Add([]byte("RC0E031A0C1E2D"))
	f.Add([]byte("RX3F800000414570A40000000041200000"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if kind := ParseRequest(payload).Kind; kind > RequestControl {
			t.Fatalf("kind %d", kind)
		}
		for _, q := range Queries() {
			var first, second Reply
			if err := Decode(payload, q, &first); err != nil {
				continue
			}
			again, err := AppendReply(nil, &first)
			if err != nil {
				t.Fatalf("%s: %+v decodes and does not encode: %v", q, first, err)
			}
			if err := Decode(again, q, &second); err != nil {
				t.Fatalf("%s: own encoding %q: %v", q, again, err)
			}
			if !sameReply(&first, &second) {
				t.Fatalf("%s: %q gives %+v, encoded again %+v", q, payload, first, second)
			}
			if q == LogRecord && first.Record.Event().Record() != first.Record {
				t.Fatalf("record % X does not survive", first.Record)
			}
		}
		frame := AppendFrame(nil, payload, Sum)
		if got, err := DecodeFrame(frame, Sum); err == nil && !bytes.Equal(got, payload) {
			t.Fatalf("frame of %q holds %q", payload, got)
		}
		_, _ = DecodeFrame(payload, XOR)
	})
}

func sameReply(a, b *Reply) bool {
	x, y := *a, *b
	x.Text, y.Text = nil, nil
	return bytes.Equal(a.Text, b.Text) && x.Query == y.Query && x.N == y.N && x.True == y.True && x.Clock == y.Clock &&
		x.Sensors == y.Sensors && x.Bits == y.Bits && x.Index == y.Index && x.Record == y.Record
}

// FuzzStream: after any noise a good frame is found, however the stream is cut,
// and cutting changes nothing.
// Covers GW-10.
func FuzzStream(f *testing.F) {
	f.Add([]byte("\x02Q5\x02\x03"), uint8(1))
	f.Add([]byte("\xFF\x00\x1F"), uint8(3))
	f.Add(append(bytes.Repeat([]byte("A"), 300), STX), uint8(9))
	f.Fuzz(func(t *testing.T, noise []byte, cut uint8) {
		const want = "RE00000010014523" + "01F00000000000000000000000"
		stream := AppendFrame(slices.Clone(noise), []byte(want), XOR)
		whole := scanAll(NewScanner(XOR), stream, len(stream))
		if len(whole) == 0 || whole[len(whole)-1] != want {
			t.Fatalf("good frame not found after % X: %q", noise, whole)
		}
		if pieces := scanAll(NewScanner(XOR), stream, int(cut)%17+1); !slices.Equal(pieces, whole) {
			t.Fatalf("cut into pieces: %q, whole: %q", pieces, whole)
		}
	})
}
