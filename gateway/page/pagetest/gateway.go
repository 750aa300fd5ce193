// Package pagetest is a gateway made of paper for the page's tests: it fills a retained
// set and a history with messages of the contract, each validated against its schema, at
// times that the test gives. It is no part of the product.
package pagetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
	"infusiond/gateway/page"
	"infusiond/gateway/retain"
)

// Gateway holds what a running gateway would hand to the page. Its methods may be used
// from several goroutines.
type Gateway struct {
	Name      string
	Simulated bool
	Set       *retain.Set
	Topics    message.Topics
	Clock     string // of every message, synced at first

	mu      sync.Mutex
	seq     map[string]uint64
	records map[string][]record
}

type record struct {
	at      time.Time
	payload []byte
}

// New returns a gateway that has said nothing yet.
func New(name string, simulated bool) *Gateway {
	return &Gateway{
		Name: name, Simulated: simulated, Set: retain.New(), Topics: message.TopicsOf(name, simulated),
		Clock: message.ClockSynced, seq: map[string]uint64{}, records: map[string][]record{},
	}
}

// Pumps are the two pumps of the demonstration: blue with milrinone, yellow with dobutamine.
func Pumps() []page.Pump {
	return []page.Pump{
		{Name: "milrinone", Label: message.Label{Text: "Blue pump", Colour: "blue"}},
		{Name: "dobutamine", Label: message.Label{Text: "Yellow pump", Colour: "yellow"}},
	}
}

// Serial is the serial number of a pump.
func Serial(pump string) string { return "99000" + fmt.Sprint(len(pump)) }

func (g *Gateway) envelope(schema, pump string, at time.Time) message.Envelope {
	e := message.Envelope{
		Schema: schema, Gateway: g.Name, Epoch: "5f1c9a7e20b34d68", Pump: pump,
		TS: message.TimeOf(at), Clock: g.Clock, Source: message.SourcePump, Durable: true,
	}
	if pump != "" {
		e.Serial = Serial(pump)
	}
	if g.Simulated {
		e.Source = message.SourceSim
	}
	return e
}

func (g *Gateway) put(topic string, e *message.Envelope, v any, check bool) error {
	return g.Set.Put(topic, func(topicSeq uint64) ([]byte, error) {
		e.TopicSeq, e.Session = topicSeq, "a41b90cc"
		payload, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		if !check {
			return payload, nil
		}
		return payload, schema.ValidateTopic(topic, payload)
	})
}

// PutState puts the state of a pump that runs as prescribed, changed by edit when it is given.
func (g *Gateway) PutState(at time.Time, pump string, edit func(*message.State)) error {
	return g.putState(at, pump, edit, true)
}

// PutFalseState is PutState for a state that breaks the contract, such as a verdict ok without
// its conditions.
func (g *Gateway) PutFalseState(at time.Time, pump string, edit func(*message.State)) error {
	return g.putState(at, pump, edit, false)
}

func (g *Gateway) putState(at time.Time, pump string, edit func(*message.State), check bool) error {
	s := message.State{
		Envelope:       g.envelope(message.SchemaState, pump, at),
		ValidUntil:     message.TimeOf(at.Add(30 * time.Second)),
		ObservationSeq: g.nextSeq(pump),
		Label:          labelOf(pump),
		Drug:           pump,
		PrescribedText: "0.5 mcg/kg/min = 1.11 mL/h",
		Sentence:       labelOf(pump).Text + " – " + pump + ": running as prescribed (pump-reported).",
		Reading:        Running(),
		Verdict:        VerdictOK(pump),
		Link:           message.Link{State: "online", Since: message.TimeOf(at.Add(-3 * time.Hour))},
		LastReading:    message.TimeOf(at),
	}
	if pump == "dobutamine" {
		s.PrescribedText = "5 mcg/kg/min = 2.22 mL/h"
		s.ProgrammedRateMlPerH = message.DecimalOf("2.22")
		s.PumpReportedRateMlPerH = message.DecimalOf("2.22")
	}
	if edit != nil {
		edit(&s)
	}
	return g.put(g.Topics.State(pump), &s.Envelope, &s, check)
}

// PutAlerts puts the open alerts of a pump; none means that none is open.
func (g *Gateway) PutAlerts(at time.Time, pump string, alerts ...message.Alert) error {
	return g.PutAlertSet(at, pump, "yes", alerts...)
}

// PutAlertSet is PutAlerts with pump_alarms_known.
func (g *Gateway) PutAlertSet(at time.Time, pump, known string, alerts ...message.Alert) error {
	a := message.Alerts{
		Envelope:   g.envelope(message.SchemaAlerts, pump, at),
		ValidUntil: message.TimeOf(at.Add(30 * time.Second)),
		Alerts:     append([]message.Alert{}, alerts...), PumpAlarmsKnown: known,
	}
	return g.put(g.Topics.Alerts(pump), &a.Envelope, &a, true)
}

// PutHealth puts the health of a gateway with nothing wrong, changed by edit when it is given.
func (g *Gateway) PutHealth(at time.Time, edit func(*message.Health)) error {
	since := message.TimeOf(at.Add(-3 * time.Hour))
	h := message.Health{
		Envelope:   g.envelope(message.SchemaHealth, "", at),
		ValidUntil: message.TimeOf(at.Add(90 * time.Second)),
		Version:    "0.1.0", Started: since,
		Watching: message.Watching{Text: "Nobody is confirmed to be watching - watch the pump yourself."},
		Broker:   message.Broker{Kind: "embedded", URL: "tcp://127.0.0.1:1883", Connected: true},
		Sinks: []message.Sink{
			{Name: "mqtt", State: "delivering", Since: since, Delivered: 4321},
			{Name: "influxdb", State: "delivering", Since: since, Delivered: 4321},
		},
		Links:      []message.PumpLink{},
		Spool:      message.Spool{Durable: true, Records: 4321, Bytes: 6_400_000},
		Conditions: []message.Condition{},
		Notice:     message.Notice,
	}
	for _, p := range Pumps() {
		h.Links = append(h.Links, message.PumpLink{Pump: p.Name, Link: message.Link{State: "online", Since: since}})
	}
	if edit != nil {
		edit(&h)
	}
	return g.put(g.Topics.Health(), &h.Envelope, &h, true)
}

// Record adds an observation to the history.
func (g *Gateway) Record(at time.Time, pump string, edit func(*message.Observation)) error {
	o := message.Observation{
		Envelope: g.envelope(message.SchemaObservation, pump, at),
		Reading:  Running(), Verdict: VerdictOK(pump), CycleMS: 212,
		Link: message.Link{State: "online", Since: message.TimeOf(at.Add(-time.Hour))},
	}
	o.Seq = g.nextSeq(pump)
	o.TopicSeq = o.Seq
	if edit != nil {
		edit(&o)
	}
	payload, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := schema.ValidateTopic(g.Topics.Observation(pump), payload); err != nil {
		return err
	}
	g.RecordRaw(at, pump, payload)
	return nil
}

// RecordRaw adds any payload to the history.
func (g *Gateway) RecordRaw(at time.Time, pump string, payload []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.records[pump] = append(g.records[pump], record{at: at, payload: payload})
}

// Range is page.History over what was recorded.
func (g *Gateway) Range(ctx context.Context, pump string, from, to time.Time, fn func([]byte) error) error {
	g.mu.Lock()
	records := slices.Clone(g.records[pump])
	g.mu.Unlock()
	for _, r := range records {
		if r.at.Before(from) || !r.at.Before(to) {
			continue
		}
		if err := fn(r.payload); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (g *Gateway) nextSeq(pump string) uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seq[pump]++
	return g.seq[pump]
}

func labelOf(pump string) message.Label {
	for _, p := range Pumps() {
		if p.Name == pump {
			return p.Label
		}
	}
	return message.Label{Text: pump}
}
