package message

// The payload types and their versions, the value of Envelope.Schema.
const (
	SchemaStatus      = "infusiond/status/1"
	SchemaHealth      = "infusiond/health/1"
	SchemaState       = "infusiond/state/1"
	SchemaAlerts      = "infusiond/alerts/1"
	SchemaObservation = "infusiond/observation/1"
	SchemaEvent       = "infusiond/event/1"
	SchemaAlert       = "infusiond/alert/1"
)

// Envelope stands at the top of every message. A record of a stream (observation, event,
// alert) is identified by (gateway, epoch, pump, seq) and nothing else.
type Envelope struct {
	Schema  string `json:"schema"`
	Gateway string `json:"gateway"`
	Epoch   string `json:"epoch"`         // made anew whenever sequence numbers start anew
	Pump    string `json:"pump,omitzero"` // absent on the gateway's own messages
	// Seq counts the records of one pump stream; absent on retained messages, which are
	// no records of a stream.
	Seq uint64 `json:"seq,omitzero"`
	// TopicSeq counts the messages of this topic: within the epoch for streams, within
	// Session for retained topics.
	TopicSeq uint64 `json:"topic_seq"`
	Session  string `json:"session,omitzero"` // one run of the daemon; on retained messages
	TS       Time   `json:"ts"`               // gateway clock; when the content was true
	Clock    string `json:"clock"`            // synced | unsynced
	Source   string `json:"source"`           // pump | sim
	Serial   string `json:"serial,omitzero"`  // the pump's serial number, when it told it
	Durable  bool   `json:"durable"`          // on the gateway's disk before it was sent
	// Late is set by the publisher on a record that is older than its connection; it is
	// not part of the record's content.
	Late bool `json:"late,omitzero"`
}

// The values of Envelope.Clock and Envelope.Source.
const (
	ClockSynced   = "synced"
	ClockUnsynced = "unsynced"
	SourcePump    = "pump"
	SourceSim     = "sim"
)

// Status is the retained birth, and as a will the retained death, of a gateway.
type Status struct {
	Envelope
	Status         string `json:"status"` // online | offline
	SessionStarted Time   `json:"session_started"`
	// Connection counts the connections of the session, from 1; birth, orderly death and
	// will of one connection carry the same number. A broker may send the will of a
	// connection after the birth of the next one, which only this number reveals.
	Connection uint64 `json:"connection,omitzero"`
	Version    string `json:"version"`
	Notice     string `json:"notice"`
}

// The values of Status.Status.
const (
	Online  = "online"
	Offline = "offline"
)

// Notice is the sentence that stands wherever a person may read a message.
const Notice = "Pump-reported, not delivered to the patient. Secondary information: infusiond is not a medical device and does not replace the pump's own alarm."
