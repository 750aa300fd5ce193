package message

// Observation is one polling cycle of one pump with its verdict.
type Observation struct {
	Envelope
	Reading
	Verdict Verdict `json:"verdict"`
	Link    Link    `json:"link"`
	CycleMS int64   `json:"cycle_ms"` // how long the cycle took
}

// Reading is what the pump reported within one cycle. With UnknownReason, it
// holds no number.
type Reading struct {
	DeliveryStatus string `json:"delivery_status"`
	UnknownReason  string `json:"unknown_reason,omitzero"` // why there is no reading
	UnknownDetail  string `json:"unknown_detail,omitzero"`
	Mode           string `json:"mode,omitzero"` // the pump's own word

	ProgrammedRateMlPerH   Decimal `json:"programmed_rate_ml_per_h,omitzero"`
	PumpReportedRateMlPerH Decimal `json:"pump_reported_rate_ml_per_h,omitzero"`
	VolumeInfusedMl        Decimal `json:"pump_reported_volume_infused_ml,omitzero"`
	VTBIMl                 Decimal `json:"vtbi_ml,omitzero"`
	VTBIRemainingMl        Decimal `json:"vtbi_remaining_ml,omitzero"`

	TimeRemainingS  Decimal `json:"time_remaining_s,omitzero"`  // until the programmed end, as the pump tells it
	ContainerSizeMl Decimal `json:"container_size_ml,omitzero"` // of syringe or bag, as set on the pump

	Concentration *Measure   `json:"pump_concentration,omitzero"` // as set on the pump, not of the confirmed bag
	DoseRate      *Measure   `json:"pump_dose_rate,omitzero"`     // as the pump works it out
	Bolus         *Bolus     `json:"bolus,omitzero"`
	Program       string     `json:"program,omitzero"`
	DrugName      string     `json:"pump_drug_name,omitzero"`
	Battery       *Battery   `json:"battery,omitzero"`
	Occlusion     *Occlusion `json:"occlusion_sensors,omitzero"`
	PumpClock     *PumpClock `json:"pump_clock,omitzero"`

	Alarms      *PumpAlarms `json:"pump_alarms,omitzero"`
	Uncertain   []string    `json:"uncertain,omitzero"`   // paths of fields whose meaning the protocol leaves open
	AtLeast     []string    `json:"at_least,omitzero"`    // paths of fields whose true value is this or greater
	Unavailable []string    `json:"unavailable,omitzero"` // what this pump does not answer
	Problems    []string    `json:"problems,omitzero"`    // values that were refused, and why
	BadFrames   int         `json:"bad_frames,omitzero"`
}

// Measure is a number in one of several units, in UCUM.
type Measure struct {
	Value Decimal `json:"value"`
	Unit  string  `json:"unit"`
}

// Bolus is the pump's bolus as it reports it.
type Bolus struct {
	Running         string  `json:"running"` // yes | no | unknown
	RateMlPerH      Decimal `json:"rate_ml_per_h,omitzero"`
	VolumeInfusedMl Decimal `json:"pump_reported_volume_infused_ml,omitzero"`
	VTBIMl          Decimal `json:"vtbi_ml,omitzero"`
}

// Battery is the pump's battery. TS is when it was read: slower than the rate.
type Battery struct {
	TS            Time    `json:"ts"`
	VoltageV      Decimal `json:"voltage_v,omitzero"`
	ChargePercent Decimal `json:"charge_percent,omitzero"` // only when the pump tells a percentage
	RemainingS    Decimal `json:"remaining_s,omitzero"`    // only when the pump tells a time
	Status        string  `json:"status,omitzero"`         // the pump's own word
	ExternalPower string  `json:"external_power,omitzero"` // yes | no
}

// Occlusion holds the occlusion sensors. The unit of MIVA's is unknown: raw counts
// and the ratio to the pump's own threshold.
type Occlusion struct {
	TS                  Time    `json:"ts"`
	Unit                string  `json:"unit"` // count | mbar | mmHg | percent_of_limit
	Upstream            Decimal `json:"upstream,omitzero"`
	Downstream          Decimal `json:"downstream,omitzero"`
	UpstreamThreshold   Decimal `json:"upstream_threshold,omitzero"`
	DownstreamThreshold Decimal `json:"downstream_threshold,omitzero"`
}

// PumpClock is the pump's clock, never used for order or age.
type PumpClock struct {
	TS      Time    `json:"ts"`
	Raw     string  `json:"raw"`
	Seconds Decimal `json:"seconds,omitzero"` // of the pump's own epoch
}

// PumpAlarms are the alarms that the pump has active, as far as it can be told.
type PumpAlarms struct {
	Known  string      `json:"known"` // yes | no; no is not none
	Reason string      `json:"reason,omitzero"`
	Active []PumpAlarm `json:"active,omitzero"`
}

// PumpAlarm is one active alarm of the pump.
type PumpAlarm struct {
	Code    string `json:"code"`
	RawCode string `json:"raw_code"`
	Text    string `json:"text"`
	Derived bool   `json:"derived"` // worked out from the pump's log
}

// Verdict is the comparison of one observation with the prescription.
type Verdict struct {
	Verdict      string           `json:"verdict"`          // ok | deviation | unknown
	Reasons      []Finding        `json:"reasons,omitzero"` // never absent unless ok
	Prescription *PrescriptionRef `json:"prescription,omitzero"`
	Inputs       *Inputs          `json:"inputs,omitzero"`
}

// Finding is one reason for a verdict.
type Finding struct {
	Check   string `json:"check,omitzero"` // C1 … C16; absent when it belongs to none
	Code    string `json:"code"`
	Verdict string `json:"verdict"` // deviation | unknown
	Text    string `json:"text"`
	Hint    string `json:"hint,omitzero"` // a likely cause, never a certainty
}

// PrescriptionRef names the prescription version that was applied.
type PrescriptionRef struct {
	Patient  string `json:"patient"` // pseudonym
	Infusion string `json:"infusion"`
	Version  int    `json:"version"`
}

// Inputs are the numbers that a verdict was made of.
type Inputs struct {
	Drug                        string  `json:"drug"`
	PrescribedRateMlPerH        Decimal `json:"prescribed_rate_ml_per_h,omitzero"`
	PrescribedDose              Decimal `json:"prescribed_dose_mcg_per_kg_per_min,omitzero"`
	ProgrammedDose              Decimal `json:"programmed_dose_mcg_per_kg_per_min,omitzero"`
	WeightKg                    Decimal `json:"weight_kg,omitzero"`
	ConcentrationMcgPerMl       Decimal `json:"concentration_mcg_per_ml,omitzero"`
	RateToleranceMlPerH         Decimal `json:"rate_tolerance_ml_per_h,omitzero"`
	RoundedPrescribedRateMlPerH Decimal `json:"rounded_prescribed_rate_ml_per_h,omitzero"` // at the pump's step
	BagConfirmed                string  `json:"bag_confirmed"`                             // yes | no
	Library                     string  `json:"library,omitzero"`                          // e.g. "example v1"
}

// Link is the line between gateway and pump.
type Link struct {
	State  string `json:"state"` // absent | opening | identifying | online | silent
	Reason string `json:"reason,omitzero"`
	Since  Time   `json:"since"`
}
