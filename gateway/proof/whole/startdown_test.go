package whole

import (
	"slices"
	"testing"

	"infusiond/gateway/message"
)

// TestBrokerAndDatabaseAwayAtStart starts the gateway before everything that it sends to.
// Covers GW-51, GW-56, GW-115.
func TestBrokerAndDatabaseAwayAtStart(t *testing.T) {
	t.Parallel()
	r := newRig(t, plan{gateway: "early", pumps: []pump{blue(), red()}, influx: true})
	w := r.watch()
	if err := r.broker.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := r.influx.Stop(); err != nil {
		t.Fatal(err)
	}

	d := r.start()
	h := live(d, "both conditions", "health", "", func(h message.Health) bool { return has(h, "broker_refused") && has(h, "influxdb_") })
	for _, c := range h.Conditions {
		if c.Hint == "" || c.Detail == "" {
			t.Errorf("condition %s without detail or hint: %+v", c.Code, c)
		}
	}
	live(d, "waiting sinks", "health", "", func(h message.Health) bool {
		return !h.Broker.Connected && len(h.Sinks) == 2 && !slices.ContainsFunc(h.Sinks, func(s message.Sink) bool { return s.State != "waiting" })
	})
	live(d, "a good reading", "state", "red", func(s message.State) bool { return s.Verdict.Verdict == message.VerdictOK })

	if err := r.broker.Start(); err != nil {
		t.Fatal(err)
	}
	if err := r.influx.Start(); err != nil {
		t.Fatal(err)
	}
	await(w, 0, "the first event", r.topics.GatewayEvent(), func(e message.Event) bool { return e.Event == message.EventStarted && e.Late })
	await(w, 0, "a good state", r.topics.Health(), func(h message.Health) bool {
		return h.Broker.Connected && !has(h, "broker_") && !has(h, "influxdb_")
	})
	for _, p := range r.pumps {
		await(w, 0, "a record that is not late", r.topics.Observation(p.name), func(o message.Observation) bool { return !o.Late && isOK(o) })
	}
	d.stop()
	await(w, 0, "the end", r.topics.Status(), func(s message.Status) bool { return s.Status == message.Offline })
	found := records(t, w.Messages())
	awaitDatabase(t, r.influx, r.gateway, func() map[key]record { return found })
}
