package whole

import (
	"slices"
	"strings"
	"testing"

	"infusiond/gateway/message"
)

// TestWrongRateIsADeviation types ten times the prescribed rate into the pump and mends it.
// Covers GW-14, GW-74, GW-76, GW-81, GW-91.
func TestWrongRateIsADeviation(t *testing.T) {
	t.Parallel()
	r := newRig(t, plan{gateway: "rate", pumps: []pump{blue(), red()}})
	w := r.watch()
	r.start()
	observation := r.topics.Observation("blue")
	_, at := await(w, 0, "a good reading", observation, isOK)

	r.do("blue", "rate 11.1")
	wrong, at := await(w, at, "the deviation", observation, func(o message.Observation) bool { return o.ProgrammedRateMlPerH.String() == "11.1" })
	v := wrong.Verdict
	if v.Verdict != message.VerdictDeviation || v.Prescription == nil || v.Prescription.Version != 3 || v.Inputs == nil {
		t.Fatalf("verdict %+v", v)
	}
	if got := v.Inputs.RateToleranceMlPerH.String(); got != "0.0111" {
		t.Errorf("tolerance %s mL/h, want 1 %% of 1.11", got)
	}
	if !slices.ContainsFunc(v.Reasons, func(f message.Finding) bool {
		return f.Code == message.CodeRateMismatch && f.Check == "C1" && f.Verdict == message.VerdictDeviation
	}) {
		t.Errorf("reasons %+v, want rate_mismatch of C1", v.Reasons)
	}
	is := func(kind string) func(message.AlertTransition) bool {
		return func(a message.AlertTransition) bool {
			return a.Alert.Code == message.CodeRateMismatch && a.Transition == kind
		}
	}
	raised, _ := await(w, 0, "the alert", r.topics.Alert("blue"), is(message.Raised))
	if a := raised.Alert; a.Origin != message.OriginCheck || a.Priority != message.PriorityHigh || !strings.Contains(a.Hint, "ten times") ||
		!strings.Contains(a.Detail, "11.1") || !strings.Contains(a.Detail, "1.11") {
		t.Errorf("raised %+v", a)
	}
	retained(t, r.broker.URL, "the alert", r.topics.Alerts("blue"), func(a message.Alerts) bool {
		return slices.ContainsFunc(a.Alerts, func(x message.Alert) bool { return x.ID == raised.Alert.ID })
	})

	r.do("blue", "rate 1.11")
	await(w, 0, "the end of the alert", r.topics.Alert("blue"), is(message.Ended))
	await(w, at, "a good reading", observation, isOK)
	retained(t, r.broker.URL, "no alert", r.topics.Alerts("blue"), func(a message.Alerts) bool { return len(a.Alerts) == 0 })
	records(t, w.Messages())
	oneLife(t, w, r.topics.Alert("blue"), message.CodeRateMismatch)
	for _, o := range all[message.Observation](w, r.topics.Observation("red")) {
		if isReading(o) && !isOK(o) {
			t.Errorf("the other pump's observation %d: %+v", o.Seq, o.Verdict)
		}
	}
}
