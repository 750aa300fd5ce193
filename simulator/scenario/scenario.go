package scenario

import "time"

// Scenario is one scenario.
type Scenario struct {
	File     string // where it was read
	ID       string // SC-01
	Title    string
	Expected string // the expected column of the domain facts, in its words
	Duration time.Duration
	Needs    []Ability
	Pumps    []Pump
	Orders   []Order
	Steps    []Step
	Expect   []Expectation
	Facts    []Fact
}

// Pump is one pump of a scenario: a name and the keys of a pump description (infusim run --help).
type Pump struct {
	Name string
	Keys map[string]string
	Line int // in the file; 0 for the usual pumps
}

// Order is what was prescribed for a pump from a time on. It is data for whoever judges a gateway.
type Order struct {
	At            time.Duration
	Pump          string
	Drug          string
	Dose          string // mcg/kg/min
	Concentration string // mcg/mL
	WeightKg      string
	Note          string // what the numbers do not say: a load segment, a window, an episode
}

// Step is one thing that happens. Exactly one of Do and Harness is set.
type Step struct {
	At      time.Duration
	Pump    string
	Do      string // a command of infusim
	Harness string // for whoever runs gateway, broker, page or people: "gateway kill", "broker down for=6h"
	Line    int    // in the file
}

// Expectation is what a gateway must conclude, for whoever judges one.
type Expectation struct {
	Pump   string
	Code   string        // of an alert, a pump alarm or a finding
	After  time.Duration // not before this time of the scenario
	Within time.Duration // and at most so long after After; 0: until the end
	Absent bool          // it must not come, from After on and for Within, or until the end
	Note   string
}

// Fact is what is true of a simulated pump: of a quantity at a time, Is for words, Least and Most for numbers; or of an
// event in its log.
type Fact struct {
	At          time.Duration // of an event: when it is judged
	Pump        string
	For         []string // protocols for which it holds; empty: all
	Quantity    string
	Is          string
	Least, Most float64
	Since       time.Duration // the number is the difference since then
	Difference  bool          // Since is said
	Event       string        // kind of an event
	Nth         int           // of its kind, from the pump's first one on
	From, To    time.Duration // when the event comes
	Never       bool          // it must not come until At
	Line        int
}

// Ability is something that a pump's protocol can tell.
type Ability string

// The abilities that scenarios need.
const (
	AbleRate          Ability = "rate"           // the programmed rate
	AbleVolume        Ability = "volume"         // a volume counter
	AbleRunState      Ability = "run_state"      // whether it runs, told or derived
	AbleKVO           Ability = "kvo"            // keep vein open, told apart from running
	AblePressure      Ability = "pressure"       // line pressure in a unit that can be judged
	AbleAlarms        Ability = "alarms"         // alarms of occlusion and end
	AbleSeveralAlarms Ability = "several_alarms" // more than one at a time
	AbleAir           Ability = "air"            // an alarm for air in the line
	AbleDryBag        Ability = "dry_bag"        // an alarm for a bag that is empty before the count
	AbleBattery       Ability = "battery"        // low and empty battery
	AbleLog           Ability = "log"            // events with their times
	AbleClock         Ability = "clock"          // the pump's own clock
	AbleSerial        Ability = "serial"         // a serial number
)

// Abilities lists every ability, in the order of the matrix.
func Abilities() []Ability {
	return []Ability{
		AbleRate, AbleVolume, AbleRunState, AbleKVO, AblePressure, AbleAlarms, AbleSeveralAlarms, AbleAir, AbleDryBag, AbleBattery, AbleLog, AbleClock, AbleSerial,
	}
}
