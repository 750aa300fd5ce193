package message

import (
	"fmt"
	"strings"
)

// Topics names the topics of one gateway.
type Topics struct{ root string }

// TopicsOf returns the topics of a gateway: below infusiond/v1 when it is real, below
// infusiond-sim/v1 when it is simulated.
func TopicsOf(gateway string, simulated bool) Topics {
	if simulated {
		return Topics{root: "infusiond-sim/v1/" + gateway + "/"}
	}
	return Topics{root: "infusiond/v1/" + gateway + "/"}
}

// Root is the common beginning, with a slash at the end.
func (t Topics) Root() string { return t.root }

// Status is retained; the will goes there too.
func (t Topics) Status() string { return t.root + "status" }

// Health is retained.
func (t Topics) Health() string { return t.root + "health" }

// GatewayEvent is the stream of the gateway's own events, not retained.
func (t Topics) GatewayEvent() string { return t.root + "event" }

// State is retained.
func (t Topics) State(pump string) string { return t.root + "pump/" + pump + "/state" }

// Alerts is retained.
func (t Topics) Alerts(pump string) string { return t.root + "pump/" + pump + "/alerts" }

// Observation is a stream.
func (t Topics) Observation(pump string) string { return t.root + "pump/" + pump + "/observation" }

// Event is a stream.
func (t Topics) Event(pump string) string { return t.root + "pump/" + pump + "/event" }

// Alert is a stream.
func (t Topics) Alert(pump string) string { return t.root + "pump/" + pump + "/alert" }

// Address is what a topic says of its messages.
type Address struct {
	Simulated bool   // below infusiond-sim, not below infusiond
	Gateway   string // 1 to 32 of a-z, 0-9 and -
	Pump      string // the same; empty on the gateway's own topics
	Schema    string // what its payload must be, e.g. SchemaState
	Retained  bool   // the topic is retained; an empty payload clears it
}

// ParseTopic takes a topic of the contract apart. Any other topic is an error.
func ParseTopic(topic string) (Address, error) {
	levels := strings.Split(topic, "/")
	if len(levels) < 4 || levels[1] != "v1" || (levels[0] != "infusiond" && levels[0] != "infusiond-sim") {
		return Address{}, fmt.Errorf("topic %q: not below infusiond/v1/{gateway} or infusiond-sim/v1/{gateway}", topic)
	}
	a := Address{Simulated: levels[0] == "infusiond-sim", Gateway: levels[2]}
	rest := levels[3:]
	if len(rest) == 3 && rest[0] == "pump" {
		a.Pump, rest = rest[1], rest[2:]
		if !Name(a.Pump) {
			return Address{}, fmt.Errorf("topic %q: %q is not a pump name", topic, a.Pump)
		}
	}
	if !Name(a.Gateway) {
		return Address{}, fmt.Errorf("topic %q: %q is not a gateway name", topic, a.Gateway)
	}
	if len(rest) != 1 || !a.content(rest[0]) {
		return Address{}, fmt.Errorf("topic %q: no such topic below the gateway", topic)
	}
	return a, nil
}

// content fills in what the last level of a topic stands for.
func (a *Address) content(last string) bool {
	type content struct {
		ofPump   bool
		level    string
		schema   string
		retained bool
	}
	for _, c := range []content{
		{false, "status", SchemaStatus, true},
		{false, "health", SchemaHealth, true},
		{false, "event", SchemaEvent, false},
		{true, "state", SchemaState, true},
		{true, "alerts", SchemaAlerts, true},
		{true, "observation", SchemaObservation, false},
		{true, "event", SchemaEvent, false},
		{true, "alert", SchemaAlert, false},
	} {
		if c.level == last && c.ofPump == (a.Pump != "") {
			a.Schema, a.Retained = c.schema, c.retained
			return true
		}
	}
	return false
}

// Name says whether text may name a gateway or a pump: 1 to 32 of a-z, 0-9 and -.
func Name(text string) bool {
	return text != "" && len(text) <= 32 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
