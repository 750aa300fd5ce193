// Package front is what every simulated protocol has in common: one Front speaks for the pumps
// of one line in the words of one protocol. The fronts themselves are packages of their
// own beside this one (simulator/mivafront and others).
//
// A front says what its pump can say and nothing more, takes no time of its own (the line paces the
// bytes, the caller advances the models), starts no goroutine and belongs to
// the goroutine of its pumps.
package front

import (
	"time"

	"infusiond/simulator/pumpmodel"
)

// Front is the far end of one line.
type Front interface {
	// Handle takes bytes from the host, which may be part of a frame or several frames, and returns
	// what the pumps answer, often nothing.
	Handle(in []byte) []byte
	// Unsolicited returns what the pumps send by themselves now; usually nil.
	Unsolicited() []byte
	// Freeze makes the pump at an address answer everything with the values of this moment,
	// with good checksums, until it is called with false: a hung program behind a living line.
	Freeze(address string, on bool)
	// Received returns the newest queries and commands as text, oldest first, at least the last 500.
	Received() []string
	// Counts returns what the host sent so far.
	Counts() Counts
}

// Pusher is a Front whose pumps send by themselves. The line asks Unsolicited at this pace
// and never while bytes are still leaving; a front without it is asked when the line is quiet.
type Pusher interface {
	// PushEvery returns how often Unsolicited has to be asked at present, 0 while nothing would come.
	PushEvery() time.Duration
}

// Member is one pump of a line.
type Member struct {
	Pump    *pumpmodel.Pump
	Serial  string // empty where the protocol has none
	Address string // on the line, as drivers.Report.Address has it; empty where a line carries one pump
	Drug    string // what is programmed; said only where the protocol can say it
}

// Counts says what the host sent.
type Counts struct {
	Received  int // frames that were understood as frames
	Control   int // commands that change a pump; a gateway must leave this at 0
	Unknown   int // neither read query nor control command, or a command that was refused
	BadFrames int // dropped by the receiver
}

// Info declares what a protocol's pumps are like. Each front package has one as a function Describe.
type Info struct {
	Protocol  string // the name in a pump description: "bcc"
	Models    string // for people
	Baud      int    // usual speed, 8N1
	Gap       time.Duration
	Addresses string   // how addresses are written, for people; empty: one pump a line
	Serial    string   // an example of a simulator's serial number; empty: the protocol has none
	CannotSay []string // what the protocol does not tell, for people
	// Announces says whether this pump has words for an alarm.
	Announces func(pumpmodel.Alarm) bool
	// OneAlarm says that the pump shows one alarm at a time, the most urgent.
	OneAlarm bool
	// HasLog says that events can be read from a log with their times.
	HasLog bool
	// Physics returns the pump's own limits and resolutions.
	Physics func() pumpmodel.Config
}

// Queries remembers the newest of what a host sent. The zero value is ready.
type Queries struct{ texts []string }

// keptQueries is how many are kept at most; half of them fall out at a time.
const keptQueries = 1000

// Add remembers one.
func (q *Queries) Add(text string) {
	if len(q.texts) == keptQueries {
		q.texts = append(q.texts[:0], q.texts[keptQueries/2:]...)
	}
	q.texts = append(q.texts, text)
}

// List returns what is remembered, oldest first.
func (q *Queries) List() []string { return append([]string{}, q.texts...) }
