package message

// Alerts is the retained complete set of open alerts of one pump, also when empty.
type Alerts struct {
	Envelope
	ValidUntil Time    `json:"valid_until"`
	Alerts     []Alert `json:"alerts"`
	// PumpAlarmsKnown is no when the pump's own alarms cannot be told; an empty set then
	// does not mean that there are none.
	PumpAlarmsKnown string `json:"pump_alarms_known"` // yes | no
}

// AlertTransition is one step in the life of one alert.
type AlertTransition struct {
	Envelope
	Transition string `json:"transition"` // raised | changed | acknowledged | ended
	Alert      Alert  `json:"alert"`
}

// The transitions of an alert.
const (
	Raised       = "raised"
	Changed      = "changed" // priority or text changed
	Acknowledged = "acknowledged"
	Ended        = "ended"
)

// Alert is one condition that a person should know of. ID names it for its whole life.
type Alert struct {
	ID       string `json:"id"`
	Code     string `json:"code"`
	Origin   string `json:"origin"`   // pump | check | gateway
	Priority string `json:"priority"` // high | medium | low | info
	State    string `json:"state"`    // raised | acknowledged | ended
	Text     string `json:"text"`
	Detail   string `json:"detail,omitzero"`
	Hint     string `json:"hint,omitzero"` // a likely cause, never a certainty
	Onset    Time   `json:"onset_ts"`      // when the condition began, as far as known
	RaisedTS Time   `json:"raised_ts"`
	EndedTS  Time   `json:"ended_ts,omitzero"`
	EndedWhy string `json:"ended_reason,omitzero"`

	// Of a pump alarm:
	Derived  bool   `json:"derived,omitzero"` // worked out from the pump's log
	PumpText string `json:"pump_text,omitzero"`
	PumpCode string `json:"pump_code,omitzero"`
	PumpTime string `json:"pump_time,omitzero"` // raw, the pump's clock

	Acknowledgement *Acknowledgement `json:"acknowledgement,omitzero"`
}

// Acknowledgement says who has taken notice, and until when it counts.
type Acknowledgement struct {
	By    string `json:"by"`
	Role  string `json:"role"`
	TS    Time   `json:"ts"`
	Until Time   `json:"until"`
}
