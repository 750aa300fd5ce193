package alert

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/check"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/prescription"
)

var start = infusion.Instant{UTC: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), Boot: time.Hour}

func counter() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("a%d", n) }
}

const readings = Clock | Reading | Alarms | Identity

func found1(code string, onset infusion.Instant) []Condition {
	return Of(onset, []check.Finding{{Code: code, Text: "because", Onset: onset}}, nil)
}

func occlusion(age int64) drivers.Alarm {
	return drivers.Alarm{
		Code: drivers.AlarmOcclusionDownstream, RawCode: "9/2", Text: "occlusion", Derived: true, PumpTime: "100",
		AgeS: drivers.Number(age, 0, drivers.Second),
	}
}

// steps prints transitions as "raised rate_mismatch high a1".
func steps(ts []Transition) string {
	var out []string
	for _, t := range ts {
		out = append(out, fmt.Sprintf("%s %s %s %s", t.Kind, t.Alert.Code, t.Alert.Priority, t.Alert.ID))
	}
	return strings.Join(out, ", ")
}

func expect(t *testing.T, what string, ts []Transition, want string) {
	t.Helper()
	if got := steps(ts); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// Covers GW-91.
func TestAFindingMustLastTwoReadings(t *testing.T) {
	m := New(counter())
	expect(t, "first", m.Update(start, readings, prescription.Slow, found1(message.CodeRateMismatch, start)), "")
	expect(t, "time passing is no reading", m.Pass(start.Add(time.Second), prescription.Slow, nil), "")
	expect(t, "second", m.Update(start.Add(5*time.Second), readings, prescription.Slow, found1(message.CodeRateMismatch, start)), "raised rate_mismatch high a1")
	expect(t, "third", m.Update(start.Add(10*time.Second), readings, prescription.Slow, found1(message.CodeRateMismatch, start)), "")
	expect(t, "gone", m.Update(start.Add(15*time.Second), readings, prescription.Slow, nil), "ended rate_mismatch high a1")
	if len(m.Open()) != 0 {
		t.Errorf("open: %v", m.Open())
	}
	expect(t, "once is not enough again", m.Update(start.Add(20*time.Second), readings, prescription.Slow, found1(message.CodeRateMismatch, start)), "")
	expect(t, "gone before it counted", m.Update(start.Add(25*time.Second), readings, prescription.Slow, nil), "")
}

// Covers GW-96.
func TestStopPriorityRisesWithTheDrugsTimer(t *testing.T) {
	for class, high := range map[prescription.StopClass]time.Duration{
		prescription.Fast: time.Minute, prescription.Slow: 5 * time.Minute, prescription.Episodic: 15 * time.Minute, "": time.Minute,
	} {
		m := New(counter())
		m.Update(start, readings, class, found1(message.CodeStopped, start))
		expect(t, "at detection", m.Update(start.Add(5*time.Second), readings, class, found1(message.CodeStopped, start)), "raised stopped medium a1")
		expect(t, "before the timer", m.Pass(start.Add(high-time.Second), class, nil), "")
		expect(t, "at the timer, without any reading", m.Pass(start.Add(high), class, nil), "changed stopped high a1")
		expect(t, "never falls", m.Update(start.Add(high+time.Hour), readings, class, found1(message.CodeStopped, start.Add(high+time.Hour))), "")
		expect(t, "ended", m.Update(start.Add(high+2*time.Hour), readings, class, nil), "ended stopped high a1")
	}
}

// Covers GW-31, GW-92.
func TestAPumpAlarmPassesAtOnceWithItsOwnOnset(t *testing.T) {
	m := New(counter())
	ts := m.Update(start, readings, prescription.Fast, Of(start, nil, []drivers.Alarm{occlusion(187)}))
	expect(t, "raised", ts, "raised occlusion_downstream high a1")
	a := ts[0].Alert
	if a.Origin != message.OriginPump || !a.Derived || a.PumpCode != "9/2" || a.PumpTime != "100" || a.Onset.Time() != start.UTC.Add(-187*time.Second) {
		t.Errorf("%+v", a)
	}
	expect(t, "still there, older", m.Update(start.Add(5*time.Second), readings, prescription.Fast, Of(start, nil, []drivers.Alarm{occlusion(192)})), "")
	expect(t, "two of one code are two", m.Update(start.Add(10*time.Second), readings, prescription.Fast, Of(start, nil, []drivers.Alarm{
		occlusion(197), {Code: drivers.AlarmPumpFault, RawCode: "18/1"}, {Code: drivers.AlarmPumpFault, RawCode: "26/32"},
	})), "raised pump_fault high a2, raised pump_fault high a3")
}

// Covers GW-92.
func TestACodeThatNobodyDeclaredIsAnUnknownAlarmNeverNothing(t *testing.T) {
	m := New(counter())
	for _, code := range []drivers.AlarmCode{"", "brand_new", drivers.AlarmCode(message.CodeRateMismatch)} {
		ts := m.Update(start, readings, prescription.Fast, Of(start, nil, []drivers.Alarm{{Code: code, RawCode: "77/" + string(code), Text: "?"}}))
		if len(ts) == 0 || ts[0].Kind != message.Raised || ts[0].Alert.Code != string(drivers.AlarmUnknown) || ts[0].Alert.Origin != message.OriginPump {
			t.Errorf("%q: %s", code, steps(ts))
		}
	}
}

// Covers GW-94.
func TestAnAlertNeverEndsWithItsEvidence(t *testing.T) {
	raise := func() *Machine {
		m := New(counter())
		cs := slices.Concat(found1(message.CodeStopped, start), found1(message.CodeIdentityMismatch, start), found1(message.CodeDataStale, start),
			Of(start, nil, []drivers.Alarm{occlusion(0)}))
		m.Update(start, readings, prescription.Slow, cs)
		m.Update(start, readings, prescription.Slow, cs)
		return m
	}
	for _, row := range []struct {
		name  string
		ev    Evidence
		ended string
	}{
		{"nothing but time", Clock, ""},
		{"a reading that cannot tell the pump's alarms", Clock | Reading | Identity, "ended stopped medium a2, ended identity_mismatch high a3, ended data_stale low a4"},
		{"a reading with its alarms", readings, "ended stopped medium a2, ended identity_mismatch high a3, ended data_stale low a4, ended occlusion_downstream high a1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := raise().Update(start.Add(time.Minute), row.ev, prescription.Slow, nil)
			var ended []string
			for _, tr := range got {
				ended = append(ended, tr.Alert.Code)
			}
			var want []string
			for part := range strings.SplitSeq(row.ended, ", ") {
				if f := strings.Fields(part); len(f) > 1 {
					want = append(want, f[1])
				}
			}
			slices.Sort(ended)
			slices.Sort(want)
			if !slices.Equal(ended, want) {
				t.Errorf("ended %v, want %v", ended, want)
			}
		})
	}
}

// Covers GW-94, GW-96.
func TestSilenceGrowsAndEndsOnlyWhenDataReturns(t *testing.T) {
	m := New(counter())
	expect(t, "31 s", m.Pass(start.Add(31*time.Second), prescription.Fast, found1(message.CodeDataDelayed, start)), "raised data_delayed low a1")
	expect(t, "121 s: stale takes over", m.Pass(start.Add(121*time.Second), prescription.Fast, found1(message.CodeDataStale, start)),
		"raised data_stale medium a2, ended data_delayed low a1")
	expect(t, "5 min", m.Pass(start.Add(5*time.Minute), prescription.Fast, found1(message.CodeDataStale, start)), "changed data_stale high a2")
	expect(t, "a day", m.Pass(start.Add(24*time.Hour), prescription.Fast, found1(message.CodeDataStale, start)), "")
	expect(t, "no finding, no data", m.Pass(start.Add(25*time.Hour), prescription.Fast, nil), "")
	expect(t, "data", m.Update(start.Add(26*time.Hour), readings, prescription.Fast, nil), "ended data_stale high a2")

	slow := New(counter())
	expect(t, "slow drug at 121 s", slow.Pass(start.Add(121*time.Second), prescription.Slow, found1(message.CodeDataStale, start)), "raised data_stale low a1")
	expect(t, "slow drug at 5 min", slow.Pass(start.Add(5*time.Minute), prescription.Slow, found1(message.CodeDataStale, start)), "changed data_stale medium a1")
	expect(t, "slow drug at 15 min", slow.Pass(start.Add(15*time.Minute), prescription.Slow, found1(message.CodeDataStale, start)), "changed data_stale high a1")
}

func record(code drivers.AlarmCode, ends bool, age int64) drivers.LogRecord {
	r := drivers.LogRecord{Alarm: code, Ends: ends, AgeS: drivers.Number(age, 0, drivers.Second), RawCode: "1"}
	if code != "" {
		r.RawCode, r.Text = "9/2", "occlusion"
	}
	return r
}

// Covers GW-95.
func TestAlarmsOfTheLogKeepTheirTrueTimes(t *testing.T) {
	oc := drivers.AlarmOcclusionDownstream
	for _, row := range []struct {
		name    string
		records []drivers.LogRecord
		active  []drivers.Alarm
		log     string
		update  string
	}{
		{"began and ended between two readings", []drivers.LogRecord{record(oc, false, 60), record("", true, 20)}, nil, "raised occlusion_downstream high a1, ended occlusion_downstream high a1", ""},
		{"began and is active", []drivers.LogRecord{record(oc, false, 60)}, []drivers.Alarm{occlusion(60)}, "raised occlusion_downstream high a1", ""},
		{
			"twice, the second is active",
			[]drivers.LogRecord{record(oc, false, 60), record("", true, 40), record(oc, false, 20)},
			[]drivers.Alarm{occlusion(20)},
			"raised occlusion_downstream high a1, ended occlusion_downstream high a1, raised occlusion_downstream high a2", "",
		},
		{"an end that the pump does not mean for it", []drivers.LogRecord{record(oc, false, 60), record("", true, 40)}, []drivers.Alarm{occlusion(60)}, "raised occlusion_downstream high a1", ""},
		{"nothing about alarms", []drivers.LogRecord{record("", false, 5)}, nil, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := New(counter())
			ts := m.Log(start, row.records, row.active, true)
			expect(t, "log", ts, row.log)
			expect(t, "update", m.Update(start, readings, prescription.Fast, Of(start, nil, row.active)), row.update)
			for _, tr := range ts {
				if tr.Kind == message.Ended && !tr.Alert.EndedTS.Time().After(tr.Alert.Onset.Time()) {
					t.Errorf("ended %v, began %v", tr.Alert.EndedTS, tr.Alert.Onset)
				}
			}
			if len(m.Open()) != len(row.active) {
				t.Errorf("open %v, active %v", m.Open(), row.active)
			}
		})
	}
}

// A log that is read over several cycles keeps the true times of what began and ended in it, also when
// the program is restarted in between.
// Covers GW-95.
func TestALogReadInPiecesKeepsTheTimesOfItsAlarms(t *testing.T) {
	oc := drivers.AlarmOcclusionDownstream
	m := New(counter())
	expect(t, "first piece", m.Log(start, []drivers.LogRecord{record(oc, false, 600), record("", true, 500)}, nil, false), "raised occlusion_downstream high a1")
	expect(t, "the alarms are not known", m.Update(start, Clock|Reading|Identity, prescription.Fast, nil), "")
	saved, err := m.Save()
	if err != nil {
		t.Fatal(err)
	}
	m = New(func() string { return "a2" })
	now := infusion.Instant{UTC: start.UTC.Add(10 * time.Second), Boot: time.Second}
	if err := m.Restore(saved, now); err != nil {
		t.Fatal(err)
	}
	ts := m.Log(now, []drivers.LogRecord{record(oc, false, 100)}, nil, false)
	expect(t, "second piece", ts, "ended occlusion_downstream high a1, raised occlusion_downstream high a2")
	if got := ts[0].Alert.EndedTS.Time(); got != start.UTC.Add(-500*time.Second) {
		t.Errorf("ended at %v", got)
	}
	expect(t, "an end that waits", m.Log(now, []drivers.LogRecord{record("", true, 40)}, nil, false), "")
	ts = m.Update(now.Add(5*time.Second), readings, prescription.Fast, nil)
	expect(t, "now they are known", ts, "ended occlusion_downstream high a2")
	if got := ts[0].Alert.EndedTS.Time(); got != now.UTC.Add(-40*time.Second) {
		t.Errorf("ended at %v", got)
	}
}

// Covers GW-97.
func TestOpenAlertsSurviveARestartWithTheirTimes(t *testing.T) {
	m := New(counter())
	cs := append(found1(message.CodeStopped, start), Of(start, nil, []drivers.Alarm{occlusion(10)})...)
	m.Update(start, readings, prescription.Slow, cs)
	m.Update(start.Add(5*time.Second), readings, prescription.Slow, cs)
	saved, err := m.Save()
	if err != nil {
		t.Fatal(err)
	}
	// The machine booted again: the boot clock began anew, the wall clock went on 4 minutes.
	now := infusion.Instant{UTC: start.UTC.Add(4 * time.Minute), Boot: 3 * time.Second}
	back := New(counter())
	if err := back.Restore(saved, now); err != nil {
		t.Fatal(err)
	}
	if got := back.Open(); len(got) != 2 || got[0].ID != "a1" || got[1].ID != "a2" || got[1].Onset != message.TimeOf(start.UTC) {
		t.Fatalf("%+v", got)
	}
	expect(t, "the timer went on", back.Pass(now.Add(time.Minute), prescription.Slow, nil), "changed stopped high a2")
	expect(t, "the same alarm is the same alert", back.Update(now.Add(time.Minute), readings, prescription.Slow, Of(now, nil, []drivers.Alarm{occlusion(310)})), "ended stopped high a2")
	if err := New(counter()).Restore([]byte("{"), now); err == nil {
		t.Error("damaged state was taken")
	}
}

// An occlusion stops the pump: the alarm is raised in the same reading in which the stop is only seen once.
// Covers GW-97.
func TestAConditionThatIsNotRaisedYetIsSaved(t *testing.T) {
	m := New(counter())
	cs := append(found1(message.CodeStopped, start), Of(start, nil, []drivers.Alarm{occlusion(10)})...)
	expect(t, "first", m.Update(start, readings, prescription.Slow, cs), "raised occlusion_downstream high a1")
	saved, err := m.Save()
	if err != nil {
		t.Fatal(err)
	}
	back := New(counter())
	if err := back.Restore(saved, start); err != nil {
		t.Fatal(err)
	}
	if got := back.Open(); len(got) != 1 || got[0].ID != "a1" {
		t.Errorf("open: %+v", got)
	}
	expect(t, "second", back.Update(start.Add(5*time.Second), readings, prescription.Slow, cs), "raised stopped medium a1")
}

func TestWhatWasNotRecordedIsFoundAgain(t *testing.T) {
	m := New(counter())
	mismatch := found1(message.CodeRateMismatch, start)
	m.Update(start, readings, prescription.Slow, mismatch)
	mark := m.Mark()
	for _, id := range []string{"a1", "a2"} {
		expect(t, "raised", m.Update(start.Add(5*time.Second), readings, prescription.Slow, mismatch), "raised rate_mismatch high "+id)
		m.Reset(mark)
		if len(m.Open()) != 0 {
			t.Errorf("open after the reset: %v", m.Open())
		}
	}
	expect(t, "gone", m.Update(start.Add(5*time.Second), readings, prescription.Slow, nil), "")
}

// TestEveryLifeIsWhole plays random histories: every alert is raised once, then changed any number of
// times, then ended at most once; Open is exactly what was raised and not ended.
// Covers GW-91.
func TestEveryLifeIsWhole(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	pool := []string{message.CodeRateMismatch, message.CodeStopped, message.CodeKVO, message.CodeDataDelayed, message.CodeDataStale, message.CodeIdentityMismatch}
	m := New(counter())
	state := map[string]string{}
	at := start
	for range 5000 {
		at = at.Add(time.Duration(r.IntN(60)) * time.Second)
		var cs []Condition
		for _, code := range pool {
			if r.IntN(3) == 0 {
				cs = append(cs, found1(code, at.Add(-time.Duration(r.IntN(600))*time.Second))...)
			}
		}
		var alarms []drivers.Alarm
		if r.IntN(4) == 0 {
			alarms = append(alarms, occlusion(int64(r.IntN(100))))
		}
		var ts []Transition
		switch r.IntN(4) {
		case 0:
			ts = m.Pass(at, prescription.Fast, cs)
		case 1:
			ts = m.Log(at, []drivers.LogRecord{record(drivers.AlarmOcclusionDownstream, false, 9), record("", r.IntN(2) == 0, 5)}, alarms, r.IntN(3) > 0)
			fallthrough
		default:
			ev := Clock | Reading | Identity
			if r.IntN(3) > 0 {
				ev |= Alarms
			}
			ts = append(ts, m.Update(at, ev, prescription.Fast, append(cs, Of(at, nil, alarms)...))...)
		}
		for _, tr := range ts {
			before := state[tr.Alert.ID]
			switch {
			case tr.Kind == message.Raised && before == "", tr.Kind == message.Changed && (before == message.Raised || before == message.Changed),
				tr.Kind == message.Ended && (before == message.Raised || before == message.Changed):
				state[tr.Alert.ID] = tr.Kind
			default:
				t.Fatalf("%s after %q: %+v", tr.Kind, before, tr.Alert)
			}
		}
		open := 0
		for _, s := range state {
			if s != message.Ended {
				open++
			}
		}
		if open != len(m.Open()) {
			t.Fatalf("%d alerts are open, %d lives are", len(m.Open()), open)
		}
	}
}

// Covers GW-98.
func TestEveryDeclarationIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range table {
		if d.Code == "" || d.Text == "" || rank(d.Priority) < 0 || d.Ends == 0 || d.Origin == "" || seen[d.Code] {
			t.Errorf("incomplete or doubled: %+v", d)
		}
		seen[d.Code] = true
	}
	for _, code := range []drivers.AlarmCode{
		drivers.AlarmOcclusionDownstream, drivers.AlarmOcclusionUpstream, drivers.AlarmOcclusion, drivers.AlarmAirInLine, drivers.AlarmReservoirEmpty,
		drivers.AlarmReservoirLow, drivers.AlarmInfusionComplete, drivers.AlarmNearEnd, drivers.AlarmBatteryDepleted, drivers.AlarmBatteryLow,
		drivers.AlarmNoDisposable, drivers.AlarmDoorOpen, drivers.AlarmPumpFault, drivers.AlarmServiceDue, drivers.AlarmLimitReached,
		drivers.AlarmUnattended, drivers.AlarmStoppedReminder, drivers.AlarmUnknown,
	} {
		if !seen[string(code)] {
			t.Errorf("the pump alarm %s has no declaration", code)
		}
	}
}
