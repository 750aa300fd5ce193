package whole

import (
	"slices"
	"testing"
	"time"

	"infusiond/gateway/message"
)

// TestOutagesLoseNothing stops the broker and the database in order, lets things happen meanwhile, and
// starts them again. The subscriber has a durable session, as a monitoring centre has.
// Covers GW-28, GW-45, GW-50, GW-56, GW-60.
func TestOutagesLoseNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, plan{gateway: "outages", pumps: []pump{blue(), red()}, speed: 10, influx: true})
	w := r.watch()
	d := r.start()
	for _, p := range r.pumps {
		await(w, 0, "a good reading", r.topics.Observation(p.name), isOK)
	}

	cut := r.outage(d)
	_, at := await(w, 0, "the broker's return", r.topics.Health(), func(h message.Health) bool {
		return h.TS.Time().After(cut.to) && h.Broker.Connected && !has(h, "broker_") && has(h, "influxdb_")
	})
	for _, p := range r.pumps {
		await(w, at, "a record that is not late", r.topics.Observation(p.name), func(o message.Observation) bool { return !o.Late && o.TS.Time().After(cut.to) })
	}
	r.presentAfter(cut)
	if err := r.influx.Start(); err != nil {
		t.Fatal(err)
	}
	live(d, "the database's return", "health", "", func(h message.Health) bool { return !has(h, "influxdb_") && !has(h, "broker_") })
	r.do("blue", "rate 1.11")
	await(w, at, "the end of the alert", r.topics.Alert("blue"), func(a message.AlertTransition) bool {
		return a.Alert.Code == message.CodeRateMismatch && a.Transition == message.Ended
	})
	d.stop()
	await(w, at, "the end", r.topics.Status(), func(s message.Status) bool { return s.Status == message.Offline })

	found := records(t, w.Messages())
	cut.check(t, found)
	oneLife(t, w, r.topics.Alert("blue"), message.CodeRateMismatch)
	for _, p := range r.pumps {
		r.wholeLog(w, p)
	}
	awaitDatabase(t, r.influx, r.gateway, func() map[key]record { return found })
}

// cut is an outage of the broker, by the clock of this machine.
type cut struct {
	from, to time.Time
	newest   map[string]uint64 // the newest observation of each pump that was surely made in the outage
}

// outage stops broker and database, waits for more cycles and for an alert, and starts the broker again.
func (r *rig) outage(d *daemon) cut {
	r.t.Helper()
	if err := r.influx.Stop(); err != nil {
		r.t.Fatal(err)
	}
	if err := r.broker.Stop(); err != nil {
		r.t.Fatal(err)
	}
	c := cut{from: time.Now(), newest: map[string]uint64{}}
	live(d, "both outages", "health", "", func(h message.Health) bool { return !h.Broker.Connected && has(h, "broker_") && has(h, "influxdb_") })
	r.do("blue", "rate 11.1")
	live(d, "the alert", "alerts", "blue", func(a message.Alerts) bool { return open(a, message.CodeRateMismatch) })
	for _, p := range r.pumps {
		c.newest[p.name] = r.moreCycles(d, p.name)
	}
	c.to = time.Now()
	if err := r.broker.Start(); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// open says whether an alert of a code is in the set.
func open(a message.Alerts, code string) bool {
	return slices.ContainsFunc(a.Alerts, func(x message.Alert) bool { return x.Code == code })
}

// moreCycles waits until four more cycles are on the page and returns the last one's seq.
func (r *rig) moreCycles(d *daemon, pump string) uint64 {
	r.t.Helper()
	n := 0
	return live(d, "four more cycles", "state", pump, func(s message.State) bool { n++; return n == 5 && s.ObservationSeq > 0 }).ObservationSeq
}

// presentAfter looks at what a new subscriber gets after the outage.
func (r *rig) presentAfter(c cut) {
	r.t.Helper()
	url := r.broker.URL
	s := retained(r.t, url, "the present state", r.topics.State("blue"), func(message.State) bool { return true })
	if s.ObservationSeq <= c.newest["blue"] || s.ProgrammedRateMlPerH.String() != "11.1" || s.Verdict.Verdict != message.VerdictDeviation ||
		!s.ValidUntil.Time().After(time.Now()) {
		r.t.Errorf("state after the outage: %+v", s)
	}
	a := retained(r.t, url, "the open alerts", r.topics.Alerts("blue"), func(message.Alerts) bool { return true })
	if !open(a, message.CodeRateMismatch) || a.TS.Time().Before(c.to) {
		r.t.Errorf("alerts after the outage: %+v", a)
	}
	st := retained(r.t, url, "the status", r.topics.Status(), func(message.Status) bool { return true })
	if st.Status != message.Online || st.Connection < 2 {
		r.t.Errorf("status after the outage: %+v", st)
	}
	h := retained(r.t, url, "the health", r.topics.Health(), func(message.Health) bool { return true })
	if !h.Broker.Connected || has(h, "broker_") || !has(h, "influxdb_") || !h.ValidUntil.Time().After(time.Now()) {
		r.t.Errorf("health after the outage: %+v", h)
	}
}

// check demands that the outage's records are all there and say that they are late.
func (c cut) check(t *testing.T, found map[key]record) {
	t.Helper()
	n := map[string]int{}
	for k, r := range found {
		if ts := r.env.TS.Time(); ts.After(c.from) && ts.Before(c.to) {
			n[k.pump+" "+r.env.Schema]++
			if !r.neverOnTime {
				t.Errorf("record %s of %s, made while the broker was away, came without late", k, ts)
			}
		}
	}
	for _, what := range []string{"blue " + message.SchemaObservation, "red " + message.SchemaObservation, "blue " + message.SchemaAlert, "blue " + message.SchemaEvent, " " + message.SchemaEvent} {
		if n[what] == 0 {
			t.Errorf("no record of %q from the outage: that proves nothing; there are %v", what, n)
		}
	}
}
