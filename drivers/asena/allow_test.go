package asena

import (
	"bytes"
	"slices"
	"testing"

	"infusiond/drivers/asena/wire"
)

// permitted is the list of section 5, with the checksums, written down a second time by hand.
var permitted = []string{
	"!INST_SERIALNO|457D\r", "!COMMS_PROTOCOL|E8DA\r", "!COMMS_RESPONSE_MAX|7E29\r", "!INF|4961\r", "!INF_VI|B42C\r",
	"!INF_VTBI|8456\r", "!INF_RATE|8E6D\r", "!INF_RATE_MAX_SYRINGE|8F30\r", "!SYRINGE_STATUS|4102\r", "!ALARM|50B2\r",
}

// Covers GW-01.
func TestAllowListHoldsSectionFiveAndNothingElse(t *testing.T) {
	list := driver(t).Profile().Allow
	if len(list) != len(permitted) {
		t.Errorf("%d entries, want %d", len(list), len(permitted))
	}
	for _, f := range permitted {
		if _, ok := list.Match([]byte(f)); !ok {
			t.Errorf("%q is refused", f)
		}
	}
	for _, q := range list {
		if q.Form != nil || !slices.Contains(permitted, string(q.Exact)) {
			t.Errorf("%s is no exact entry of section 5: %q", q.Name, q.Exact)
		}
		if q.SideEffect != "" || q.ReplyBytes == 0 {
			t.Errorf("%s: side effect %q, %d reply bytes", q.Name, q.SideEffect, q.ReplyBytes)
		}
	}
}

// The document's forbidden vectors, and section 9.
// Covers GW-01.
func TestControlIsRefused(t *testing.T) {
	list := driver(t).Profile().Allow
	rows := append([][]byte{
		[]byte("!INF_STOP|CD57\r"), []byte("!REMOTE_CTRL^ENABLED^3CC1|B1F1\r"), []byte("!INF_VI_CLEAR|A706\r"), []byte("!INF_START|38F3\r"),
	}, forbidden...)
	for _, b := range rows {
		if q, ok := list.Match(b); ok {
			t.Errorf("%q is allowed by %s", b, q.Name)
		}
	}
}

// Every prefix of an allowed body, every argument, every neighbour of an allowed frame.
// Covers GW-01.
func TestNoPrefixNoArgumentNoNeighbour(t *testing.T) {
	list := driver(t).Profile().Allow
	refused := func(b []byte) {
		t.Helper()
		if q, ok := list.Match(b); ok && !slices.Contains(permitted, string(b)) {
			t.Errorf("%q is allowed by %s", b, q.Name)
		}
	}
	tails := []string{"^", "^ ", "^1", "^5.00^ml/h", "^ENABLED", "^DEACT", "^ACTIV^11.000^ml^STOP", "_CLEAR", "_STOP", "_START", " ", "|", "\r", "\x00"}
	for _, q := range wire.Requests() {
		body := q.String()
		for n := range len(body) + 1 {
			refused(frame(body[:n]))
			for _, tail := range tails {
				refused(frame(body[:n] + tail))
			}
			for b := 0x20; b < 0x7F; b++ {
				refused(frame(body[:n] + string(rune(b))))
			}
		}
		good := frame(body)
		for i := range good {
			for bit := range 8 {
				spoiled := bytes.Clone(good)
				spoiled[i] ^= 1 << bit
				refused(spoiled)
			}
			refused(good[:i])
			refused(good[i+1:])
		}
		for _, other := range [][]byte{append(good, '\n'), append([]byte{'\r'}, good...), append(bytes.Clone(good), good...), bytes.ToLower(good)} {
			refused(other)
		}
	}
}

// Covers GW-01.
func FuzzAllowList(f *testing.F) {
	for _, text := range permitted {
		f.Add([]byte(text))
	}
	for _, b := range forbidden {
		f.Add(b)
	}
	list := driver(f).Profile().Allow
	f.Fuzz(func(t *testing.T, written []byte) {
		for _, b := range [][]byte{written, frame(string(written))} {
			q, ok := list.Match(b)
			if !ok {
				continue
			}
			body, err := wire.DecodeFrame(b)
			if err != nil || !slices.Contains(permitted, string(b)) {
				t.Fatalf("%q is allowed by %s: %v", b, q.Name, err)
			}
			if h := wire.ParseRequest(body); h.Kind != wire.HostRead {
				t.Fatalf("%q is allowed and no read request", b)
			}
		}
	})
}
