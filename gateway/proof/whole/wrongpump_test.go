package whole

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"infusiond/gateway/message"
)

// TestPortThatIsNotThere: the gateway runs, says that it knows nothing, why, and what to do.
// Covers GW-12, GW-115.
func TestPortThatIsNotThere(t *testing.T) {
	t.Parallel()
	p := blue()
	p.port = filepath.Join(t.TempDir(), "no-such-port")
	r := newRig(t, plan{gateway: "no-port", pumps: []pump{p}})
	w := r.watch()
	r.start()
	topic := r.topics.Observation("blue")
	_, at := await(w, 0, "three cycles", topic, func(o message.Observation) bool { return o.TopicSeq == 3 })
	for _, o := range all[message.Observation](w, topic) {
		if o.UnknownReason != "port_absent" || o.Verdict.Verdict != message.VerdictUnknown || !numberless(o.Reading) || o.Serial != "" {
			t.Errorf("observation without a port: %+v", o)
		}
	}
	s, _ := await(w, 0, "the link", r.topics.State("blue"), func(s message.State) bool { return s.Link.State == "absent" })
	if !strings.Contains(s.Link.Reason, p.port) || !strings.Contains(s.Link.Reason, ": ") {
		t.Errorf("the link's reason %q does not name %s", s.Link.Reason, p.port)
	}
	if !strings.Contains(s.Link.Reason, "plug") && !strings.Contains(s.Link.Reason, "check") {
		t.Errorf("the link's reason %q names no mend", s.Link.Reason)
	}
	if s.LastKnown != nil || !s.LastReading.IsZero() {
		t.Errorf("something is known of a pump that was never read: %+v", s)
	}
	await(w, at, "one more cycle", topic, func(message.Observation) bool { return true })
	records(t, w.Messages())
}

// TestAnotherPumpAnswers: nothing that a pump with another serial number says is taken, on a simulated
// gateway and, for a simulator, on a real one.
// Covers GW-07, GW-08.
func TestAnotherPumpAnswers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, gateway, configured, answers, detail string
		real                                       bool
	}{
		{"another simulator", "exchanged", "SIM00009", "SIM00001", "serial number SIM00001 answers, configured is SIM00009", false},
		{"a simulator on a real gateway", "real", "SN800008", "SIM00001", "serial number SIM00001 is a simulator's, refused on a real gateway", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := blue()
			p.serial, p.answers = row.configured, row.answers
			r := newRig(t, plan{gateway: row.gateway, pumps: []pump{p}, real: row.real})
			w := r.watch()
			r.start()
			topic := r.topics.Observation("blue")
			raised, _ := await(w, 0, "the alert", r.topics.Alert("blue"), func(a message.AlertTransition) bool { return a.Transition == message.Raised })
			if a := raised.Alert; a.Code != message.CodeIdentityMismatch || a.Priority != message.PriorityHigh || !strings.Contains(a.Detail, row.detail) {
				t.Errorf("raised %+v", a)
			}
			await(w, 0, "three cycles", topic, func(o message.Observation) bool { return o.TopicSeq == 4 })
			retained(t, r.broker.URL, "the alert", r.topics.Alerts("blue"), func(a message.Alerts) bool {
				return len(a.Alerts) == 1 && a.Alerts[0].ID == raised.Alert.ID && a.PumpAlarmsKnown == message.No
			})
			seen := 0
			for _, o := range all[message.Observation](w, topic) {
				if !numberless(o.Reading) || o.Verdict.Verdict != message.VerdictUnknown || o.UnknownReason == "" {
					t.Errorf("observation of another pump: %+v", o)
				}
				if o.UnknownReason == "wrong_identity" && strings.Contains(o.UnknownDetail, row.detail) {
					seen++
				}
			}
			if seen < 2 {
				t.Errorf("%d cycles say that another pump answers", seen)
			}
			if slices.ContainsFunc(all[message.Event](w, r.topics.Event("blue")), func(e message.Event) bool { return e.Event == message.EventPumpLog }) {
				t.Error("another pump's log was taken for this one's")
			}
			for _, s := range all[message.State](w, r.topics.State("blue")) {
				if !numberless(s.Reading) || s.LastKnown != nil || s.Verdict.Verdict != message.VerdictUnknown {
					t.Errorf("state of another pump: %+v", s)
				}
			}
			records(t, w.Messages())
		})
	}
}
