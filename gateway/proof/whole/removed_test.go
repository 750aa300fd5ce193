package whole

import (
	"testing"

	"infusiond/gateway/message"
	"infusiond/gateway/proof/parts"
)

// TestPumpThatLeavesTheConfiguration: nothing of a pump that is no longer configured stands at the broker, or
// somebody would take its last word for the present.
func TestPumpThatLeavesTheConfiguration(t *testing.T) {
	t.Parallel()
	r := newRig(t, plan{gateway: "removed", pumps: []pump{blue(), red()}})
	w := r.watch()
	d := r.start()
	await(w, 0, "a good reading", r.topics.Observation("red"), isOK)
	retained(t, r.broker.URL, "its state", r.topics.State("red"), func(message.State) bool { return true })
	d.stop()

	r.pumps = r.pumps[:1]
	r.write("infusiond.yaml", r.configText())
	r.write("prescription.yaml", r.prescriptionText())
	r.start()
	await(w, 0, "the last event", r.topics.Event("red"), func(e message.Event) bool { return e.Event == message.EventRemoved })
	cleared := map[string]bool{}
	w.Wait("cleared topics", func(messages []parts.Message) bool {
		for _, m := range messages {
			if m.Payload == "" {
				cleared[m.Topic] = true
			}
		}
		return cleared[r.topics.State("red")] && cleared[r.topics.Alerts("red")]
	})
	for _, m := range retainedBelow(t, r.broker.URL, r.topics.Root()+"#", r.topics.Status()) {
		if address, err := message.ParseTopic(m.Topic); err != nil || address.Pump == "red" {
			t.Errorf("still at the broker: %s %s (%v)", m.Topic, m.Payload, err)
		}
	}
	if cleared[r.topics.State("blue")] || cleared[r.topics.Alerts("blue")] {
		t.Error("the pump that stays was cleared")
	}
	records(t, w.Messages())
}

// retainedBelow is what a new subscriber gets at once, which is complete when a message came that was
// not retained; last must be among it.
func retainedBelow(t *testing.T, url, filter, last string) []parts.Message {
	t.Helper()
	w := watch(t, parts.Subscription{URL: url, Filter: filter})
	var got []parts.Message
	w.Wait("all retained messages and one more", func(messages []parts.Message) bool {
		got = got[:0]
		seen := false
		for _, m := range messages {
			if !m.Retained {
				return seen
			}
			seen = seen || m.Topic == last
			got = append(got, m)
		}
		return false
	})
	return got
}
