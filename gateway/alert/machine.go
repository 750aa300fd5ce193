package alert

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/check"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/prescription"
)

// Condition is something that holds at the time of an update.
type Condition struct {
	Code     string
	Instance string // tells two conditions of one code apart, e.g. the pump's raw code
	Detail   string
	Hint     string
	Onset    infusion.Instant
	Pump     *drivers.Alarm // of a pump alarm
}

// Transition is one step in an alert's life.
type Transition struct {
	Kind  string // message.Raised, Changed or Ended
	Alert message.Alert
}

// Machine holds the alerts of one pump. It belongs to one goroutine.
type Machine struct {
	newID   func() string
	entries []*entry
}

type entry struct {
	Code     string           `json:"code"`
	Instance string           `json:"instance"`
	Polls    int              `json:"polls"` // readings in a row that held it
	Raised   bool             `json:"raised"`
	Onset    infusion.Instant `json:"onset"`
	Alert    message.Alert    `json:"alert,omitzero"` // absent until it is raised
	// Over is when a record of the pump's log ended the alarm, while the pump's alarms were not known.
	Over *infusion.Instant `json:"over,omitempty"`
	held bool              // by the present update
}

// New returns a machine without alerts. NewID makes a new identifier at each call.
func New(newID func() string) *Machine { return &Machine{newID: newID} }

// Of returns the conditions of findings and pump alarms at a time. Findings that are no alerts
// of their own (why a verdict is unknown) are left out.
func Of(at infusion.Instant, findings []check.Finding, alarms []drivers.Alarm) []Condition {
	var out []Condition
	for _, a := range alarms {
		code := string(a.Code)
		if d, known := Declared(code); !known || d.Origin != message.OriginPump {
			code = string(drivers.AlarmUnknown)
		}
		c := Condition{Code: code, Instance: a.RawCode, Detail: a.Text, Onset: at, Pump: &a}
		if age, known := seconds(a.AgeS); known && age >= 0 {
			c.Onset = at.Add(-age)
		}
		out = append(out, c)
	}
	for _, f := range findings {
		if _, declared := Declared(f.Code); declared {
			out = append(out, Condition{Code: f.Code, Detail: f.Text, Hint: f.Hint, Onset: f.Onset})
		}
	}
	return out
}

// seconds of a quantity that counts seconds, cut to whole ones; ages over a year are not believed.
func seconds(q drivers.Quantity) (time.Duration, bool) {
	if !q.Valid || q.Unit != drivers.Second || q.Exponent != 0 || q.Mantissa > 366*24*3600 {
		return 0, false
	}
	return time.Duration(q.Mantissa) * time.Second, true
}

// Update brings the alerts up to date with the conditions that hold now and returns what
// changed, raised before changed before ended. Evidence says what the conditions were judged on: an
// alert whose condition is missing ends only when the evidence that it needs is there.
func (m *Machine) Update(at infusion.Instant, ev Evidence, class prescription.StopClass, conditions []Condition) []Transition {
	for _, e := range m.entries {
		e.held = false
	}
	var raised, changed, ended []Transition
	for _, c := range conditions {
		d, _ := Declared(c.Code)
		e := m.find(c)
		e.held = true
		if c.Pump != nil {
			e.Over = nil
		}
		if e.Polls == 0 || ev&Reading != 0 {
			e.Polls++
		}
		priority := d.priority(class, at.Since(e.Onset))
		switch {
		case !e.Raised && e.Polls >= d.Polls:
			e.raise(m.newID(), at, d, c, priority)
			raised = append(raised, Transition{Kind: message.Raised, Alert: e.Alert})
		case e.Raised && (rank(priority) > rank(e.Alert.Priority) || c.Pump == nil && c.Detail != e.Alert.Detail):
			// A pump's alarm keeps the words with which it was raised.
			if rank(priority) > rank(e.Alert.Priority) {
				e.Alert.Priority = priority
			}
			if c.Pump == nil {
				e.Alert.Detail, e.Alert.Hint = c.Detail, c.Hint
			}
			changed = append(changed, Transition{Kind: message.Changed, Alert: e.Alert})
		}
	}
	m.entries = slices.DeleteFunc(m.entries, func(e *entry) bool {
		if e.held || !m.mayEnd(e, ev) {
			return false
		}
		if e.Raised {
			when := at
			if e.Over != nil {
				when = *e.Over
			}
			ended = append(ended, Transition{Kind: message.Ended, Alert: e.end(when, m.successor(e))})
		}
		return true
	})
	return slices.Concat(raised, changed, ended)
}

// Pass lets time pass without a new reading: conditions of silence are brought up to date, every
// other alert keeps its condition and only its priority may rise.
func (m *Machine) Pass(at infusion.Instant, class prescription.StopClass, silence []Condition) []Transition {
	conditions := silence
	for _, e := range m.entries {
		if d, declared := Declared(e.Code); declared && !d.Silence {
			conditions = append(conditions, Condition{
				Code: e.Code, Instance: e.Instance, Detail: e.Alert.Detail, Hint: e.Alert.Hint, Onset: e.Onset,
			})
		}
	}
	return m.Update(at, Clock, class, conditions)
}

func (m *Machine) find(c Condition) *entry {
	for _, e := range m.entries {
		if e.Code == c.Code && e.Instance == c.Instance {
			return e
		}
	}
	e := &entry{Code: c.Code, Instance: c.Instance, Onset: c.Onset}
	m.entries = append(m.entries, e)
	return e
}

// mayEnd says whether the evidence suffices to end an alert. data_delayed may also give way to
// data_stale, which says more.
func (m *Machine) mayEnd(e *entry, ev Evidence) bool {
	d, declared := Declared(e.Code)
	return !declared || ev&d.Ends != 0 || m.successor(e) != ""
}

func (m *Machine) successor(e *entry) string {
	if e.Code != message.CodeDataDelayed {
		return ""
	}
	for _, other := range m.entries {
		if other.held && other.Code == message.CodeDataStale {
			return other.Code
		}
	}
	return ""
}

func (e *entry) raise(id string, at infusion.Instant, d Declaration, c Condition, priority string) {
	e.Raised = true
	e.Alert = message.Alert{
		ID: id, Code: c.Code, Origin: d.Origin, Priority: priority, State: message.Raised,
		Text: d.Text, Detail: c.Detail, Hint: c.Hint, Onset: message.TimeOf(e.Onset.UTC), RaisedTS: message.TimeOf(at.UTC),
	}
	if c.Pump != nil {
		e.Alert.Derived = c.Pump.Derived
		e.Alert.PumpText, e.Alert.PumpCode, e.Alert.PumpTime = c.Pump.Text, c.Pump.RawCode, c.Pump.PumpTime
	}
}

func (e *entry) end(at infusion.Instant, successor string) message.Alert {
	a := e.Alert
	a.State, a.EndedTS, a.EndedWhy = message.Ended, message.TimeOf(at.UTC), "the condition is no longer there"
	if successor != "" {
		a.EndedWhy = "superseded by " + successor
	}
	return a
}

func rank(priority string) int {
	return slices.Index([]string{message.PriorityInfo, message.PriorityLow, message.PriorityMedium, message.PriorityHigh}, priority)
}

// Open returns the raised alerts, highest priority first, then oldest first.
func (m *Machine) Open() []message.Alert {
	open := []message.Alert{}
	for _, e := range m.entries {
		if e.Raised {
			open = append(open, e.Alert)
		}
	}
	slices.SortStableFunc(open, func(a, b message.Alert) int {
		if d := rank(b.Priority) - rank(a.Priority); d != 0 {
			return d
		}
		return a.RaisedTS.Time().Compare(b.RaisedTS.Time())
	})
	return open
}

// Mark is a state of a machine to go back to.
type Mark struct{ entries []entry }

// Mark remembers the present state.
func (m *Machine) Mark() Mark {
	k := Mark{entries: make([]entry, len(m.entries))}
	for i, e := range m.entries {
		k.entries[i] = *e
	}
	return k
}

// Reset goes back to a mark: what could not be recorded since then has not happened and will be
// found again.
func (m *Machine) Reset(k Mark) {
	m.entries = make([]*entry, len(k.entries))
	for i := range k.entries {
		e := k.entries[i]
		m.entries[i] = &e
	}
}

// Onset is when the condition of a code began, if the machine knows it.
func (m *Machine) Onset(code string) (infusion.Instant, bool) {
	for _, e := range m.entries {
		if e.Code == code {
			return e.Onset, true
		}
	}
	return infusion.Instant{}, false
}

// Save returns the machine's state, to be stored together with the transitions.
func (m *Machine) Save() ([]byte, error) {
	b, err := json.Marshal(m.entries)
	if err != nil {
		return nil, fmt.Errorf("save alerts: %w", err)
	}
	return b, nil
}

// Restore continues with a saved state after a restart. Ages go on by the wall clock, because
// the boot clock may have started anew.
func (m *Machine) Restore(saved []byte, now infusion.Instant) error {
	var entries []*entry
	if err := json.Unmarshal(saved, &entries); err != nil {
		return fmt.Errorf("restore alerts: %w", err)
	}
	for _, e := range entries {
		e.Onset.Boot = now.Boot - now.UTC.Sub(e.Onset.UTC)
		if e.Over != nil {
			e.Over.Boot = now.Boot - now.UTC.Sub(e.Over.UTC)
		}
	}
	m.entries = entries
	return nil
}
