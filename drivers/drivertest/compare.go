package drivertest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

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

// invented lists what a report holds that the pump did not say. A pump that changed meanwhile said
// one thing or the other: each field must agree with one of them.
func invented(report drivers.Report, said ...drivers.Report) []string {
	var problems []string
	hold := func(name string, got any, agrees func(said drivers.Report) bool) {
		if !slices.ContainsFunc(said, agrees) {
			problems = append(problems, fmt.Sprintf("%s is %+v, the pump said %s", name, got, spoken(name, said)))
		}
	}
	got := reflect.ValueOf(report)
	for i := range got.NumField() {
		name := got.Type().Field(i).Name
		if slices.Contains(notValues, name) || name == "Identity" || got.Field(i).IsZero() {
			continue
		}
		hold(name, got.Field(i), func(said drivers.Report) bool {
			return reflect.DeepEqual(reflect.ValueOf(said).Field(i).Interface(), got.Field(i).Interface())
		})
	}
	hold("Identity", report.Identity, func(said drivers.Report) bool { return sameIdentity(said.Identity, report.Identity) })
	hold("State", report.State, func(said drivers.Report) bool { return coarser(said.State, report.State) })
	if report.AlarmsKnown {
		hold("Alarms", report.Alarms, func(said drivers.Report) bool { return sameAlarms(said.Alarms, report.Alarms) })
	}
	for _, record := range report.Log {
		hold("Log", record, func(said drivers.Report) bool {
			return slices.ContainsFunc(said.Log, func(r drivers.LogRecord) bool { return sameRecord(r, record) })
		})
	}
	return problems
}

// spoken prints what a pump said of one field.
func spoken(name string, said []drivers.Report) string {
	var texts []string
	for _, r := range said {
		texts = append(texts, fmt.Sprintf("%+v", reflect.ValueOf(r).FieldByName(name)))
	}
	return strings.Join(texts, " or ")
}

func sameIdentity(said, got drivers.Identity) bool {
	return got == (drivers.Identity{}) || got.Serial == said.Serial && (got.Firmware == "" || got.Firmware == said.Firmware)
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
