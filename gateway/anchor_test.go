package gateway

import (
	"testing"

	"infusiond/drivers"
	"infusiond/gateway/config"
	"infusiond/gateway/normalize"
)

// Covers GW-18, GW-128.
func TestAnchorNotesNameOnePump(t *testing.T) {
	pumps := []config.Pump{
		{Name: "a", Serial: "SN1", Port: "/dev/one", Address: "2"},
		{Name: "b", Port: "/dev/one", Address: "00"},
		{Name: "c", Port: "/dev/two", Address: "00"},
		{Name: "d", Port: "/dev/two", Address: "01"},
	}
	if got := noteAnchor(pumps[0]); got != "anchor/SN1" {
		t.Errorf("note %q: what earlier versions wrote is not found again", got)
	}
	seen := map[string]string{}
	for _, p := range pumps {
		if other := seen[noteAnchor(p)]; other != "" {
			t.Errorf("%s and %s share the note %q", other, p.Name, noteAnchor(p))
		}
		seen[noteAnchor(p)] = p.Name
	}
}

// Covers GW-128.
func TestTheAnchorOfAPumpWithoutSerialNumberIsStored(t *testing.T) {
	b := newBench(t, newMemory())
	b.Pump.Serial, b.Pump.Port, b.Pump.Address = "", "/dev/one", "00"
	b.play(func(in *normalize.Input) {
		in.Report.Address, in.Report.Identity, in.Report.Anchor = "00", drivers.Identity{Model: "NE1000"}, "latched"
	})
	if note := b.store.notes[noteAnchor(b.Pump)]; string(note) != "latched" {
		t.Errorf("anchor %q among %v", note, b.store.notes)
	}
}
