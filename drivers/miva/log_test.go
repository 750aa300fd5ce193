package miva

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// codes lists the raw codes of records.
func codes(records []drivers.LogRecord) string {
	var list []string
	for _, r := range records {
		list = append(list, r.RawCode)
	}
	return strings.Join(list, " ")
}

func alarmCodes(alarms []drivers.Alarm) string {
	var list []string
	for _, a := range alarms {
		list = append(list, string(a.Code))
	}
	return strings.Join(list, " ")
}

// withLog is a pump whose log holds these records from an index on.
func withLog(t testing.TB, from uint32, records ...wire.Record) *pump {
	p := newPump(t)
	p.log, p.head, p.tail = map[uint32]wire.Record{}, from, from
	p.add(records...)
	return p
}

// Covers GW-19.
func TestAlarmsAreDerivedFromTheLog(t *testing.T) {
	run, pause := rec(wire.EventRun, 10, 0), rec(wire.EventPaused, 20, 0)
	occlusion := rec(wire.EventOcclusion, 30, 2)
	rows := []struct {
		name    string
		running string
		log     []wire.Record
		alarms  string
		state   drivers.RunState
	}{
		{"running without alarm", "TRUE", []wire.Record{occlusion, run}, "", drivers.RunInfusing},
		{"occlusion stops", "FALSE", []wire.Record{run, occlusion}, "occlusion_downstream", drivers.RunStoppedByAlarm},
		{"upstream", "FALSE", []wire.Record{run, rec(wire.EventOcclusion, 30, 1)}, "occlusion_upstream", drivers.RunStoppedByAlarm},
		{"side not told", "FALSE", []wire.Record{run, rec(wire.EventOcclusion, 30, 7)}, "occlusion", drivers.RunStoppedByAlarm},
		{"cleared", "FALSE", []wire.Record{run, occlusion, rec(wire.EventOcclusion, 40, 4)}, "", drivers.RunStopped},
		{"cleared ends its own type only", "FALSE", []wire.Record{run, rec(wire.EventCassetteDetached, 25, 0), occlusion, rec(wire.EventOcclusion, 40, 4)}, "no_disposable", drivers.RunStoppedByAlarm},
		{"pause ends", "FALSE", []wire.Record{run, occlusion, pause}, "", drivers.RunPaused},
		{"power off ends", "FALSE", []wire.Record{run, occlusion, rec(wire.EventPowerOff, 50, 0)}, "", drivers.RunPoweredOff},
		{"several at once", "FALSE", []wire.Record{run, rec(wire.EventBatteryLow, 25, 0), occlusion}, "battery_low occlusion_downstream", drivers.RunStoppedByAlarm},
		{"battery low does not stop", "FALSE", []wire.Record{pause, rec(wire.EventBatteryLow, 25, 0)}, "battery_low", drivers.RunPaused},
		{"repeated is one", "FALSE", []wire.Record{run, occlusion, rec(wire.EventOcclusion, 35, 2)}, "occlusion_downstream", drivers.RunStoppedByAlarm},
		{"complete", "FALSE", []wire.Record{run, rec(wire.EventCassetteEmpty, 30, 0)}, "reservoir_empty", drivers.RunComplete},
		{"unattended after complete", "FALSE", []wire.Record{run, rec(wire.EventCassetteEmpty, 30, 0), rec(wire.EventUnattended, 40, 0)}, "reservoir_empty unattended", drivers.RunComplete},
		{"product life is not a clearance", "FALSE", []wire.Record{run, rec(wire.EventHardLimit, 30, 4)}, "pump_fault", drivers.RunStoppedByAlarm},
		{"limit reached and cleared", "TRUE", []wire.Record{run, rec(wire.EventInfusionLimit, 30, 1), rec(wire.EventInfusionLimit, 40, 4)}, "", drivers.RunInfusing},
		{"unknown type", "TRUE", []wire.Record{run, rec(77, 30, 3)}, "unknown_alarm", drivers.RunInfusing},
		{"battery status is no alarm", "TRUE", []wire.Record{run, rec(wire.EventBattery, 30, 2)}, "", drivers.RunInfusing},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := withLog(t, 0, row.log...)
			p.running = row.running
			r := open(t, p, nil, nil).poll()
			if !r.AlarmsKnown || alarmCodes(r.Alarms) != row.alarms || r.State != row.state {
				t.Errorf("alarms %q (known %v: %s), state %d; want %q, %d", alarmCodes(r.Alarms), r.AlarmsKnown, r.AlarmsReason, r.State, row.alarms, row.state)
			}
			for _, a := range r.Alarms {
				if !a.Derived || !a.AgeS.Valid || a.PumpTime == "" {
					t.Errorf("alarm %+v", a)
				}
			}
			if len(r.Log) != len(row.log) {
				t.Errorf("%d records, want %d", len(r.Log), len(row.log))
			}
		})
	}
}

func TestAlarmAppearsAndEndsWithinASession(t *testing.T) {
	p := withLog(t, 0, rec(wire.EventRun, 10, 0))
	k := open(t, p, nil, nil)
	k.poll()
	p.running = "FALSE"
	p.add(rec(wire.EventOcclusion, 74565, 2))
	r := k.poll()
	want := []drivers.Alarm{{
		Code: drivers.AlarmOcclusionDownstream, RawCode: "9/2", Text: "occlusion downstream", Derived: true,
		PumpTime: "F0012345", AgeS: drivers.Number(187, 0, drivers.Second),
	}}
	if diff := cmp.Diff(want, r.Alarms); diff != "" {
		t.Errorf("alarms (-want +got):\n%s", diff)
	}
	if codes(r.Log) != "9/2" || r.Log[0].Alarm != drivers.AlarmOcclusionDownstream || r.Log[0].ID != "00000001-09452301F00002000000000000000000" {
		t.Errorf("log %+v", r.Log)
	}
	r = k.poll()
	if len(r.Log) != 0 || len(r.Alarms) != 1 || !r.Alarms[0].AgeS.Valid {
		t.Errorf("next cycle: %d records, alarms %+v", len(r.Log), r.Alarms)
	}
	p.running = "TRUE"
	p.add(rec(wire.EventRun, 74600, 0))
	if r = k.poll(); codes(r.Log) != "1/0" || !r.Log[0].Ends || len(r.Alarms) != 0 || !r.AlarmsKnown {
		t.Errorf("after run: log %q, alarms %+v", codes(r.Log), r.Alarms)
	}
}

func TestLogGoesAroundTheRing(t *testing.T) {
	p := withLog(t, wire.RingSize-3, rec(wire.EventRun, 1, 0), rec(wire.EventDoseGranted, 2, 0x0100), rec(wire.EventDebug, 3, 0), rec(wire.EventBatteryLow, 4, 0))
	k := open(t, p, nil, nil)
	r := k.poll()
	if codes(r.Log) != "1/0 6/1 20/0 30/0" || p.head != 0 || !r.LogSeen {
		t.Errorf("log %q, head %d", codes(r.Log), p.head)
	}
	p.add(rec(wire.EventPaused, 5, 0))
	if r = k.poll(); codes(r.Log) != "2/0" {
		t.Errorf("log %q", codes(r.Log))
	}
}

// Covers GW-16.
func TestReconnectGoesOnAtTheAnchor(t *testing.T) {
	p := withLog(t, 0, rec(wire.EventRun, 1, 0), rec(wire.EventBatteryLow, 2, 0))
	first := open(t, p, nil, nil).poll()
	p.add(rec(wire.EventDebug, 3, 0))
	r := open(t, p, map[string]string{"SIM00001": first.Anchor}, nil).poll()
	if codes(r.Log) != "20/0" || len(r.LogGaps) != 0 || alarmCodes(r.Alarms) != "battery_low" || !r.AlarmsKnown {
		t.Errorf("log %q, gaps %v, alarms %q", codes(r.Log), r.LogGaps, alarmCodes(r.Alarms))
	}
	again := open(t, p, map[string]string{"SIM00001": r.Anchor}, nil).poll()
	if len(again.Log) != 0 || again.Anchor != r.Anchor || alarmCodes(again.Alarms) != "battery_low" {
		t.Errorf("nothing new: log %q, anchor %q after %q, alarms %q", codes(again.Log), again.Anchor, r.Anchor, alarmCodes(again.Alarms))
	}
}

// Covers GW-17.
func TestHistoryThatDoesNotConnectIsAGap(t *testing.T) {
	anchorOf := func(p *pump) string { return open(t, p, nil, nil).poll().Anchor }
	base := func() *pump {
		return withLog(t, 10, rec(wire.EventRun, 1, 0), rec(wire.EventDebug, 2, 0), rec(wire.EventDebug, 3, 0))
	}
	rows := []struct {
		name, reason, from string
		anchor             func() string
		change             func(p *pump)
	}{
		{"record is another one", "another one now", "0000000C", func() string { return anchorOf(base()) }, func(p *pump) { p.log[12] = rec(wire.EventDebug, 99, 0) }},
		{"tail passed the anchor", "overwritten", "0000000C", func() string { return anchorOf(base()) }, func(p *pump) {
			p.add(rec(wire.EventRun, 50, 0), rec(wire.EventDebug, 51, 0))
			p.tail = 13
		}},
		{"log was cleared", "overwritten", "0000000C", func() string { return anchorOf(base()) }, func(p *pump) {
			p.log, p.tail, p.head = map[uint32]wire.Record{}, 0, 0
			p.add(rec(wire.EventRun, 5, 0))
		}},
		{"log ends earlier than it did", "ends before", "0000000A", func() string {
			return newAnchor(logged{index: 10, record: rec(wire.EventRun, 1, 0)}, 30).String()
		}, func(*pump) {}},
		{"anchor of another kind", "cannot be read", "", func() string { return "somewhere" }, func(*pump) {}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := base()
			stored := row.anchor()
			row.change(p)
			r := open(t, p, map[string]string{"SIM00001": stored}, nil).poll()
			if len(r.LogGaps) != 1 || !strings.Contains(r.LogGaps[0].Reason, row.reason) || r.LogGaps[0].From != row.from {
				t.Fatalf("gaps %+v, want one from %q because %q", r.LogGaps, row.from, row.reason)
			}
			if len(r.Log) == 0 || r.LogGaps[0].To != r.Log[0].ID || !r.AlarmsKnown {
				t.Errorf("to %q, log %q, alarms known %v", r.LogGaps[0].To, codes(r.Log), r.AlarmsKnown)
			}
			if next := open(t, p, map[string]string{"SIM00001": r.Anchor}, nil).poll(); len(next.LogGaps) != 0 || len(next.Log) != 0 {
				t.Errorf("afterwards gaps %+v, log %q", next.LogGaps, codes(next.Log))
			}
		})
	}
}

// Covers GW-17.
func TestLogClearedWithinASessionIsAGap(t *testing.T) {
	p := withLog(t, 100, rec(wire.EventRun, 1, 0), rec(wire.EventOcclusion, 2, 2))
	k := open(t, p, nil, nil)
	k.poll()
	p.log, p.tail, p.head = map[uint32]wire.Record{}, 0, 0
	p.add(rec(wire.EventPowerOn, 1, 0))
	r := k.poll()
	if len(r.LogGaps) != 1 || codes(r.Log) != "24/0" || len(r.Alarms) != 0 || !r.AlarmsKnown {
		t.Errorf("gaps %+v, log %q, alarms %+v", r.LogGaps, codes(r.Log), r.Alarms)
	}
}

// Covers GW-16.
func TestBacklogIsReadInBoundedCycles(t *testing.T) {
	p := withLog(t, 0, rec(wire.EventRun, 1, 0))
	stored := open(t, p, nil, nil).poll().Anchor
	for i := range 100 {
		p.add(rec(wire.EventDebug, uint32(10+i), 0))
	}
	p.add(rec(wire.EventOcclusion, 200, 2))
	k := open(t, p, map[string]string{"SIM00001": stored}, nil)
	var all []drivers.LogRecord
	for cycle := range 3 {
		p.asked = nil
		r := k.poll()
		all = append(all, r.Log...)
		reads := 0
		for _, q := range p.asked {
			if q == wire.LogRecord {
				reads++
			}
		}
		if last := cycle == 2; reads > recordsPerCycle || r.LogSeen != last || r.AlarmsKnown != last {
			t.Errorf("cycle %d: %d records read, seen %v, alarms known %v (%s)", cycle, reads, r.LogSeen, r.AlarmsKnown, r.AlarmsReason)
		}
		if !r.AlarmsKnown && (r.AlarmsReason != "the log is still being read" || r.Alarms != nil) {
			t.Errorf("cycle %d: reason %q, alarms %v", cycle, r.AlarmsReason, r.Alarms)
		}
	}
	if len(all) != 101 || all[100].RawCode != "9/2" {
		t.Errorf("%d records", len(all))
	}
}

// Covers GW-16.
func TestFirstStartIsBounded(t *testing.T) {
	rows := []struct {
		name    string
		records []wire.Record // newest of a long log without anything that settles alarms
		known   bool
		alarms  string
	}{
		{"nothing found", nil, false, ""},
		{"an alarm is found", []wire.Record{rec(wire.EventBatteryLow, 900, 0)}, true, "battery_low"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := withLog(t, 0, rec(wire.EventRun, 1, 0))
			for i := range 300 {
				p.add(rec(wire.EventDebug, uint32(10+i), 0))
			}
			p.add(row.records...)
			k := open(t, p, nil, map[string]string{"log_readback": "50"})
			k.poll()
			r := k.poll()
			if len(r.Log) != 50 || !r.LogSeen || r.AlarmsKnown != row.known || alarmCodes(r.Alarms) != row.alarms || len(r.LogGaps) != 0 {
				t.Errorf("%d records, seen %v, alarms known %v (%s): %q", len(r.Log), r.LogSeen, r.AlarmsKnown, r.AlarmsReason, alarmCodes(r.Alarms))
			}
			if !row.known && !strings.Contains(r.AlarmsReason, "no record") {
				t.Errorf("reason %q", r.AlarmsReason)
			}
			p.add(rec(wire.EventRun, 1000, 0))
			if r := k.poll(); !r.AlarmsKnown || len(r.Alarms) != 0 {
				t.Errorf("a run record settles: known %v, alarms %v", r.AlarmsKnown, r.Alarms)
			}
		})
	}
}

func TestBlankRecordsAreSkipped(t *testing.T) {
	blank := wire.Record(slices.Repeat([]byte{0xFF}, 16))
	p := withLog(t, 0, rec(wire.EventRun, 1, 0), blank, blank, rec(wire.EventBatteryLow, 2, 0), blank)
	k := open(t, p, nil, nil)
	r := k.poll()
	if codes(r.Log) != "1/0 30/0" || !r.LogSeen {
		t.Errorf("log %q, seen %v", codes(r.Log), r.LogSeen)
	}
	p.log[p.head] = rec(wire.EventPaused, 3, 0) // the pump moves its head before it writes
	if r = k.poll(); codes(r.Log) != "2/0" || !r.LogSeen {
		t.Errorf("log %q after the record was written, seen %v", codes(r.Log), r.LogSeen)
	}
}

func TestEmptyLog(t *testing.T) {
	p := withLog(t, 0)
	k := open(t, p, nil, nil)
	r := k.poll()
	if !r.LogSeen || !r.AlarmsKnown || len(r.Log) != 0 || r.Anchor != "" {
		t.Errorf("seen %v, alarms known %v, anchor %q", r.LogSeen, r.AlarmsKnown, r.Anchor)
	}
	p.add(rec(wire.EventOcclusion, 1, 1))
	if r = k.poll(); codes(r.Log) != "9/1" || alarmCodes(r.Alarms) != "occlusion_upstream" {
		t.Errorf("log %q, alarms %q", codes(r.Log), alarmCodes(r.Alarms))
	}
}

// Covers GW-19.
func TestPumpWithoutALogLeavesAlarmsUnknown(t *testing.T) {
	p := newPump(t)
	p.log = nil
	r := open(t, p, nil, nil).poll()
	if r.AlarmsKnown || r.LogSeen || r.AlarmsReason == "" || !slices.Contains(r.Unavailable, "RI") {
		t.Errorf("known %v, seen %v, reason %q, unavailable %v", r.AlarmsKnown, r.LogSeen, r.AlarmsReason, r.Unavailable)
	}
}

// Covers GW-20.
func TestAuthenticationCodeIsNotExported(t *testing.T) {
	code := wire.Event{Type: wire.EventAuthentication, Stamp: wire.SecondsStamp(20), Subtype: 0x1234, First: 0x1234, Second: 0x04D2}
	p := withLog(t, 0, rec(wire.EventRun, 1, 0), code.Record())
	r := open(t, p, nil, nil).poll()
	got := r.Log[1]
	all := fmt.Sprintf("%+v %s", got, r.Anchor)
	for _, leak := range []string{"1234", "4660", "04D2"} {
		if strings.Contains(all, leak) {
			t.Errorf("%q stands in %s", leak, all)
		}
	}
	if got.RawCode != "5" || got.Name != "authentication" || got.PumpTime != "F0000014" || !slices.Equal(got.Raw[5:], make([]byte, 11)) {
		t.Errorf("record %+v", got)
	}
}
