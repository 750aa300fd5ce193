package drivertest

import (
	"fmt"
	"slices"
	"testing"

	"infusiond/drivers"
)

// The names of the parts that need something from the driver's test. Each is given, or named
// in Suite.Impossible with the reason why this protocol cannot have it.
const (
	PartSwap            = "swap"             // Suite.Other
	PartUnlistedAlarm   = "unlisted_alarm"   // Suite.Unlisted
	PartDeadPump        = "dead_pump"        // Suite.Dead
	PartReboot          = "reboot"           // Suite.Changes, from here on
	PartCounterReset    = "counter_reset"    // the infused volume is cleared
	PartCounterRollover = "counter_rollover" // the infused volume passes the greatest number of the pump
	PartLogWrap         = "log_wrap"         // the log's indices begin anew
	PartLogOverrun      = "log_overrun"      // records are overwritten that nobody read
)

func changeParts() []string {
	return []string{PartReboot, PartCounterReset, PartCounterRollover, PartLogWrap, PartLogOverrun}
}

// Change is a pump that changes while it is read.
type Change struct {
	// Pump returns a new pump, and what changes it.
	Pump func() (pump Responder, change func())
	// Silent is how many queries behind the change the pump does not hear.
	Silent int
	// Between says that the change takes longer than a cycle, so it happens between two.
	Between bool
}

// change lets a pump change behind each exchange of the first two cycles. Every value must be
// one that it had before or one that it has since; in a cycle that began behind the change, one that it has since.
func (s Suite) change(t *testing.T, c Change) {
	before := s.reference(t, func() Responder { pump, _ := c.Pump(); return pump })
	after := s.reference(t, func() Responder {
		pump, change := c.Pump()
		change()
		return pump
	})
	// Behind the third cycle the log was read up to its head, so all records are told.
	all := s.changeAt(t, c, before.starts[3]-1, before, after)
	for at := range before.starts[2] {
		if c.Between && at+1 != before.starts[1] && at+1 != before.starts[2] {
			continue
		}
		got := s.changeAt(t, c, at, before, after)
		where := fmt.Sprintf("changed behind exchange %d", at)
		for pump, ids := range all.log {
			if problem := logFollows(ids, got.log[pump], got.gaps); problem != "" {
				t.Errorf("%s: %s", where, problem)
			}
		}
	}
}

// told is what a run with a change told.
type told struct {
	log  map[string][]string
	gaps int
}

func (s Suite) changeAt(t *testing.T, c Change, at int, before, after reference) told {
	t.Helper()
	pump, change := c.Pump()
	changed, deaf := false, 0
	r := s.newRun(func(query []byte) []byte {
		if deaf > 0 {
			deaf--
			return nil
		}
		return pump(query)
	})
	r.port.SetTamper(func(n int, query, reply []byte) []Piece {
		if n == at {
			change()
			changed, deaf = true, c.Silent
		}
		return Clean(n, query, reply)
	})
	where := fmt.Sprintf("changed behind exchange %d", at)
	gaps := 0
	for range runCycles + openTries {
		sides := []reference{after}
		if !changed {
			sides = append(sides, before)
		}
		reports, err := r.poll(t.Context())
		if !changed {
			sides = []reference{before}
		}
		checkEither(t, reports, where, sides...)
		s.beside(t, reports, err, where)
		for _, report := range reports {
			gaps += len(report.LogGaps)
		}
	}
	reports, err := r.poll(t.Context())
	if err != nil || !s.all(reports) {
		t.Errorf("%s: no recovery: %d reports, %v", where, len(reports), err)
	}
	for _, report := range reports {
		want := after.merged[key(report)]
		if report.State != want.State || report.AlarmsKnown != want.AlarmsKnown {
			t.Errorf("%s: state %d, alarms known %v (%s); want %d, %v", where, report.State, report.AlarmsKnown, report.AlarmsReason, want.State, want.AlarmsKnown)
		}
	}
	return told{r.log, gaps}
}

// logFollows says what is wrong with the records of a run: they must come in order, each once, up to the newest,
// and none may be left out between two others unless a gap is told.
func logFollows(all, got []string, gaps int) string {
	if len(all) == 0 || len(got) == 0 {
		if len(all) != len(got) {
			return fmt.Sprintf("log %v, want the end of %v", got, all)
		}
		return ""
	}
	from := 0
	for i, id := range got {
		at := slices.Index(all[from:], id)
		if at < 0 {
			return fmt.Sprintf("record %s is none of the pump's, or comes twice or out of order: %v of %v", id, got, all)
		}
		if at > 0 && i > 0 && gaps == 0 {
			return fmt.Sprintf("records are missing before %s and no gap is told", id)
		}
		from += at + 1
	}
	if from != len(all) {
		return fmt.Sprintf("the log ends with %s, the pump's with %s", got[len(got)-1], all[len(all)-1])
	}
	return ""
}

// unlisted reads a pump that announces an alarm which is not in the driver's table.
func (s Suite) unlisted(t *testing.T) {
	pump, raw := s.Unlisted()
	for _, row := range s.Driver.Profile().Alarms {
		if row.Raw == raw {
			t.Fatalf("the alarm %q is in the driver's table", raw)
		}
	}
	r := s.newRun(pump)
	for range runCycles {
		reports, err := r.poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, report := range reports {
			if slices.ContainsFunc(report.Alarms, func(a drivers.Alarm) bool { return a.Code == drivers.AlarmUnknown && a.RawCode == raw && a.Text != "" }) {
				return
			}
			t.Errorf("the pump announces %q, the report holds %+v (known %v)", raw, report.Alarms, report.AlarmsKnown)
		}
	}
}

// deadPump reads a line on which one of several pumps does not answer: the reports of the others come, without an
// error, and no later than when all answer.
func (s Suite) deadPump(t *testing.T, ref reference) {
	pump, dead := s.Dead()
	r := s.newRun(pump)
	for i := range runCycles {
		reports, err := r.poll(t.Context())
		ref.check(t, reports, "one pump is dead")
		if err != nil || len(reports) != len(s.Addresses)-1 {
			t.Errorf("cycle %d: %d reports of %d pumps, %v", i, len(reports), len(s.Addresses), err)
		}
		for _, report := range reports {
			if report.Address == dead {
				t.Errorf("cycle %d: a report of pump %s, which is dead", i, dead)
			}
		}
		if i > 1 && r.took > ref.took {
			t.Errorf("cycle %d: the last report came after %v, with all pumps alive after %v", i, r.took, ref.took)
		}
	}
	r.port.SetPump(s.Pump())
	r.recovers(t, ref, "the dead pump is back")
}
