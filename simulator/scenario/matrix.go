package scenario

import (
	"fmt"
	"slices"
	"strings"

	"infusiond/simulator"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// able is what each protocol can tell; see the package comments of the fronts and the protocol files.
var able = map[string][]Ability{
	"miva": {AbleRate, AbleVolume, AbleRunState, AbleAlarms, AbleSeveralAlarms, AbleDryBag, AbleBattery, AbleLog, AbleClock, AbleSerial},
	"bcc": {
		AbleRate, AbleVolume, AbleRunState, AbleKVO, AblePressure, AbleAlarms, AbleSeveralAlarms, AbleAir, AbleDryBag, AbleBattery, AbleSerial,
	},
	"asena":    {AbleRate, AbleVolume, AbleRunState, AbleKVO, AblePressure, AbleAlarms, AbleBattery, AbleSerial},
	"newera":   {AbleRate, AbleVolume, AbleRunState, AbleAlarms},
	"sapphire": {AbleVolume, AbleRunState, AbleSerial},
}

// Missing lists the abilities that a scenario needs and a protocol does not have.
func (s *Scenario) Missing(protocol string) []Ability {
	var missing []Ability
	for _, need := range s.Needs {
		if !slices.Contains(able[protocol], need) {
			missing = append(missing, need)
		}
	}
	return missing
}

// possible says which command of the scenario a pump of this protocol cannot take.
func (s *Scenario) possible(protocol string) error {
	i := slices.IndexFunc(simulator.Models(), func(info front.Info) bool { return info.Protocol == protocol })
	if i < 0 {
		return fmt.Errorf("%s: model %q is not known", s.File, protocol)
	}
	info := simulator.Models()[i]
	for _, step := range s.Steps {
		words := strings.Fields(step.Do)
		switch {
		case len(words) > 1 && words[0] == "alarm" && !info.Announces(pumpmodel.Alarm(words[1])):
			return fmt.Errorf("%s:%d: a %s has no word for the alarm %s; choose another model, infusim scenarios --matrix lists them", s.File, step.Line, protocol, words[1])
		case len(words) > 1 && words[0] == "serial" && info.Serial == "":
			return fmt.Errorf("%s:%d: a %s has no serial number; choose another model, infusim scenarios --matrix lists them", s.File, step.Line, protocol)
		}
	}
	return nil
}

// Matrix says, a line each, which protocol can run which scenario, and what it lacks for the others.
func Matrix(all []*Scenario) string {
	var b strings.Builder
	var protocols []string
	for _, info := range simulator.Models() {
		protocols = append(protocols, info.Protocol)
	}
	fmt.Fprintf(&b, "%-6s", "")
	for _, p := range protocols {
		fmt.Fprintf(&b, " %-20s", p)
	}
	b.WriteString("\n")
	var lacks []string
	for _, s := range all {
		fmt.Fprintf(&b, "%-6s", s.ID)
		for _, p := range protocols {
			cell := "yes"
			if missing := s.Missing(p); len(missing) > 0 {
				cell = fmt.Sprintf("no %s", missing[0])
				if len(missing) > 1 {
					cell += fmt.Sprintf(" +%d", len(missing)-1)
					lacks = append(lacks, fmt.Sprintf("%-6s %-8s %s", s.ID, p, join(missing)))
				}
			}
			fmt.Fprintf(&b, " %-20s", cell)
		}
		fmt.Fprintf(&b, " %s\n", s.Title)
	}
	if len(lacks) > 0 {
		b.WriteString("\nMore than one ability is missing:\n" + strings.Join(lacks, "\n") + "\n")
	}
	return b.String()
}

func join(abilities []Ability) string {
	var names []string
	for _, a := range abilities {
		names = append(names, string(a))
	}
	return strings.Join(names, ", ")
}
