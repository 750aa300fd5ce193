package sapphire

import (
	"bytes"
	"testing"

	"infusiond/drivers/sapphire/wire"
)

// permits reads the one message of section 8 by hand: type 3, length 1, data 0x16, target 101, sender 103.
func permits(b []byte) bool {
	if len(b) != 10 || b[0] != 0xBB || b[1] != 101 || b[2] != 0 || b[3] != 103 || b[4] != 3 || b[5] != 0 || b[6] != 1 || b[8] != 0x16 {
		return false
	}
	sum := 0
	for _, c := range b[1:9] {
		sum += int(c)
	}
	return b[9] == byte(sum)
}

// Covers GW-01.
func TestAllowListHoldsTheHeartbeatAndNothingElse(t *testing.T) {
	list := driver(t, nil).Profile().Allow
	if len(list) != 256 {
		t.Errorf("%d entries, want one for each sequence number", len(list))
	}
	for sequence := range 256 {
		beat := wire.Heartbeat(nil, byte(sequence))
		q, ok := list.Match(beat)
		if !ok || q.SideEffect == "" {
			t.Errorf("sequence number %d: %+v, %v", sequence, q, ok)
		}
		for i := range beat {
			for bit := range 8 {
				other := bytes.Clone(beat)
				other[i] ^= 1 << bit
				if _, ok := list.Match(other); ok {
					t.Errorf("% X is allowed", other)
				}
			}
		}
	}
	for command := range 256 { // every other command, and the same byte in every other type
		for _, m := range []wire.Message{
			{Target: wire.Pump, Sender: wire.PC, Type: wire.TypeCommand, Data: []byte{byte(command)}},
			{Target: wire.Pump, Sender: wire.PC, Type: byte(command), Data: []byte{wire.ThisIsPC}},
			{Target: wire.Pump, Sender: wire.PC, Type: wire.TypeCommand, Data: []byte{wire.ThisIsPC, byte(command)}},
			{Target: byte(command), Sender: wire.PC, Type: wire.TypeCommand, Data: []byte{wire.ThisIsPC}},
		} {
			frame := m.Append(nil)
			if _, ok := list.Match(frame); ok != permits(frame) {
				t.Errorf("% X allowed: %v", frame, ok)
			}
		}
	}
}

// Covers GW-01.
func FuzzAllowList(f *testing.F) {
	f.Add(wire.Heartbeat(nil, 7))
	f.Add([]byte{0xBB, 0x65, 0, 0x67, 3, 0, 1, 2, 0x37, 9})
	list := driver(f, nil).Profile().Allow
	f.Fuzz(func(t *testing.T, written []byte) {
		if _, ok := list.Match(written); ok && !permits(written) {
			t.Fatalf("% X is allowed", written)
		}
	})
}
