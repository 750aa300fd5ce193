package asena

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
)

// section5 is the list of alarm codes, written down a second time.
var section5 = strings.Fields(`AL_NOALM AL_OCCLU AL_LWBAT AL_EMBAT AL_LBTAC AL_ACDIS AL_EOIST AL_EOIKV AL_NEOIN AL_VTBIC AL_VTBIK
	AL_VTBIS AL_SYRCO AL_PRDSC AL_DRDIS AL_RHIGH AL_CALLB AL_COMTO AL_LDSCN AL_TITCA AL_TITNC AL_TCITG AL_FAULT`)

func TestAlarmTableHoldsSectionFive(t *testing.T) {
	var got []string
	for _, r := range driver(t).Profile().Alarms {
		if r.Raw != codeFlag {
			got = append(got, r.Raw)
		}
		if r.Text == "" || (r.Code == "") != (r.Raw == codeNone) || r.Code != "" && !slices.Contains(drivers.Terms(), r.Term) {
			t.Errorf("row %+v", r)
		}
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(section5))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

// shows makes a pump that shows an alarm; body is what ALARM says, empty for no answer.
func shows(t *testing.T, flag, body string) *pump {
	p := newPump(t)
	p.body[wire.Status] = inf(map[int]string{2: flag})
	p.body[wire.Alarm] = body
	if body == "" {
		delete(p.body, wire.Alarm)
	}
	return p
}

// Covers GW-19.
func TestAlarmsOfOneCycle(t *testing.T) {
	occlusion := drivers.Alarm{Code: drivers.AlarmOcclusion, RawCode: "AL_OCCLU", Text: "occlusion"}
	rows := []struct {
		name, flag, body string
		want             []drivers.Alarm
		reason           string
	}{
		{"none", "-", "ALARM^AL_NOALM^ ^ ", nil, ""},
		{"occlusion", "A", "ALARM^AL_OCCLU^ ^ ", []drivers.Alarm{occlusion}, ""},
		{"empty texts", "A", "ALARM^AL_OCCLU^^", []drivers.Alarm{occlusion}, ""},
		{"the pump's own words", "A", "ALARM^AL_OCCLU^OCCLUSION^CHECK LINE", []drivers.Alarm{{Code: drivers.AlarmOcclusion, RawCode: "AL_OCCLU", Text: "OCCLUSION CHECK LINE"}}, ""},
		{"a blank in the code", "A", "ALARM^AL DRDIS^ ^ ", []drivers.Alarm{{Code: drivers.AlarmNoDisposable, RawCode: "AL DRDIS", Text: "drive disengaged (interpreted)"}}, ""},
		{"a code that is not in the table", "A", "ALARM^AL_OCCL^OCCLUSION^", []drivers.Alarm{{Code: drivers.AlarmUnknown, RawCode: "AL_OCCL", Text: "OCCLUSION"}}, ""},
		{"a code without words that is not in the table", "A", "ALARM^XX_1^ ^ ", []drivers.Alarm{{Code: drivers.AlarmUnknown, RawCode: "XX_1", Text: "alarm of an unknown kind"}}, ""},
		{"named without the flag", "-", "ALARM^AL_OCCLU^ ^ ", []drivers.Alarm{occlusion}, ""},
		{"flag, and ALARM says none", "A", "ALARM^AL_NOALM^ ^ ", nil, "the flag says that there is an alarm, ALARM says that there is none"},
		{"flag, and ALARM is not answered", "A", "", []drivers.Alarm{{Code: drivers.AlarmUnknown, RawCode: "A", Text: "alarm; the pump does not say which"}}, ""},
		{"no flag, and ALARM is not answered", "-", "", nil, ""},
		{"another flag", "?", "ALARM^AL_NOALM^ ^ ", nil, "the alarm flag is neither - nor A: ?"},
		{"another flag, and an alarm", "?", "ALARM^AL_OCCLU^ ^ ", nil, "the alarm flag is neither - nor A: ?"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := open(t, shows(t, row.flag, row.body)).poll()
			if diff := cmp.Diff(row.want, r.Alarms); diff != "" {
				t.Errorf("alarms (-want +got):\n%s", diff)
			}
			if r.AlarmsKnown != (row.reason == "") || r.AlarmsReason != row.reason {
				t.Errorf("known %v, %q", r.AlarmsKnown, r.AlarmsReason)
			}
			if slices.Contains(r.Uncertain, "Alarms") != (len(row.want) > 0) {
				t.Errorf("uncertain %q", r.Uncertain)
			}
		})
	}
}

// Every code of section 5 reaches the report as the table has it, with the state that it refines.
func TestEveryCodeOfTheTable(t *testing.T) {
	for _, code := range section5[1:] {
		for flow, mode := range map[string]string{"5.01": "SET", "0.00": "HLD"} {
			p := shows(t, "A", "ALARM^"+code+"^ ^ ")
			p.body[wire.Status] = inf(map[int]string{2: "A", 3: mode, 4: flow})
			r := open(t, p).poll()
			want := lookup(code)
			if len(r.Alarms) != 1 || r.Alarms[0].RawCode != code || r.Alarms[0].Code != want.Code || r.Alarms[0].Text != want.Text {
				t.Errorf("%s: %+v", code, r.Alarms)
			}
			state := map[string]drivers.RunState{
				"SETAL_EOIKV": drivers.RunKVO, "SETAL_VTBIK": drivers.RunKVO, "HLDAL_OCCLU": drivers.RunStoppedByAlarm,
				"HLDAL_EOIST": drivers.RunComplete, "HLDAL_VTBIS": drivers.RunComplete,
			}[mode+code]
			if state == drivers.RunUnknown {
				state = map[string]drivers.RunState{"SET": drivers.RunInfusing, "HLD": drivers.RunStopped}[mode]
			}
			if r.State != state {
				t.Errorf("%s, %s: state %d, want %d", code, mode, r.State, state)
			}
		}
	}
}

// A new log entry asks ALARM at once, in the same cycle.
func TestANewLogEntryAsksForTheAlarm(t *testing.T) {
	k := open(t, newPump(t))
	k.poll()
	before := k.pump.puts[wire.Alarm]
	k.poll()
	if n := k.pump.puts[wire.Alarm]; n != before {
		t.Errorf("ALARM asked %d times without a reason", n-before)
	}
	k.pump.body[wire.Status] = inf(map[int]string{13: "127905"})
	if k.poll(); k.pump.puts[wire.Alarm] != before+1 {
		t.Errorf("ALARM asked %d times, want once", k.pump.puts[wire.Alarm]-before)
	}
	if k.poll(); k.pump.puts[wire.Alarm] != before+1 {
		t.Error("ALARM asked again for the same entry")
	}
}

// Between the opening and the closing INF an alarm begins, ends, or another one replaces it.
// Covers GW-19.
func TestAlarmsThatMoveWithinACycle(t *testing.T) {
	occluded, calm := inf(map[int]string{2: "A", 3: "HLD", 4: "0.00", 13: "127905"}), inf(map[int]string{13: "127906"})
	rows := []struct {
		name   string
		start  string // INF before
		before func(p *pump, q wire.Request, n int)
		want   []string
		known  bool
		state  drivers.RunState
	}{
		{"begins before the closing INF", inf(nil), func(p *pump, q wire.Request, n int) {
			if q == wire.VTBI && n == 2 {
				p.body[wire.Status], p.body[wire.Alarm] = occluded, "ALARM^AL_OCCLU^ ^ "
			}
		}, []string{"AL_OCCLU"}, true, drivers.RunStoppedByAlarm},
		{"ends before ALARM", occluded, func(p *pump, q wire.Request, _ int) {
			if q == wire.Alarm {
				p.body[wire.Status], p.body[wire.Alarm] = calm, "ALARM^AL_NOALM^ ^ "
			}
		}, nil, true, drivers.RunInfusing},
		{"ends after ALARM", occluded, func(p *pump, q wire.Request, n int) {
			p.body[wire.Alarm] = "ALARM^AL_OCCLU^ ^ "
			if q == wire.Status && n > 2 && p.puts[wire.Alarm] > 1 {
				p.body[wire.Status], p.body[wire.Alarm] = calm, "ALARM^AL_NOALM^ ^ "
			}
		}, []string{"AL_OCCLU"}, true, drivers.RunInfusing},
		{"one replaces another", occluded, func(p *pump, q wire.Request, n int) {
			if q == wire.Status && n > 2 && p.puts[wire.Alarm] > 1 {
				p.body[wire.Status], p.body[wire.Alarm] = inf(map[int]string{2: "A", 13: "127907"}), "ALARM^AL_LWBAT^ ^ "
			}
			if q == wire.Alarm && p.body[wire.Status] == occluded {
				p.body[wire.Alarm] = "ALARM^AL_OCCLU^ ^ "
			}
		}, []string{"AL_OCCLU", "AL_LWBAT"}, true, drivers.RunInfusing},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			k := open(t, newPump(t))
			k.poll()
			k.pump.body[wire.Status] = row.start
			k.pump.before = func(q wire.Request, n int) { row.before(k.pump, q, n) }
			r := k.poll()
			var got []string
			for _, a := range r.Alarms {
				got = append(got, a.RawCode)
			}
			if diff := cmp.Diff(row.want, got); diff != "" || r.AlarmsKnown != row.known || r.State != row.state {
				t.Errorf("alarms (-want +got):\n%sknown %v (%s), state %d", diff, r.AlarmsKnown, r.AlarmsReason, r.State)
			}
		})
	}
}

// A flag that comes and goes at every look is never taken for no alarm.
// Covers GW-19.
func TestAFlagThatNeverRests(t *testing.T) {
	k := open(t, newPump(t))
	k.poll()
	k.pump.before = func(_ wire.Request, n int) {
		k.pump.body[wire.Status] = inf(map[int]string{2: []string{"A", "-"}[n%2]})
	}
	r := k.poll()
	if last := k.pump.body[wire.Status]; strings.Contains(last, "^A^") && r.AlarmsKnown && len(r.Alarms) == 0 {
		t.Errorf("no alarm under the flag: %+v", r)
	}
	if n := k.pump.puts[wire.Status]; n > 2+1+closings {
		t.Errorf("INF asked %d times", n)
	}
}
