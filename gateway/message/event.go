package message

// Event is something that happened, with exactly one of the details below.
type Event struct {
	Envelope
	Event string `json:"event"`
	Text  string `json:"text"`

	PumpLog      *PumpLog         `json:"pump_log,omitzero"`
	Gap          *Gap             `json:"gap,omitzero"`
	LinkChange   *LinkChange      `json:"link,omitzero"`
	Prescription *PrescriptionRef `json:"prescription,omitzero"`
	Loss         *Loss            `json:"loss,omitzero"`
	ClockStep    *ClockStep       `json:"clock_step,omitzero"`
	Condition    *Condition       `json:"condition,omitzero"`
}

// The kinds of events. The last four stand in the gateway's own stream.
const (
	EventPumpLog            = "pump_log"            // a record of the pump's own log
	EventGap                = "gap"                 // the pump's log could not be connected
	EventLink               = "link"                // the link state changed
	EventPumpIdentified     = "pump_identified"     // a pump answered with its serial number
	EventPrescriptionChange = "prescription_change" // another prescription version applies
	EventLoss               = "loss"                // records were lost, with their range
	EventRemoved            = "removed"             // the pump left the configuration
	EventClockStep          = "clock_step"          // the gateway's wall clock jumped
	EventStarted            = "started"
	EventStopped            = "stopped"
	EventConditionRaised    = "condition_raised"
	EventConditionEnded     = "condition_ended"
)

// PumpLog is one record of the pump's log. (serial, record_id) identifies it for ever.
type PumpLog struct {
	RecordID string             `json:"record_id"`
	RawCode  string             `json:"raw_code"`
	Name     string             `json:"name"`
	Alarm    string             `json:"alarm,omitzero"`       // canonical alarm code that it raises
	PumpTime string             `json:"pump_time,omitzero"`   // raw, the pump's clock
	Occurred Time               `json:"occurred_ts,omitzero"` // gateway time worked out from the record's age on the pump's clock
	Values   map[string]Decimal `json:"values,omitzero"`
	RawHex   string             `json:"raw_hex"`
}

// Gap is a stretch of the pump's log that could not be read.
type Gap struct {
	Reason string `json:"reason"`
	From   string `json:"from_record_id,omitzero"`
	To     string `json:"to_record_id,omitzero"`
}

// LinkChange is a change of the link state.
type LinkChange struct {
	From   string `json:"from,omitzero"` // absent: the first state since the daemon started
	To     string `json:"to"`
	Reason string `json:"reason,omitzero"`
}

// Loss is a range of records that no longer exist.
type Loss struct {
	Epoch   string `json:"epoch,omitzero"`    // of the lost records; absent when it cannot be told
	Stream  string `json:"stream"`            // empty: the gateway's own, or not known
	FromSeq uint64 `json:"from_seq,omitzero"` // absent when only the number of records is known
	ToSeq   uint64 `json:"to_seq,omitzero"`
	Count   uint64 `json:"count"` // how many; the range may hold others that are not lost
	Reason  string `json:"reason"`
}

// ClockStep is a jump between wall clock and monotonic time.
type ClockStep struct {
	StepMS int64 `json:"step_ms"` // positive: the wall clock went forward
}
