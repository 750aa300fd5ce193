package bcc

import (
	"slices"
	"strings"

	"infusiond/drivers"
)

// kind is a kind of pump by its software name (section 5.2).
type kind struct {
	prefix, words string
	needs         []int // the flags without which its alarms are not all told
}

// The flags that tell every alarm by which such a pump stops, and that its battery or syringe nears the end. The others of section 5.4
// tell of reminders, of options (drop sensor, CC) or of nothing.
var (
	ofEvery   = []int{1, 3, 7, 11}
	ofSyringe = []int{1, 2, 3, 7, 9, 11, 12}
	ofVolume  = []int{1, 3, 7, 11, 13, 15}
)

var kinds = []kind{
	{"686", "Infusomat Space", ofVolume},
	{"687", "Infusomat Space P", ofVolume},
	{"688", "Perfusor Space", ofSyringe},
	{"586", "Infusomat Space (US)", ofVolume},
	{"587", "Infusomat Space P (US)", ofVolume},
	{"588", "Perfusor Space (US)", ofSyringe},
	{"I0002", "Perfusor compact plus", ofSyringe},
	{"I0003", "Infusomat compact plus", ofVolume},
}

// kindOf returns what is known of a software name; of one that is not known, what every pump has.
func kindOf(software string) kind {
	for _, k := range kinds {
		if strings.HasPrefix(software, k.prefix) {
			return k
		}
	}
	return kind{needs: ofEvery}
}

// alarms fills which alarms the pump says that it has. They are known when all flags that such a pump needs, or all three words, have a value; or some have, and
// RUNSTATE says that there is none at all. Alarms that are announced beside flags or words that are missing are told, and
// others may stand: then Alarms is uncertain.
func alarms(r *drivers.Report, v *values, k kind) {
	explained := class(0)
	raise := func(raw string) {
		m := lookup(raw)
		if m.Code == "" {
			return // "no alarm"
		}
		explained |= m.as
		r.Alarms = append(r.Alarms, drivers.Alarm{Code: m.Code, RawCode: raw, Text: m.Text})
	}
	told := flags(v, raise)
	words := 0
	for _, p := range [...]parameter{alarm1, alarm2, preAlarm} {
		w, ok := word(v, p)
		if !ok {
			continue
		}
		words++
		for n := 0; w != 0; n, w = n+1, w>>1 {
			if w&1 == 1 {
				raise(wordCodes[p][n])
			}
		}
	}
	full, early := runBit(v, runAlarm), runBit(v, runPreAlarm)
	if full == drivers.Yes && explained&fullAlarm == 0 {
		raise(rawAlarm)
		if number := text(v, lastDA); number != "" {
			r.Alarms[len(r.Alarms)-1].Text += "; the last device alarm has the number " + number
		}
	}
	if early == drivers.Yes && explained&earlyAlarm == 0 {
		raise(rawPreAlarm)
	}
	missing := missingFlags(v, k)
	switch {
	case words == 3, len(missing) == 0, (told || words > 0) && full == drivers.No && early == drivers.No && len(r.Alarms) == 0:
		r.AlarmsKnown = true
	case len(r.Alarms) > 0: // what is said is not hidden because the rest is not
		r.AlarmsKnown = true
		r.Uncertain = append(r.Uncertain, "Alarms")
	case words > 0:
		r.AlarmsReason = "the station does not send all of ALARM1, ALARM2 and PREALARM for this pump: check its settings"
	case told:
		r.AlarmsReason = "the station sends no value of " + strings.Join(missing, ", ") + " for this pump: check its settings"
	default:
		r.AlarmsReason = "the station sends neither alarm flags nor alarm words for this pump: check its settings"
	}
}

// flags raises what the flags INAx say. told: at least one of section 5.4 has a value.
func flags(v *values, raise func(raw string)) (told bool) {
	for n := 1; n <= mostFlags; n++ {
		switch truth(v.flags[n]) {
		case drivers.Yes:
			raise(flagCodes[n])
			told = true
		case drivers.No:
			told = told || n <= flagCount
		case drivers.Unknown:
		}
	}
	return told
}

// flagCount is the number of the last flag INAx of section 5.4.
const flagCount = 16

func missingFlags(v *values, k kind) []string {
	var missing []string
	for _, n := range k.needs {
		if truth(v.flags[n]) == drivers.Unknown {
			missing = append(missing, flagCodes[n])
		}
	}
	return missing
}

// stopping says whether one of the alarms stops the infusion.
func stopping(list []drivers.Alarm) bool {
	return slices.ContainsFunc(list, func(a drivers.Alarm) bool { return lookup(a.RawCode).stops })
}
