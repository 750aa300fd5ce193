package whole

import (
	"testing"

	"infusiond/gateway/message"
	"infusiond/gateway/proof/parts"
)

// TestBrokerWithCertificates speaks to a broker that demands a client certificate and gives every gateway only its
// own topics. A certificate of another authority is a condition with a hint; the right one, put in its
// place, needs no more than the next start.
// Covers GW-51, GW-53.
func TestBrokerWithCertificates(t *testing.T) {
	t.Parallel()
	authority := parts.NewPKI(t)
	r := newRig(t, plan{gateway: "secure", pumps: []pump{blue(), red()}, tls: authority})
	w := r.watch()
	if _, err := parts.NewPKI(t).WriteClient(r.dir, r.gateway); err != nil { // of another authority, in the same files
		t.Fatal(err)
	}
	d := r.start()
	h := live(d, "the condition", "health", "", func(h message.Health) bool { return has(h, "broker_tls") })
	for _, c := range h.Conditions {
		if c.Code == "broker_tls" && (c.Hint == "" || c.Detail == "") {
			t.Errorf("condition without detail or hint: %+v", c)
		}
	}
	live(d, "a good reading all the same", "state", "blue", func(s message.State) bool { return s.Verdict.Verdict == message.VerdictOK })
	d.stop()

	if _, err := authority.WriteClient(r.dir, r.gateway); err != nil {
		t.Fatal(err)
	}
	d = r.start()
	for _, p := range r.pumps {
		await(w, 0, "a record that is not late", r.topics.Observation(p.name), func(o message.Observation) bool { return !o.Late && isOK(o) })
	}
	d.stop()
	await(w, 0, "the end", r.topics.Status(), func(s message.Status) bool { return s.Status == message.Offline })
	records(t, w.Messages())
}
