package miva

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"infusiond/drivers/miva/wire"
)

// permitted is the list of section 5, written down a second time by hand.
var permitted = strings.Fields(`RN RS RL RM RB R3 R7 R8 R9 RA RC RD R2 R1 RX S9
	Q0 Q3 Q4 Q5 Q6 Q7 Q8 Q9 QA QC QD QE QF QG QH QI Q1 Q2 RI
	*IDN? :SERIAL? :INFU:RUN? :INFU:RATE? :PROTOCOL:NAME? :PROTOCOL:RATE? :TOTAL:TIME? :SERV:TIME?`)

func permits(payload string) bool {
	if index, ok := strings.CutPrefix(payload, "RE"); ok {
		return len(index) == 8 && strings.Trim(index, "0123456789ABCDEF") == "" && index <= "0000A8FF"
	}
	return slices.Contains(permitted, payload)
}

// Covers GW-01.
func TestAllowListHoldsSectionFiveAndNothingElse(t *testing.T) {
	for _, rule := range []wire.Checksum{wire.Sum, wire.XOR} {
		list := driver(t, map[string]string{"checksum": rule.String()}).Profile().Allow
		if len(list) != len(permitted)+1 {
			t.Errorf("%s: %d entries, want %d", rule, len(list), len(permitted)+1)
		}
		for _, payload := range append([]string{"RE00000000", "RE0000A8FF"}, permitted...) {
			if _, ok := list.Match(wire.AppendFrame(nil, []byte(payload), rule)); !ok {
				t.Errorf("%s: %s is refused", rule, payload)
			}
		}
		for _, payload := range []string{"RE0000A900", "RE00010000", "REFFFFFFFF", "RE0000001", "RE000000010"} {
			if _, ok := list.Match(wire.AppendFrame(nil, []byte(payload), rule)); ok {
				t.Errorf("%s: %s is allowed", rule, payload)
			}
		}
		for _, q := range list {
			if q.ReplyBytes == 0 && !strings.HasPrefix(q.Name, "*") && q.Name != "QF" {
				t.Errorf("%s: the length of the reply to %s is missing", rule, q.Name)
			}
			if q.SideEffect != "" {
				t.Errorf("%s: %s has a side effect: %s", rule, q.Name, q.SideEffect)
			}
		}
	}
}

// M20: 02 57 54 30 32 30 44 03 stops the infusion and must never be emitted.
// Covers GW-01.
func TestStopCommandOfVectorM20IsRefused(t *testing.T) {
	list := driver(t, nil).Profile().Allow
	if q, ok := list.Match([]byte{0x02, 0x57, 0x54, 0x30, 0x32, 0x30, 0x44, 0x03}); ok {
		t.Errorf("allowed by %s", q.Name)
	}
}

// Every payload that begins with one or two characters, alone and with what
// control commands carry, is allowed only when section 5 lists it.
// Covers GW-01.
func TestEveryPrefixIsRefusedUnlessListed(t *testing.T) {
	tails := []string{"", "0", "00", "01", "02", "1", "?", "SN800008", "00000000", "0000A8FF", "OWER", "OWER?", "OWER:OFF", "OWER:OFF?", "NFU:RUN", "NFU:RUN?", ":RUN?"}
	for _, rule := range []wire.Checksum{wire.Sum, wire.XOR} {
		list := driver(t, map[string]string{"checksum": rule.String()}).Profile().Allow
		try := func(payload string) {
			f := wire.AppendFrame(nil, []byte(payload), rule)
			if _, ok := list.Match(f); ok != permits(payload) {
				t.Errorf("%s: %q allowed: %v, want %v", rule, payload, ok, permits(payload))
			}
			if len(payload) > 2 {
				return
			}
			for _, other := range [][]byte{[]byte(payload), append(f, '\r'), append([]byte{'W'}, f...), append(bytes.Clone(f), f...)} {
				if _, ok := list.Match(other); ok {
					t.Errorf("%s: % X is allowed", rule, other)
				}
			}
		}
		for a := 0x20; a < 0x7F; a++ {
			try(string(rune(a)))
			for b := 0x20; b < 0x7F; b++ {
				for _, tail := range tails {
					try(fmt.Sprintf("%c%c%s", a, b, tail))
				}
			}
		}
	}
}

// Covers GW-01.
func FuzzAllowList(f *testing.F) {
	for _, payload := range append([]string{"WT02", "KE01", "LB", ":POWER:OFF?", ":INFU:RUN", "RE00000010"}, permitted...) {
		f.Add(wire.AppendFrame(nil, []byte(payload), wire.Sum))
	}
	list := driver(f, nil).Profile().Allow
	f.Fuzz(func(t *testing.T, written []byte) {
		q, ok := list.Match(written)
		if !ok {
			return
		}
		if len(written) < 5 || !permits(string(written[1:len(written)-3])) {
			t.Fatalf("%q is allowed by %s", written, q.Name)
		}
		if request := wire.ParseRequest(written[1 : len(written)-3]); request.Kind != wire.RequestRead {
			t.Fatalf("%q is allowed and no read query", written)
		}
	})
}
