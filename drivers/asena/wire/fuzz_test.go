package wire

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
)

// FuzzDecode: nothing panics on any body, and what decodes encodes to something that decodes to the same.
// Covers GW-10.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		if body, err := DecodeFrame(v.frame); err == nil {
			f.Add(body)
		}
	}
	f.Add([]byte("INF_VTBI^ACTIV^50.0^ml^STOP"))
	f.Fuzz(func(t *testing.T, body []byte) {
		_ = RequestOf(body)
		for _, r := range Requests() {
			var first, second Reply
			if Decode(body, r, &first) != nil {
				continue
			}
			again := AppendReply(nil, &first)
			if err := Decode(again, r, &second); err != nil {
				t.Fatalf("%s: own encoding %q of %q: %v", r, again, body, err)
			}
			if !same(first, second) {
				t.Fatalf("%s: %q gives %+v, encoded again %+v", r, body, first, second)
			}
		}
		if got, err := DecodeFrame(AppendFrame(nil, body)); err == nil && !bytes.Equal(got, body) {
			t.Fatalf("frame of %q holds %q", body, got)
		}
		_, _ = DecodeFrame(body)
	})
}

// same compares replies; an empty text and none are the same.
func same(a, b Reply) bool {
	for _, r := range []*Reply{&a, &b} {
		v := reflect.ValueOf(r).Elem()
		for _, s := range []reflect.Value{v, v.FieldByName("Infusion"), v.FieldByName("Texts")} {
			n := 0
			if s.Kind() == reflect.Array {
				n = s.Len()
			} else {
				n = s.NumField()
			}
			for i := range n {
				var field reflect.Value
				if s.Kind() == reflect.Array {
					field = s.Index(i)
				} else {
					field = s.Field(i)
				}
				if field.Kind() == reflect.Slice && field.Len() == 0 {
					field.SetZero()
				}
			}
		}
	}
	return reflect.DeepEqual(a, b)
}

// FuzzStream: after any noise a good frame is found, however the stream is cut, and cutting changes nothing.
// Covers GW-10.
func FuzzStream(f *testing.F) {
	f.Add([]byte("!INF|\x1B"), uint8(1))
	f.Add([]byte("\xFF\x00!"), uint8(3))
	f.Add(append(bytes.Repeat([]byte("A"), 300), '!'), uint8(9))
	f.Fuzz(func(t *testing.T, noise []byte, cut uint8) {
		const want = "INST_SERIALNO^8002-51740"
		stream := AppendFrame(slices.Clone(noise), []byte(want))
		whole := scanAll(stream, len(stream))
		if len(whole) == 0 || whole[len(whole)-1] != want {
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
		for len(piece) > 0 {
			body, used := s.Next(piece)
			piece = piece[used:]
			if body != nil {
				all = append(all, string(body))
			}
		}
	}
	return all
}
