package simulator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"infusiond/simulator/fault"
)

// Record is one line of the ground truth: what really happened beside what the pump said, at
// a moment. It is written at the interval, with every new event of the pump, and after every command.
type Record struct {
	TS       string       `json:"ts"`        // UTC, when it was written
	ElapsedS float64      `json:"elapsed_s"` // true simulated time
	Pump     string       `json:"pump"`
	Why      string       `json:"why"` // start, interval, event, command, end
	Command  string       `json:"command,omitempty"`
	Events   []Entry      `json:"events,omitempty"` // of the pump's log since the record before, with their own true times
	Plugged  bool         `json:"plugged"`
	Faults   []fault.Kind `json:"faults,omitempty"`
	Says     Says         `json:"says"`
	Truth    Truth        `json:"truth"`
}

// truthLog writes Records.
type truthLog struct {
	out   *bufio.Writer
	every time.Duration
	pumps map[string]*noted
	err   error
}

// noted is what was written of one pump.
type noted struct {
	next   time.Duration // simulated time of the next record at the interval
	events uint64        // sequence number of the first event that was not written
}

func newTruthLog(w io.Writer, every time.Duration) *truthLog {
	if every <= 0 {
		every = 5 * time.Second
	}
	return &truthLog{out: bufio.NewWriter(w), every: every, pumps: map[string]*noted{}}
}

// note writes what is due of every pump.
func (f *fleet) note(end bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.truth == nil {
		return nil
	}
	for _, p := range f.pumps {
		if end {
			f.truth.write(p, "end", "")
			continue
		}
		f.truth.due(p)
	}
	if err := f.truth.out.Flush(); f.truth.err == nil {
		f.truth.err = err
	}
	if f.truth.err != nil {
		return fmt.Errorf("write ground truth: %w", f.truth.err)
	}
	return nil
}

func (t *truthLog) due(p *pump) {
	n, known := t.pumps[p.o.Name]
	switch {
	case !known:
		t.write(p, "start", "")
	case p.model.EventCount() > n.events:
		t.write(p, "event", "")
	case p.model.Elapsed() >= n.next:
		t.write(p, "interval", "")
	}
}

func (t *truthLog) write(p *pump, why, command string) {
	n := t.pumps[p.o.Name]
	if n == nil {
		n = &noted{}
		t.pumps[p.o.Name] = n
	}
	s := p.status()
	r := Record{
		TS: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), ElapsedS: s.Truth.ElapsedS, Pump: p.o.Name, Why: why, Command: command,
		Plugged: s.Plugged, Faults: s.Wire.Faults, Says: s.Says, Truth: s.Truth,
	}
	if p.model.EventCount() > n.events {
		r.Events, n.events = p.entries(n.events), p.model.EventCount()
	}
	for n.next <= p.model.Elapsed() {
		n.next += max(t.every, (p.model.Elapsed() - n.next).Truncate(t.every))
	}
	if err := json.NewEncoder(t.out).Encode(r); err != nil && t.err == nil {
		t.err = err
	}
}
