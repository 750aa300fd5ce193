package bcc

import (
	"bytes"
	"regexp"
	"slices"
	"testing"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
)

// permits is section 5 and 8 of the protocol document, written down a second time by hand: four requests, ACK and NAK.
func permits(stuffed bool) func(b []byte) bool {
	plain := regexp.MustCompile(`\A\x01[0-9]{5}\x02(?:1/1/1>ADMIN:ALIVE|[/-9A-z]{1,15}/1/1>(?:ADMIN:VERSION|MEM:GET|MEM:GETSLOT#[1-3][1-9A-O]))\x03[0-9]{5}\x04\z`)
	return func(b []byte) bool {
		if bytes.Equal(b, []byte{0x06}) || bytes.Equal(b, []byte{0x15}) {
			return true
		}
		text := bytes.Clone(b)
		if stuffed { // section 3, read by hand: one pass, left to right
			text = text[:0]
			for i := 0; i < len(b); i++ {
				if b[i] != 'E' && b[i] != 'e' {
					text = append(text, b[i])
					continue
				}
				if i++; i == len(b) {
					return false
				}
				switch string(b[i-1 : i+1]) {
				case "EX":
					text = append(text, 'D')
				case "EE":
					text = append(text, 'E')
				case "ex":
					text = append(text, 'd')
				case "ee":
					text = append(text, 'e')
				default:
					return false
				}
			}
		}
		return plain.Match(text)
	}
}

// Covers GW-01.
func TestAllowListHoldsSectionFiveAndNothingElse(t *testing.T) {
	for _, stuffing := range []string{"on", "off"} {
		stuffed := stuffing == "on"
		list := driver(t, map[string]string{"stuffing": stuffing}).Profile().Allow
		if len(list) != 6 {
			t.Errorf("stuffing %s: %d entries", stuffing, len(list))
		}
		for _, bed := range []string{"1", "Bed1", "SpaceCOM", "DEde/19Az[\\]^_`"} {
			for _, request := range []string{"ADMIN:VERSION", "MEM:GET", "MEM:GETSLOT#11", "MEM:GETSLOT#3O", "MEM:GETSLOT#2D", "MEM:GETSLOT#2E"} {
				frame := wire.AppendRequest(nil, bed+"/1/1", request, stuffed)
				if _, ok := list.Match(frame); !ok {
					t.Errorf("stuffing %s: %s of bed %s is refused: %q", stuffing, request, bed, frame)
				}
				for i := range frame { // every neighbour by one bit, and every cut
					for bit := range 8 {
						other := bytes.Clone(frame)
						other[i] ^= 1 << bit
						if q, ok := list.Match(other); ok && !permits(stuffed)(other) {
							t.Errorf("stuffing %s: % X is allowed by %s", stuffing, other, q.Name)
						}
					}
					if _, ok := list.Match(frame[:i]); ok && i != 1 {
						t.Errorf("stuffing %s: %q is allowed", stuffing, frame[:i])
					}
				}
			}
			if _, ok := list.Match(wire.AppendRequest(nil, bed+"/1/1", "ADMIN:ALIVE", stuffed)); ok && bed != "1" {
				t.Errorf("ALIVE with the address of %s is allowed", bed)
			}
		}
		for _, request := range []string{
			"", "MEM", "MEM:", "MEM:SET", "MEM:GETX", "MEM:GETSLOT", "MEM:GETSLOT#", "MEM:GETSLOT#1", "MEM:GETSLOT#01", "MEM:GETSLOT#40", "MEM:GETSLOT#1P", "MEM:GETSLOT#111",
			"ADMIN", "ADMIN:RESET", "ADMIN:VERSION,1", "CONTROL:STOP", "MEM:GET\x1eMEM:SET", "mem:get",
		} {
			if q, ok := list.Match(wire.AppendRequest(nil, "Bed1/1/1", request, stuffed)); ok {
				t.Errorf("stuffing %s: %q is allowed by %s", stuffing, request, q.Name)
			}
		}
		if !slices.ContainsFunc(list[2:], func(q drivers.Query) bool { return q.SideEffect != "" }) {
			t.Error("no side effect is declared")
		}
	}
}

// Covers GW-01.
func FuzzAllowList(f *testing.F) {
	for _, request := range []string{"ADMIN:ALIVE", "MEM:GET", "MEM:GETSLOT#13", "MEM:SET"} {
		f.Add(wire.AppendRequest(nil, "Bed1/1/1", request, true), true)
		f.Add(wire.AppendRequest(nil, "1/1/1", request, false), false)
	}
	f.Fuzz(func(t *testing.T, written []byte, stuffed bool) {
		setting := map[bool]string{true: "on", false: "off"}[stuffed]
		if q, ok := driver(t, map[string]string{"stuffing": setting}).Profile().Allow.Match(written); ok && !permits(stuffed)(written) {
			t.Fatalf("%q is allowed by %s", written, q.Name)
		}
	})
}
