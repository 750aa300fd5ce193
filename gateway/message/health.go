package message

// Health is the retained condition of the gateway itself, every 30 s.
type Health struct {
	Envelope
	ValidUntil Time        `json:"valid_until"`
	Version    string      `json:"version"`
	Started    Time        `json:"session_started"`
	Watching   Watching    `json:"watching"`
	Broker     Broker      `json:"broker"`
	Sinks      []Sink      `json:"sinks"`
	Links      []PumpLink  `json:"links"`
	Spool      Spool       `json:"spool"`
	Conditions []Condition `json:"conditions"` // open ones; empty means none
	Notice     string      `json:"notice"`
}

// Watching says whether anybody is confirmed to be looking. A broker's acknowledgement
// is not a person.
type Watching struct {
	Confirmed bool   `json:"confirmed"`
	Text      string `json:"text"`
}

// Broker says which broker the gateway speaks to.
type Broker struct {
	Kind      string `json:"kind"` // embedded | outside
	URL       string `json:"url"`  // without credentials
	Connected bool   `json:"connected"`
}

// Sink is the delivery state of one receiver.
type Sink struct {
	Name              string  `json:"name"`  // mqtt | influxdb
	State             string  `json:"state"` // delivering | waiting | disabled
	Since             Time    `json:"since,omitzero"`
	Reason            string  `json:"reason,omitzero"`
	Undelivered       uint64  `json:"undelivered"`
	OldestUndelivered Decimal `json:"oldest_undelivered_age_s,omitzero"` // absent: nothing waits
	Delivered         uint64  `json:"delivered"`
	Retried           uint64  `json:"retried"`
	Rejected          uint64  `json:"rejected"`
}

// PumpLink is the link to one pump.
type PumpLink struct {
	Pump string `json:"pump"`
	Link
	// Counts since the daemon started.
	Cycles          uint64 `json:"cycles,omitzero"`
	FailedCycles    uint64 `json:"failed_cycles,omitzero"`
	BadFrames       uint64 `json:"bad_frames,omitzero"`
	UnknownPumps    uint64 `json:"unknown_pump_reports,omitzero"` // on the pump's port
	RepeatedReports uint64 `json:"repeated_reports,omitzero"`
}

// Spool is the gateway's own record on disk.
type Spool struct {
	Durable bool   `json:"durable"`
	Records uint64 `json:"records"`
	Bytes   uint64 `json:"bytes"`
	Reason  string `json:"reason,omitzero"`
}

// Condition is something wrong with the gateway itself.
type Condition struct {
	Code     string `json:"code"`
	Subject  string `json:"subject,omitzero"` // the pump, sink or file that it concerns
	Priority string `json:"priority"`
	Text     string `json:"text"`
	Detail   string `json:"detail,omitzero"`
	Hint     string `json:"hint,omitzero"` // what to do
	Since    Time   `json:"since"`
}
