package asena

import (
	"slices"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
)

// codeNone is what ALARM says when no alarm is shown.
const codeNone = "AL_NOALM"

// codeFlag stands for an alarm that only the flag of INF tells.
const codeFlag = "A"

// row is one alarm of section 5. What the document reads from the abbreviation alone is called interpreted.
type row struct {
	drivers.AlarmRow
	from, to drivers.RunState // the state that this alarm refines, and to what
}

var rows = []row{
	{AlarmRow: drivers.AlarmRow{Raw: codeNone, Text: "no alarm"}},
	{AlarmRow: drivers.AlarmRow{Raw: codeFlag, Text: "alarm; the pump does not say which", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_OCCLU", Text: "occlusion", Code: drivers.AlarmOcclusion, Term: drivers.TermFluidLineOccl}, from: drivers.RunStopped, to: drivers.RunStoppedByAlarm},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_LWBAT", Text: "low battery (interpreted)", Code: drivers.AlarmBatteryLow, Term: drivers.TermBattLo}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_EMBAT", Text: "battery empty (interpreted)", Code: drivers.AlarmBatteryDepleted, Term: drivers.TermBattEmpty}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_LBTAC", Text: "low battery, on mains (interpreted)", Code: drivers.AlarmBatteryLow, Term: drivers.TermBattLo}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_ACDIS", Text: "mains disconnected (interpreted)", Code: drivers.AlarmExternalPowerLost, Term: drivers.TermMainsDisconnected}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_EOIST", Text: "end of infusion, stopped", Code: drivers.AlarmInfusionComplete, Term: drivers.TermVolInfusComp}, from: drivers.RunStopped, to: drivers.RunComplete},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_EOIKV", Text: "end of infusion, keep-vein-open (interpreted)", Code: drivers.AlarmInfusionComplete, Term: drivers.TermVolInfusComp}, from: drivers.RunInfusing, to: drivers.RunKVO},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_NEOIN", Text: "near end of infusion (interpreted)", Code: drivers.AlarmNearEnd, Term: drivers.TermPumpVolTbiNearComp}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_VTBIC", Text: "volume infused, infusion goes on (interpreted)", Code: drivers.AlarmInfusionComplete, Term: drivers.TermPumpVolTbiComp}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_VTBIK", Text: "volume infused, keep-vein-open (interpreted)", Code: drivers.AlarmInfusionComplete, Term: drivers.TermPumpVolTbiComp}, from: drivers.RunInfusing, to: drivers.RunKVO},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_VTBIS", Text: "volume infused, stopped", Code: drivers.AlarmInfusionComplete, Term: drivers.TermPumpVolTbiComp}, from: drivers.RunStopped, to: drivers.RunComplete},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_SYRCO", Text: "syringe: confirm or check (interpreted)", Code: drivers.AlarmNoDisposable, Term: drivers.TermCheckIvSet}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_PRDSC", Text: "pressure disc (interpreted)", Code: drivers.AlarmNoDisposable, Term: drivers.TermCheckIvSet}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_DRDIS", Text: "drive disengaged (interpreted)", Code: drivers.AlarmNoDisposable, Term: drivers.TermSyringeDisengaged}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_RHIGH", Text: "rate high (interpreted)", Code: drivers.AlarmLimitReached, Term: drivers.TermAdvisSettingsChk}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_CALLB", Text: "call back: the pump was left idle (interpreted)", Code: drivers.AlarmUnattended, Term: drivers.TermCallback}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_COMTO", Text: "communication time-out", Code: drivers.AlarmCommunication, Term: drivers.TermCommLost}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_LDSCN", Text: "load or line disconnected, or similar (not sure)", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_TITCA", Text: "titration or target-controlled infusion, TITCA (not sure)", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_TITNC", Text: "titration or target-controlled infusion, TITNC (not sure)", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_TCITG", Text: "titration or target-controlled infusion, TCITG (not sure)", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_FAULT", Text: "internal fault (interpreted)", Code: drivers.AlarmPumpFault, Term: drivers.TermMalf}},
}

func alarmRows() []drivers.AlarmRow {
	list := make([]drivers.AlarmRow, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.AlarmRow)
	}
	return list
}

// lookup finds the row of a code. One list prints "AL DRDIS" with a blank: blanks stand for
// underscores in all codes. A code that is not in the table is an unknown alarm.
func lookup(raw string) row {
	code := strings.ReplaceAll(strings.TrimSpace(raw), " ", "_")
	for _, r := range rows {
		if r.Raw == code {
			return r
		}
	}
	return row{AlarmRow: drivers.AlarmRow{Raw: raw, Text: "alarm of an unknown kind", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}}
}

// alarmSeen is what ALARM said within one cycle.
type alarmSeen struct {
	answered bool // the newest ALARM of this cycle was answered
	now      bool // and named an alarm
	named    []drivers.Alarm
}

// add takes an answer to ALARM.
func (s *alarmSeen) add(v *wire.Reply) {
	raw := strings.TrimSpace(string(v.Field(wire.CodeField)))
	s.answered, s.now = true, raw != codeNone
	if !s.now || slices.ContainsFunc(s.named, func(a drivers.Alarm) bool { return a.RawCode == raw }) {
		return
	}
	known := lookup(raw)
	text := strings.TrimSpace(strings.TrimSpace(string(v.Field(wire.FirstTextField))) + " " + strings.TrimSpace(string(v.Field(wire.SecondTextField))))
	if text == "" {
		text = known.Text
	}
	s.named = append(s.named, drivers.Alarm{Code: known.Code, RawCode: raw, Text: text})
}

// fill tells the alarms of the cycle, under the flag of the closing INF. What ALARM named within this
// cycle is told even when the flag fell since: a short alarm is not lost.
func (s *alarmSeen) fill(r *drivers.Report, closing status) {
	flag := closing.text[wire.FlagField]
	switch {
	case flag == flagAlarm && s.answered && !s.now:
		r.AlarmsReason = "the flag says that there is an alarm, ALARM says that there is none"
		return
	case flag == flagAlarm && !s.answered:
		known := lookup(codeFlag)
		s.named = append(s.named, drivers.Alarm{Code: known.Code, RawCode: codeFlag, Text: known.Text})
	case flag != flagAlarm && flag != flagNone:
		r.AlarmsReason = "the alarm flag is neither - nor A: " + flag
		return
	}
	r.AlarmsKnown, r.Alarms = true, s.named
	uncertain(r, "Alarms", len(s.named) > 0)
}
