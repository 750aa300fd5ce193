package newera

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/newera/wire"
)

// The anchor comes with a report: what a failed cycle consumed is in none. A conversation that begins after it must not say that
// a standing pump has no alarm.
func TestWhatAFailedCycleConsumedIsNotForgotten(t *testing.T) {
	for _, row := range []struct {
		name   string
		tamper drivertest.Tamper
	}{
		{"the answer is lost", func(int, []byte, []byte) []drivertest.Piece { return nil }},
		{"the port is lost", func(int, []byte, []byte) []drivertest.Piece { return []drivertest.Piece{{Err: io.ErrUnexpectedEOF}} }},
		{"the alarm arrives and nothing after it", func(_ int, _, reply []byte) []drivertest.Piece {
			if strings.Contains(string(reply), "A?") {
				return drivertest.Clean(0, nil, reply)
			}
			return nil
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newLine(t)
			k := open(t, s, nil)
			k.one()
			s.pumps[0], s.alarm[0] = standing("S"), 'S'
			k.port.SetTamper(row.tamper)
			if reports, err := k.poll(); err == nil || len(reports) > 0 {
				t.Fatalf("%d reports, %v", len(reports), err)
			}
			if r := open(t, s, k.anchors).one(); r.AlarmsKnown && len(r.Alarms) == 0 {
				t.Error("a new conversation says that there is no alarm")
			}
		})
	}
}

// An alarm that was overcome before the report was made stands in one report all the same.
func TestAnAlarmIsToldOnceEvenIfThePumpRunsAgain(t *testing.T) {
	s := newLine(t)
	k := open(t, s, nil)
	k.one()
	s.alarm[0] = 'R'
	if r := k.one(); raws(r) != "A?R" || r.State != drivers.RunInfusing || !r.AlarmsKnown {
		t.Errorf("alarm and running in one cycle: %q, state %d", raws(r), r.State)
	}
	if r := k.one(); len(r.Alarms) > 0 || !r.AlarmsKnown {
		t.Errorf("the cycle after it: %q", raws(r))
	}
}

// With one alarm known and a reply lost, another alarm may stand, too.
func TestALostReplyBesideAnAlarmLeavesTheAlarmsUncertain(t *testing.T) {
	s := newLine(t)
	k := open(t, s, nil)
	k.one()
	s.pumps[0], s.alarm[0] = standing("S"), 'S'
	if r := k.one(); raws(r) != "A?S" || slices.Contains(r.Uncertain, "Alarms") {
		t.Fatalf("alarm %q, uncertain %v", raws(r), r.Uncertain)
	}
	lost := false
	k.port.SetTamper(func(n int, query, reply []byte) []drivertest.Piece {
		if !lost {
			lost = true
			return nil
		}
		return drivertest.Clean(n, query, reply)
	})
	if r := k.one(); raws(r) != "A?S" || !slices.Contains(r.Uncertain, "Alarms") {
		t.Errorf("alarm %q, uncertain %v", raws(r), r.Uncertain)
	}
}

// What another pump told before is not the model of one that refuses to tell.
func TestARefusedVersionLeavesNoOldModel(t *testing.T) {
	s := newLine(t)
	k := open(t, s, nil)
	k.one()
	k.port.SetTamper(func(int, []byte, []byte) []drivertest.Piece { return nil })
	if _, err := k.poll(); !errors.Is(err, drivers.ErrSilent) {
		t.Fatal(err)
	}
	k.port.SetTamper(nil)
	s.pumps[0][wire.Version] = "I?NA"
	if r := k.one(); r.Identity != (drivers.Identity{}) {
		t.Errorf("identity %+v", r.Identity)
	}
}

// One address has one spelling, and stands once.
func TestAnAddressHasOneSpelling(t *testing.T) {
	d := driver(t, nil)
	checker, ok := d.(interface{ CheckAddress(address string) error })
	if !ok {
		t.Fatal("the driver checks no addresses")
	}
	for _, good := range []string{"00", "07", "99"} {
		if err := checker.CheckAddress(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "0", "7", "+5", "-1", "100", "0x", " 1", "007"} {
		if checker.CheckAddress(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
		port := drivertest.NewPort(d.Profile(), newLine(t).respond)
		if _, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now, Addresses: []string{bad}}); err == nil {
			t.Errorf("a conversation with %q is opened", bad)
		}
	}
}

// A host sends no basic reply, and a stray STX hides no query.
func TestExplainQueriesBehindNoise(t *testing.T) {
	e, ok := driver(t, nil).(drivers.Explainer)
	if !ok {
		t.Fatal("the driver explains nothing")
	}
	list := e.Explain(drivers.ToPump, []byte("\x0200RAT\r00VER\r"))
	var names []string
	for _, x := range list {
		if x.Err == nil {
			names = append(names, x.Name)
		}
	}
	if !slices.Equal(names, []string{"query RAT", "query VER"}) {
		t.Errorf("%q of %+v", names, list)
	}
	list = e.Explain(drivers.ToPump, []byte("\x0200I5.0\x03"))
	for _, x := range list {
		if x.Err == nil {
			t.Errorf("a host's basic reply is explained as %q", x.Name)
		}
		for _, f := range x.Fields {
			if f.Name == "address" && f.Length == 2 && string(x.Bytes[f.Offset:f.Offset+2]) != f.Value {
				t.Errorf("%+v in %q", f, x.Bytes)
			}
		}
	}
}
