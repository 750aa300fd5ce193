package whole

import (
	"encoding/json"
	"testing"

	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
	"infusiond/gateway/proof/parts"
)

// watcher is a subscriber whose messages are all checked against the contract.
type watcher struct {
	*parts.Collector
	t *testing.T
}

// watch subscribes. A client ID makes the session durable: the broker keeps messages while the
// subscriber is away.
func watch(t *testing.T, s parts.Subscription) *watcher {
	t.Helper()
	w := &watcher{Collector: parts.Collect(t, s), t: t}
	t.Cleanup(func() {
		messages := w.Messages()
		if len(messages) == 0 {
			t.Errorf("nothing was ever received on %s", s.Filter)
		}
		for _, m := range messages {
			if err := schema.ValidateTopic(m.Topic, []byte(m.Payload)); err != nil {
				t.Errorf("a received message breaks the contract: %v\n%s", err, m.Payload)
			}
		}
	})
	return w
}

// await returns the first message of a topic, received at or behind the place from, that ok accepts,
// and the place behind it.
func await[T any](w *watcher, from int, what, topic string, ok func(T) bool) (T, int) {
	w.t.Helper()
	var found T
	next := from
	w.Wait(what+" on "+topic, func(messages []parts.Message) bool {
		for next < len(messages) {
			m := messages[next]
			next++
			if m.Topic != topic || m.Payload == "" {
				continue
			}
			var v T
			if err := json.Unmarshal([]byte(m.Payload), &v); err != nil {
				w.t.Errorf("%s: %v in %s", m.Topic, err, m.Payload)
				continue
			}
			if ok(v) {
				found = v
				return true
			}
		}
		return false
	})
	return found, next
}

// all decodes what a topic received so far, in the order of arrival; repeats included.
func all[T any](w *watcher, topic string) []T {
	w.t.Helper()
	var out []T
	for _, m := range w.Messages() {
		if m.Topic != topic || m.Payload == "" {
			continue
		}
		out = append(out, decode[T](w.t, m.Payload))
	}
	return out
}

func decode[T any](t *testing.T, payload string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(payload), &v); err != nil {
		t.Fatalf("%v in %s", err, payload)
	}
	return v
}

// retained is the message that a new subscriber of a topic gets, as soon as ok accepts it.
func retained[T any](t *testing.T, url, what, topic string, ok func(T) bool) T {
	t.Helper()
	w := watch(t, parts.Subscription{URL: url, Filter: topic})
	v, _ := await(w, 0, what, topic, ok)
	return v
}

// numberless says whether a reading holds no number of the pump at all.
func numberless(r message.Reading) bool {
	return r.ProgrammedRateMlPerH.IsZero() && r.PumpReportedRateMlPerH.IsZero() && r.VolumeInfusedMl.IsZero() &&
		r.VTBIMl.IsZero() && r.VTBIRemainingMl.IsZero() && r.Bolus == nil && r.Battery == nil && r.Occlusion == nil &&
		r.PumpClock == nil && r.Alarms == nil
}

// isReading says whether a cycle yielded a reading.
func isReading(o message.Observation) bool { return o.UnknownReason == "" }

// isOK says whether a cycle was found as prescribed.
func isOK(o message.Observation) bool { return o.Verdict.Verdict == message.VerdictOK }
