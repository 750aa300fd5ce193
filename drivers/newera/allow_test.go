package newera

import (
	"bytes"
	"regexp"
	"slices"
	"testing"

	"infusiond/drivers/newera/wire"
)

// words is section 5 of the protocol document, written down a second time by hand.
var words = []string{"", "VER", "RAT", "DIS", "VOL", "DIR", "DIA", "PHN", "FUN", "AL"}

var basicForm = regexp.MustCompile(`\A([0-9]{2})([A-Z]*)\r\z`)

// permits reads a query by hand.
func permits(safe bool) func(b []byte) bool {
	return func(b []byte) bool {
		if safe {
			data, framing, err := wire.DecodeFrame(b)
			if err != nil || framing != wire.Safe {
				return false
			}
			b = append(bytes.Clone(data), '\r')
		}
		m := basicForm.FindSubmatch(b)
		return m != nil && slices.Contains(words, string(m[2]))
	}
}

// Covers GW-01.
func TestAllowListHoldsSectionFiveAndNothingElse(t *testing.T) {
	for _, framing := range []string{"basic", "safe"} {
		safe := framing == "safe"
		list := driver(t, map[string]string{"framing": framing}).Profile().Allow
		frame := func(data string) []byte {
			if safe {
				return wire.AppendSafe(nil, []byte(data))
			}
			return []byte(data + "\r")
		}
		for _, q := range list {
			if q.SideEffect == "" {
				t.Errorf("%s: %s declares no side effect", framing, q.Name)
			}
		}
		for _, address := range []string{"00", "07", "99"} {
			for _, word := range words {
				if _, ok := list.Match(frame(address + word)); !ok {
					t.Errorf("%s: %s%s is refused", framing, address, word)
				}
				for _, tail := range []string{"0", "1", " 1", "5.0MH", "INF", "C5", "?", "\r"} {
					if q, ok := list.Match(frame(address + word + tail)); ok {
						t.Errorf("%s: %q is allowed by %s", framing, address+word+tail, q.Name)
					}
				}
			}
		}
		for _, data := range []string{
			"RAT", "0RAT", "100RAT", "00rat", "00RUN", "00STP", "00PUR", "00CLD", "00CLDINF", "00SAF", "00SAF0", "00SAF5", "00ADR", "00ADR1", "00BUZ1", "00LOC", "00TRG", "00KEY", "00ROM", "00PF",
			"00LN", "*", "00*RESET", "*ADR 1", "00*", "00RATVOL",
		} {
			if q, ok := list.Match(frame(data)); ok {
				t.Errorf("%s: %q is allowed by %s", framing, data, q.Name)
			}
		}
		other := wire.AppendSafe(nil, []byte("00RAT"))
		if safe {
			other = []byte("00RAT\r")
		}
		if _, ok := list.Match(other); ok {
			t.Errorf("%s: the other framing is allowed", framing)
		}
	}
}

// Covers GW-01.
func FuzzAllowList(f *testing.F) {
	for _, data := range []string{"00RAT", "99", "00SAF0", "00RUN", "0*RESET"} {
		f.Add([]byte(data+"\r"), false)
		f.Add(wire.AppendSafe(nil, []byte(data)), true)
	}
	f.Fuzz(func(t *testing.T, written []byte, safe bool) {
		framing := map[bool]string{true: "safe", false: "basic"}[safe]
		if q, ok := driver(t, map[string]string{"framing": framing}).Profile().Allow.Match(written); ok && !permits(safe)(written) {
			t.Fatalf("%q is allowed by %s", written, q.Name)
		}
	})
}
