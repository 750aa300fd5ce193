package drivertest

import (
	"fmt"
	"reflect"
	"slices"

	"infusiond/drivers"
)

// notValues are the fields that tell of the cycle, not of the pump.
var notValues = []string{"Unavailable", "BadFrames", "Unsolicited", "LogSeen", "AlarmsReason", "Anchor", "AlarmsKnown", "Log", "Alarms", "State", "Uncertain"}

// merge adds what a later report says to what was known of the pump.
func merge(known, report drivers.Report) drivers.Report {
	into, from := reflect.ValueOf(&known).Elem(), reflect.ValueOf(report)
	for i := range into.NumField() {
		switch name := into.Type().Field(i).Name; {
		case name == "Log":
			known.Log = append(known.Log, report.Log...)
		case !from.Field(i).IsZero():
			into.Field(i).Set(from.Field(i))
		}
	}
	return known
}

// invented lists what a report holds that the pump did not say.
func invented(said, report drivers.Report) []string {
	var problems []string
	a, b := reflect.ValueOf(said), reflect.ValueOf(report)
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		if slices.Contains(notValues, name) || b.Field(i).IsZero() {
			continue
		}
		if name == "Identity" {
			problems = append(problems, inventedIdentity(said.Identity, report.Identity)...)
			continue
		}
		if want, got := a.Field(i).Interface(), b.Field(i).Interface(); !reflect.DeepEqual(want, got) {
			problems = append(problems, fmt.Sprintf("%s is %+v, the pump said %+v", name, got, want))
		}
	}
	if !coarser(said.State, report.State) {
		problems = append(problems, fmt.Sprintf("state is %d, the pump said %d", report.State, said.State))
	}
	if report.AlarmsKnown && !sameAlarms(said.Alarms, report.Alarms) {
		problems = append(problems, fmt.Sprintf("alarms are %+v, the pump said %+v", report.Alarms, said.Alarms))
	}
	for _, record := range report.Log {
		if !slices.ContainsFunc(said.Log, func(r drivers.LogRecord) bool { return sameRecord(r, record) }) {
			problems = append(problems, fmt.Sprintf("log record %+v, which the pump did not write", record))
		}
	}
	return problems
}

func inventedIdentity(said, got drivers.Identity) []string {
	var problems []string
	if got.Serial != said.Serial || got.Firmware != "" && got.Firmware != said.Firmware {
		problems = append(problems, fmt.Sprintf("identity is %+v, the pump said %+v", got, said))
	}
	return problems
}

// coarser says whether got tells no more than what the pump said.
func coarser(said, got drivers.RunState) bool {
	if got == said || got == drivers.RunUnknown {
		return true
	}
	refinements := []drivers.RunState{drivers.RunPaused, drivers.RunStoppedByAlarm, drivers.RunComplete, drivers.RunPoweredOff, drivers.RunStandby}
	return got == drivers.RunStopped && slices.Contains(refinements, said) ||
		got == drivers.RunInfusing && said == drivers.RunBolus
}

func sameAlarms(said, got []drivers.Alarm) bool {
	if len(said) != len(got) {
		return false
	}
	for i := range got {
		a, b := said[i], got[i]
		if b.AgeS.Valid && b.AgeS != a.AgeS {
			return false
		}
		a.AgeS, b.AgeS = drivers.Quantity{}, drivers.Quantity{}
		if !b.Derived && a != b || b.Derived && (a.Code != b.Code || a.RawCode != b.RawCode) {
			return false
		}
	}
	return true
}

func sameRecord(said, got drivers.LogRecord) bool {
	if got.AgeS.Valid && got.AgeS != said.AgeS {
		return false
	}
	return said.ID == got.ID && said.RawCode == got.RawCode && said.Alarm == got.Alarm &&
		reflect.DeepEqual(said.Raw, got.Raw) && reflect.DeepEqual(said.Values, got.Values)
}
