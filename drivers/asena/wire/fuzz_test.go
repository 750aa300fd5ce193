package wire

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzDecode: nothing panics on any body, and what decodes encodes to the same body.
// Covers GW-10.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		if body, err := DecodeFrame(v.frame); err == nil {
			f.Add(body)
		}
	}
	f.Add([]byte("INF_VTBI^ACTIV^11.000^ml^STOP"))
	f.Add([]byte("INF_VTBI^DEACT^^^"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if kind := ParseRequest(body).Kind; kind > HostControl {
			t.Fatalf("kind %d", kind)
		}
		for _, q := range Requests() {
			var first, second Reply
			if err := Decode(body, q, &first); err != nil {
				continue
			}
			for i := range first.Count + 1 {
				first.Good(i)
			}
			again, err := AppendReply(nil, &first)
			if err != nil {
				if _, framed := DecodeFrame(AppendFrame(nil, body)); framed == nil {
					t.Fatalf("%s: %q decodes, stands in a good frame and does not encode: %v", q, body, err)
				}
				continue // bytes that no frame can hold
			}
			if err := Decode(again, q, &second); err != nil || !bytes.Equal(again, body) {
				t.Fatalf("%s: %q encodes to %q: %v", q, body, again, err)
			}
		}
		frame := AppendFrame(nil, body)
		if got, err := DecodeFrame(frame); err == nil && !bytes.Equal(got, body) {
			t.Fatalf("frame of %q holds %q", body, got)
		}
		_, _ = DecodeFrame(body)
	})
}

// FuzzStream: after any noise a good frame is found, however the stream is cut, and cutting
// changes nothing.
// Covers GW-10.
func FuzzStream(f *testing.F) {
	f.Add([]byte("!INF|\x1b\r"), uint8(1))
	f.Add([]byte("\xFF\x00\x1F"), uint8(3))
	f.Add(append(bytes.Repeat([]byte("A"), 300), Start), uint8(9))
	f.Fuzz(func(t *testing.T, noise []byte, cut uint8) {
		const want = "INF^8002-51740^-^SET^5.00^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT^127904"
		stream := AppendFrame(slices.Clone(noise), []byte(want))
		var s, pieces Scanner
		whole := scanAll(&s, stream, len(stream))
		if len(whole) == 0 || whole[len(whole)-1] != want {
			t.Fatalf("good frame not found after % X: %q", noise, whole)
		}
		if got := scanAll(&pieces, stream, int(cut)%17+1); !slices.Equal(got, whole) {
			t.Fatalf("cut into pieces: %q, whole: %q", got, whole)
		}
	})
}
