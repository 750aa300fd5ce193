package scenario

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"infusiond/simulator"
	"infusiond/simulator/pumpmodel"
)

// numbers are the quantities of a fact that are numbers.
var numbers = map[string]func(s *simulator.Status) float64{
	"programmed_rate_ml_per_h": func(s *simulator.Status) float64 { return s.Says.ProgrammedRate },
	"running_rate_ml_per_h":    func(s *simulator.Status) float64 { return s.Says.RunningRate },
	"volume_infused_ml":        func(s *simulator.Status) float64 { return s.Says.Infused },
	"patient_volume_ml":        func(s *simulator.Status) float64 { return s.Truth.PatientVolume },
	"commanded_volume_ml":      func(s *simulator.Status) float64 { return s.Truth.CommandedVolume },
	"stored_volume_ml":         func(s *simulator.Status) float64 { return s.Truth.StoredVolume },
	"lost_volume_ml":           func(s *simulator.Status) float64 { return s.Truth.LostVolume },
	"line_pressure_mbar":       func(s *simulator.Status) float64 { return s.Truth.PressureMbar },
	"bag_ml":                   func(s *simulator.Status) float64 { return s.Truth.Bag },
	"battery_percent":          func(s *simulator.Status) float64 { return s.Truth.BatteryPercent },
	"patient_rate_ml_per_h":    func(s *simulator.Status) float64 { return s.Truth.PatientRate },
	"reservoir_ml": func(s *simulator.Status) float64 {
		if s.Says.Reservoir == nil {
			return math.NaN() // it counts none: no fact about it holds
		}
		return *s.Says.Reservoir
	},
	"clock_minus_elapsed_s": func(s *simulator.Status) float64 { return float64(s.Says.ClockS) - s.Truth.ElapsedS },
	"missing_ml":            func(s *simulator.Status) float64 { return s.Truth.CommandedVolume - s.Truth.PatientVolume },
}

// words are the quantities of a fact that are words.
var words = map[string]func(s *simulator.Status) string{
	"state": func(s *simulator.Status) string { return s.Says.State },
	"alarms": func(s *simulator.Status) string {
		if len(s.Says.Alarms) == 0 {
			return "none"
		}
		var names []string
		for _, a := range s.Says.Alarms {
			names = append(names, string(a))
		}
		return strings.Join(names, " ")
	},
	"plugged": func(s *simulator.Status) string { return fmt.Sprint(s.Plugged) },
	"serial":  func(s *simulator.Status) string { return s.Serial },
}

func quantities() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(numbers)), slices.Collect(maps.Keys(words))...)))
}

// about says whether the fact is about pumps of this protocol.
func (f *Fact) about(protocol string) bool {
	return len(f.For) == 0 || slices.Contains(f.For, protocol)
}

// check returns what is wrong with the fact; empty when it holds. before is the status at Since.
func (f *Fact) check(s, before *simulator.Status) string {
	if word, ok := words[f.Quantity]; ok {
		if got := word(s); got != f.Is {
			return fmt.Sprintf("at %v %s of %s is %q, want %q", f.At, f.Quantity, f.Pump, got, f.Is)
		}
		return ""
	}
	got, since := numbers[f.Quantity](s), ""
	if f.Difference {
		got -= numbers[f.Quantity](before)
		since = fmt.Sprintf(" since %v", f.Since)
	}
	if !(got >= f.Least && got <= f.Most) {
		return fmt.Sprintf("at %v %s of %s%s is %.3f, want %v to %v", f.At, f.Quantity, f.Pump, since, got, f.Least, f.Most)
	}
	return ""
}

// checkEvent does the same for an event; offsetS is the age of the pump when the scenario began.
func (f *Fact) checkEvent(entries []simulator.Entry, offsetS float64, slack time.Duration) string {
	n := 0
	for _, e := range entries {
		at := time.Duration((e.ElapsedS - offsetS) * float64(time.Second))
		if e.Kind != f.Event {
			continue
		}
		if n++; n < f.Nth {
			continue
		}
		switch {
		case f.Never:
			return fmt.Sprintf("event %s of %s came at %v, want it never", f.Event, f.Pump, at)
		case at < f.From-slack || at > f.To+slack:
			return fmt.Sprintf("event %s number %d of %s came at %v, want %v to %v", f.Event, f.Nth, f.Pump, at, f.From, f.To)
		}
		return ""
	}
	if f.Never {
		return ""
	}
	return fmt.Sprintf("event %s number %d of %s did not come, want it at %v to %v", f.Event, f.Nth, f.Pump, f.From, f.To)
}

// knownEvents lists the kinds of events that a log can hold.
func knownEvents() []string {
	var names []string
	for k := pumpmodel.KindBegin; k.String() != "unknown"; k++ {
		names = append(names, k.String())
	}
	return names
}
