package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"infusiond/simulator"
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
	"clock_minus_elapsed_s":    func(s *simulator.Status) float64 { return float64(s.Says.ClockS) - s.Truth.ElapsedS },
	"missing_ml":               func(s *simulator.Status) float64 { return s.Truth.CommandedVolume - s.Truth.PatientVolume },
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

// check returns what is wrong with the fact; empty when it holds.
func (f *Fact) check(s *simulator.Status) string {
	if word, ok := words[f.Quantity]; ok {
		if got := word(s); got != f.Is {
			return fmt.Sprintf("at %v %s of %s is %q, want %q", f.At, f.Quantity, f.Pump, got, f.Is)
		}
		return ""
	}
	if got := numbers[f.Quantity](s); got < f.Least || got > f.Most {
		return fmt.Sprintf("at %v %s of %s is %.3f, want %v to %v", f.At, f.Quantity, f.Pump, got, f.Least, f.Most)
	}
	return ""
}
