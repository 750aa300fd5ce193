package infusion

import (
	"time"

	"infusiond/drivers"
	"infusiond/gateway/units"
)

// GapReason is why there is no reading, as a stable word of the MQTT contract.
type GapReason string

// The reasons for which a cycle yields no reading.
const (
	GapPortAbsent    GapReason = "port_absent"    // the device does not exist or cannot be opened
	GapPortLost      GapReason = "port_lost"      // the device went away during the cycle
	GapNoReply       GapReason = "no_reply"       // the port is open, the pump does not answer
	GapCorruptReply  GapReason = "corrupt_reply"  // bytes came, none that can be trusted
	GapWrongIdentity GapReason = "wrong_identity" // another pump answers
	GapInexact       GapReason = "inexact_value"  // a number could not be converted exactly
	GapInternal      GapReason = "internal"       // the gateway's own failure
)

// Gap says that there is no reading, and why.
type Gap struct {
	Reason GapReason
	Detail string // one line for a person
}

// LinkState is the state of the line to a pump.
type LinkState string

// The link states of design section 3.
const (
	LinkAbsent      LinkState = "absent"
	LinkOpening     LinkState = "opening"
	LinkIdentifying LinkState = "identifying"
	LinkOnline      LinkState = "online"
	LinkSilent      LinkState = "silent"
)

// Link is a link state with its cause and age.
type Link struct {
	State  LinkState
	Reason string
	Since  Instant
}

// Observation is one polling cycle of one pump, normalized. Everything the pump did not
// say in this cycle is absent. With a Gap, everything is.
type Observation struct {
	Pump     string
	At       Instant // when the cycle's first query was sent; a value is never older than it
	Took     time.Duration
	Identity drivers.Identity
	Link     Link
	Gap      *Gap

	Status DeliveryStatus
	Mode   string

	Programmed    Opt[units.Rate]
	PumpReported  Opt[units.Rate]
	VolumeInfused Opt[units.Volume]
	VTBI          Opt[units.Volume]
	VTBIRemaining Opt[units.Volume]

	BolusRunning drivers.Truth
	BolusRate    Opt[units.Rate]
	BolusInfused Opt[units.Volume]
	BolusVTBI    Opt[units.Volume]

	Concentration drivers.Quantity // in one of the units of a concentration
	DoseRate      drivers.Quantity // in one of the units of a dose rate
	TimeRemaining drivers.Quantity // s
	ContainerSize Opt[units.Volume]

	Program, DrugName   string
	BatteryVolts        drivers.Quantity
	BatteryLevel        drivers.Quantity
	BatteryTime         drivers.Quantity // s
	BatteryStatus       string
	ExternalPower       drivers.Truth
	UpstreamSensor      drivers.Quantity // this and the next three have one unit
	DownstreamSensor    drivers.Quantity
	UpstreamThreshold   drivers.Quantity
	DownstreamThreshold drivers.Quantity
	PumpClock           string
	PumpClockS          drivers.Quantity

	AlarmsKnown  bool
	AlarmsReason string
	Alarms       []drivers.Alarm

	Uncertain   []string // fields of drivers.Report
	AtLeast     []string // the same: their true value is this or greater
	Unavailable []string
	BadFrames   int
	Problems    []string // values that were refused, one line each
}
