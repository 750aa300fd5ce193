package scenario

import (
	"fmt"
	"slices"
	"strings"

	"infusiond/simulator"
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

// Matrix says, a line each, which protocol can run which scenario, and what it lacks for the others.
func Matrix(all []*Scenario) string {
	var b strings.Builder
	var protocols []string
	for _, info := range simulator.Models() {
		protocols = append(protocols, info.Protocol)
	}
	fmt.Fprintf(&b, "%-6s", "")
	for _, p := range protocols {
		fmt.Fprintf(&b, " %-16s", p)
	}
	b.WriteString("\n")
	for _, s := range all {
		fmt.Fprintf(&b, "%-6s", s.ID)
		for _, p := range protocols {
			cell := "yes"
			if missing := s.Missing(p); len(missing) > 0 {
				cell = fmt.Sprintf("no %s", missing[0])
				if len(missing) > 1 {
					cell += fmt.Sprintf(" +%d", len(missing)-1)
				}
			}
			fmt.Fprintf(&b, " %-16s", cell)
		}
		fmt.Fprintf(&b, " %s\n", s.Title)
	}
	return b.String()
}
