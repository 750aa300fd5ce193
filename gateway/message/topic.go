package message

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
