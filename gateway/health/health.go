package health

import (
	"cmp"
	"slices"
	"sync"

	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
)

// Declaration is what is fixed about a condition.
type Declaration struct {
	Code     string
	Priority string // message.Priority…
	Text     string
	Hint     string // used when the reporter gives none
}

var table = []Declaration{
	{"broker_dns", message.PriorityMedium, "The broker's name cannot be resolved", "check the name and the internet connection"},
	{"broker_refused", message.PriorityMedium, "The broker refuses the connection", "check that the broker runs and its port"},
	{"broker_unreachable", message.PriorityMedium, "The broker cannot be reached", "check the internet connection; nothing is lost, records wait on disk"},
	{"broker_tls", message.PriorityMedium, "The broker's certificate is not accepted, or ours is not", "check the certificate files and their dates"},
	{"broker_auth", message.PriorityMedium, "The broker refuses user or password", "check username, password file and the broker's access list"},
	{"broker_timeout", message.PriorityMedium, "The broker does not confirm messages", "check the broker's disk and load; nothing is lost, records wait on disk"},
	{"mqtt_duplicate_client", message.PriorityMedium, "Another program seems to use this gateway's MQTT client id", "stop the copy of this gateway"},
	{"no_outside_broker", message.PriorityLow, "No outside broker is configured: nobody else can receive alerts", "set mqtt.url to send to a monitoring centre"},
	{"influxdb_unreachable", message.PriorityLow, "The database cannot be reached", "check its address; nothing is lost, records wait on disk"},
	{"influxdb_tls", message.PriorityLow, "The database's certificate is not accepted", "check influxdb.tls and the certificate's date"},
	{"influxdb_unauthorized", message.PriorityLow, "The database refuses the token", "check influxdb.token_file (InfluxDB 1.8: user:password)"},
	{"influxdb_forbidden", message.PriorityLow, "The token may not write to this bucket", "give it the right to write"},
	{"influxdb_not_found", message.PriorityLow, "The bucket or organisation does not exist", "make it, or mend influxdb.bucket and influxdb.org"},
	{"influxdb_refused", message.PriorityLow, "The database does not take records", "see the detail; nothing is lost, records wait on disk"},
	{"delivery_failed", message.PriorityLow, "Records cannot be delivered", "see the detail; nothing is lost, records wait on disk"},
	{"records_rejected", message.PriorityMedium, "A receiver refuses records for good; they are set aside", "see the detail; report it"},
	{"disk_failed", message.PriorityHigh, "Records cannot be written to disk; the gateway goes on from memory", "check the disk: full, read-only or broken"},
	{"spool_quarantined", message.PriorityMedium, "The record file was damaged and set aside; a new one was begun", "keep the .corrupt file for analysis; check the disk"},
	{"spool_newer", message.PriorityMedium, "The record file was written by a newer infusiond; this one keeps its own beside it", "go back to the newer version, or move the newer file away"},
	{"records_lost", message.PriorityHigh, "Records were lost", "see the loss events for their range"},
	{"clock_unsynced", message.PriorityLow, "The gateway's clock is not set by a time server", "check the internet connection or the time service"},
	{"prescription_invalid", message.PriorityHigh, "A prescription file is not valid and is not used", "mend the file: infusiond check-config names the line"},
	{"no_prescription_file", message.PriorityLow, "No prescription is configured: nothing is compared", "name a file under prescriptions"},
	{"library_invalid", message.PriorityHigh, "The drug library is not valid and is not used", "mend the file: infusiond check-config names the line"},
	{"library_example", message.PriorityInfo, "The drug library is the shipped example, not signed by a clinic", "replace it by the clinic's own"},
	{"port_not_understood", message.PriorityMedium, "Something sends on the port, but nothing that this pump's protocol knows", "another device, another driver or baud rate, a damaged cable, or an adapter that echoes: compare port, driver and settings with the cable; infusiond run --capture and infusiond decode show the bytes"},
	{"unknown_pump", message.PriorityMedium, "A pump answers on the port that is not configured", "nothing of it is recorded: add it to the configuration or take it off the line"},
	{"wrong_pump", message.PriorityHigh, "Another pump answers where this one is configured", "nothing of it is attributed: put the cable back, or mend port and serial number in the configuration"},
	{"driver_trouble", message.PriorityMedium, "The driver failed at reading the pump", "see the detail and report it; restart the gateway if it lasts"},
	{"cycle_not_recorded", message.PriorityHigh, "A reading could not be recorded", "check the disk; what the pump's log holds is read again"},
	{"anchor_unreadable", message.PriorityLow, "It cannot be told how far the pump's log was read", "check the disk; the log may be read again from its start"},
	{"page_unavailable", message.PriorityMedium, "The home page cannot be shown", "see the detail"},
	{"embedded_broker_failed", message.PriorityMedium, "The gateway's own broker does not run", "see the detail"},
	{"internal_error", message.PriorityHigh, "A part of the gateway failed", "see the detail and report it"},
}

// Declared returns the declaration of a code. A code that is not in the table is an internal
// error: it is shown, never dropped.
func Declared(code string) Declaration {
	for _, d := range table {
		if d.Code == code {
			return d
		}
	}
	d := Declaration{Code: code, Priority: message.PriorityMedium, Text: "Undeclared condition " + code, Hint: "report this"}
	return d
}

// Change is a condition that was raised or ended.
type Change struct {
	Condition message.Condition
	Ended     bool
}

// Tracker holds the open conditions. It is safe for use by several goroutines.
type Tracker struct {
	now infusion.Clock

	mu      sync.Mutex
	open    []message.Condition
	changes []Change
	changed chan struct{}
}

// New returns a tracker without conditions.
func New(now infusion.Clock) *Tracker {
	return &Tracker{now: now, changed: make(chan struct{}, 1)}
}

// Report raises, updates or (with an empty detail) ends the condition of a code and subject. An
// empty hint stands for the declared one.
func (t *Tracker) Report(code, subject, detail, hint string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.open, func(c message.Condition) bool { return c.Code == code && c.Subject == subject })
	switch {
	case detail == "" && i < 0:
		return
	case detail == "":
		t.changes = append(t.changes, Change{Condition: t.open[i], Ended: true})
		t.open = slices.Delete(t.open, i, i+1)
	case i >= 0:
		if t.open[i].Detail == detail {
			return
		}
		t.open[i].Detail = detail
	default:
		d := Declared(code)
		c := message.Condition{
			Code: code, Subject: subject, Priority: d.Priority, Text: d.Text, Detail: detail,
			Hint: cmp.Or(hint, d.Hint), Since: message.TimeOf(t.now().UTC),
		}
		t.open = append(t.open, c)
		t.changes = append(t.changes, Change{Condition: c})
	}
	if over := len(t.changes) - 1000; over > 0 {
		t.changes = t.changes[over:]
	}
	select {
	case t.changed <- struct{}{}:
	default: // one wake-up suffices
	}
}

// Changed is signalled when something was reported. It has one reader.
func (t *Tracker) Changed() <-chan struct{} { return t.changed }

// Open returns the open conditions, oldest first.
func (t *Tracker) Open() []message.Condition {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]message.Condition{}, t.open...)
}

// Take returns the changes since the last call, for the gateway's own event stream. At most the
// newest thousand are kept, so that a flapping part cannot fill the memory.
func (t *Tracker) Take() []Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.changes
	t.changes = nil
	return c
}
