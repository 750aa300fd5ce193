package drivers

// Identity is what a pump says of itself.
type Identity struct {
	Serial   string // serial number, trimmed; empty when the pump has none
	Model    string // e.g. "MIVA"
	Firmware string
}

// RunState says what the pump says that it is doing.
type RunState uint8

// The run states. The zero value is unknown, never stopped.
const (
	RunUnknown        RunState = iota
	RunInfusing                // running at its programmed rate
	RunKVO                     // running at its keep-vein-open rate
	RunBolus                   // giving a bolus
	RunStopped                 // not running, the pump does not say why
	RunPaused                  // paused by a person
	RunStoppedByAlarm          // not running because of an alarm
	RunComplete                // the programmed volume was infused
	RunStandby                 // on, no infusion programmed or started
	RunDelayed                 // waiting for a programmed start
	RunPriming
	RunPoweredOff // the last log record says that the pump was switched off
)

// Truth is a yes-or-no that may be unknown. The zero value is unknown.
type Truth uint8

// The three truths.
const (
	Unknown Truth = iota
	No
	Yes
)

// Report is what one pump said within one polling cycle. Only what was read
// within that cycle stands in it: a value that was not asked for, or not
// answered, is absent. Nothing is carried over from an earlier cycle.
type Report struct {
	Address  string // the pump's address on its port; empty when the port carries one pump
	Identity Identity

	State RunState
	Mode  string // the pump's own word for its mode, e.g. "CONT"

	ProgrammedRate   Quantity // the rate that is set on the pump
	PumpReportedRate Quantity // the rate that it says it runs at
	VolumeInfused    Quantity
	VTBI             Quantity // volume to be infused, as programmed
	VTBIRemaining    Quantity // only when the pump itself tells it
	Program          string   // name of the active program
	DrugName         string   // only when the pump tells it
	Concentration    Quantity // of the drug, as set on the pump
	DoseRate         Quantity // as the pump works it out; Unit says of what
	TimeRemaining    Quantity // seconds until the programmed end; a value in AtLeast is a lower bound
	AtLeast          []string // names of fields above and below whose true value is this or greater
	ContainerSize    Quantity // of the syringe or bag, as set on the pump

	BolusRunning  Truth
	BolusRate     Quantity
	BolusInfused  Quantity
	BolusVTBI     Quantity
	BatteryVolts  Quantity
	BatteryLevel  Quantity // percent, only when the pump tells a percentage
	BatteryTime   Quantity // seconds that are left, only when the pump tells a time
	BatteryStatus string   // the pump's own word
	ExternalPower Truth

	UpstreamSensor      Quantity // occlusion sensor, in the pump's unit
	DownstreamSensor    Quantity
	UpstreamThreshold   Quantity // its occlusion threshold, in the same unit
	DownstreamThreshold Quantity
	// Uncertain names fields of this struct whose meaning the protocol leaves open, or that the
	// driver derived because the pump does not say them ("State").
	Uncertain []string

	PumpClock    string   // the pump's clock, raw
	PumpClockS   Quantity // the same in seconds of its own epoch, when it is a count
	AlarmsKnown  bool     // false: it cannot be told whether an alarm is active
	Alarms       []Alarm  // all active alarms, when AlarmsKnown
	AlarmsReason string   // why they are not known

	// Log holds the log records read in this cycle, oldest first, each exactly once
	// for one anchor; LogGaps what could not be connected. Anchor is where the next
	// read goes on; it is to be stored together with the records.
	Log     []LogRecord
	LogGaps []LogGap
	Anchor  string
	// LogSeen is true when the log was read up to its head in this cycle.
	LogSeen bool

	Unavailable []string // names of queries that this pump did not answer
	BadFrames   int      // frames dropped in this cycle: checksum, length, format
	Unsolicited int      // frames that the pump sent by itself
}
