package message

// State is the retained last word about one pump. It is last-known until
// ValidUntil was compared with the present.
type State struct {
	Envelope
	ValidUntil Time `json:"valid_until"`
	// ObservationSeq is the record that this state repeats.
	ObservationSeq uint64 `json:"observation_seq,omitzero"`
	Label          Label  `json:"label"`
	Drug           string `json:"drug,omitzero"`
	PrescribedText string `json:"prescribed_text,omitzero"` // for people: "0.5 mcg/kg/min = 1.11 mL/h"
	Sentence       string `json:"sentence"`                 // one sentence for a person
	Reading
	Verdict Verdict `json:"verdict"`
	Link    Link    `json:"link"`
	// LastReading is when the pump was last read; absent when never.
	LastReading Time `json:"last_reading_ts,omitzero"`
	// LastKnown holds slower or older values, each with its own time. They are not the present.
	LastKnown *LastKnown `json:"last_known,omitzero"`
}

// Label is how people call a pump.
type Label struct {
	Text   string `json:"text"`
	Colour string `json:"colour,omitzero"`
}

// LastKnown are values of earlier cycles with their own times.
type LastKnown struct {
	Battery   *Battery   `json:"battery,omitzero"`
	Occlusion *Occlusion `json:"occlusion_sensors,omitzero"`
	PumpClock *PumpClock `json:"pump_clock,omitzero"`
	Reading   *OldRead   `json:"reading,omitzero"` // present only while the current reading is unknown
}

// OldRead is the last good reading, while there is no current one.
type OldRead struct {
	TS                     Time    `json:"ts"`
	DeliveryStatus         string  `json:"delivery_status"`
	ProgrammedRateMlPerH   Decimal `json:"programmed_rate_ml_per_h,omitzero"`
	PumpReportedRateMlPerH Decimal `json:"pump_reported_rate_ml_per_h,omitzero"`
	VolumeInfusedMl        Decimal `json:"pump_reported_volume_infused_ml,omitzero"`
}
