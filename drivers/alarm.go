package drivers

// AlarmCode is a pump alarm in infusiond's canonical vocabulary. The empty
// code is not an alarm. Priorities, texts and standard codes belong to
// gateway/alert.
type AlarmCode string

// The canonical alarms that pumps announce.
const (
	AlarmOcclusionDownstream AlarmCode = "occlusion_downstream"
	AlarmOcclusionUpstream   AlarmCode = "occlusion_upstream"
	AlarmOcclusion           AlarmCode = "occlusion" // side not told
	AlarmAirInLine           AlarmCode = "air_in_line"
	AlarmReservoirEmpty      AlarmCode = "reservoir_empty"
	AlarmReservoirLow        AlarmCode = "reservoir_low"
	AlarmInfusionComplete    AlarmCode = "infusion_complete_kvo"
	AlarmNearEnd             AlarmCode = "near_end"
	AlarmBatteryDepleted     AlarmCode = "battery_depleted"
	AlarmBatteryLow          AlarmCode = "battery_low"
	AlarmNoDisposable        AlarmCode = "no_disposable"
	AlarmDoorOpen            AlarmCode = "door_open"
	AlarmPumpFault           AlarmCode = "pump_fault"
	AlarmServiceDue          AlarmCode = "service_due"
	AlarmLimitReached        AlarmCode = "limit_reached" // the pump's own dose or volume limit
	AlarmUnattended          AlarmCode = "unattended"    // the pump waits for a person
	AlarmStoppedReminder     AlarmCode = "stopped_reminder"
	AlarmFreeFlow            AlarmCode = "free_flow_suspected"
	AlarmPressureTrend       AlarmCode = "pressure_trend"      // line pressure rises or leaps, below the limit
	AlarmExternalPowerLost   AlarmCode = "external_power_lost" // runs on battery now
	AlarmPumpReset           AlarmCode = "pump_reset"          // power was interrupted: it may stand still
	AlarmCommunication       AlarmCode = "communication_timeout"
	AlarmTampering           AlarmCode = "code_tries"    // wrong codes at the pump's keypad
	AlarmUnknown             AlarmCode = "unknown_alarm" // announced, but not in the driver's table
)

// AlarmCodes lists the canonical alarms.
func AlarmCodes() []AlarmCode {
	codes := make([]AlarmCode, len(alarmTerms))
	for i, row := range alarmTerms {
		codes[i] = row.code
	}
	return codes
}

// Term returns the standard's term for a canonical alarm. It is zero where the standard has none, and where only the pump's own
// words tell which term fits: a driver's AlarmRow may be more exact.
func (c AlarmCode) Term() Term {
	for _, row := range alarmTerms {
		if row.code == c {
			return row.term
		}
	}
	return Term{}
}

// Term is a term of ISO/IEEE 11073-10101 (partition 3) with its even context-free code.
type Term struct {
	RefID string // e.g. MDC_EVT_FLUID_LINE_OCCL
	Code  uint32
}

// AlarmRow is one row of a driver's alarm table: what the pump announces, and what it means.
type AlarmRow struct {
	Raw  string    // the pump's own code, as in Alarm.RawCode or LogRecord.RawCode
	Text string    // the protocol document's name for it
	Code AlarmCode // empty: an event that is no alarm
	Term Term      // the standard's term; zero where the standard has none
}

// Alarm is one alarm that the pump announces as active.
type Alarm struct {
	Code    AlarmCode
	RawCode string // the pump's own code, e.g. "9/2"
	Text    string // the pump's own words, or the protocol document's name for the code
	Derived bool   // worked out from the event log, not announced as a state

	// PumpTime is the onset on the pump's own clock, raw; empty when the pump does not tell.
	PumpTime string
	// AgeS is how many seconds before this cycle the alarm began, on the pump's own clock.
	AgeS Quantity
}

// LogRecord is one record of the pump's event log, in the pump's order.
type LogRecord struct {
	// ID identifies the record on this pump for ever (serial number excluded), e.g. "00000010-0145…".
	ID       string
	RawCode  string    // the pump's own type and subtype, e.g. "9/2"
	Name     string    // lower_snake_case name of the record type, e.g. "infusion_paused"
	Text     string    // one line for a person
	Alarm    AlarmCode // the alarm that it raises; empty for none
	Ends     bool      // it ends the active alarms (run, pause, power off, cleared)
	PumpTime string    // time on the pump's clock, raw
	AgeS     Quantity  // seconds before this cycle, on the pump's clock
	Raw      []byte    // the record's bytes
	// Values are the record's numbers by name with unit, e.g. "volume_infused_ml".
	Values map[string]Quantity
}

// LogGap says that records of the pump's log could not be connected to what was read before.
type LogGap struct {
	Reason string // one line for a person
	From   string // last record known before the gap, "" when none
	To     string // first record read after it
}

// alarmTerms is the one table of the canonical alarms and their terms. gateway/message's schema says the same, which a
// test there holds.
var alarmTerms = []struct {
	code AlarmCode
	term Term
}{
	{AlarmOcclusionDownstream, TermFluidLineOcclDownstream},
	{AlarmOcclusionUpstream, TermFluidLineOcclUpstream},
	{AlarmOcclusion, TermFluidLineOccl},
	{AlarmAirInLine, TermFluidLineAir},
	{AlarmReservoirEmpty, TermContainerEmpty},
	{AlarmReservoirLow, TermContainerNearEmpty},
	{AlarmInfusionComplete, TermPumpVolTbiComp},
	{AlarmNearEnd, TermPumpVolTbiNearComp},
	{AlarmBatteryDepleted, TermBattDepl},
	{AlarmBatteryLow, TermBattLo},
	{AlarmNoDisposable, TermCheckIvSet},
	{AlarmDoorOpen, TermDoorPosnErr},
	{AlarmPumpFault, TermMalf},
	{AlarmServiceDue, TermAdvisSvcReqd},
	{AlarmLimitReached, Term{}},
	{AlarmUnattended, TermCallback},
	{AlarmStoppedReminder, Term{}},
	{AlarmFreeFlow, TermPumpFlowFree},
	{AlarmPressureTrend, TermPressFluidLineIncreasing},
	{AlarmExternalPowerLost, TermMainsDisconnected},
	{AlarmPumpReset, Term{}},
	{AlarmCommunication, Term{}},
	{AlarmTampering, Term{}},
	{AlarmUnknown, TermUnknown},
}
