package whole

import (
	"testing"

	"infusiond/gateway/message"
)

// TestEndIsTold stops the gateway in order, and then kills it.
// Covers GW-44, GW-112.
func TestEndIsTold(t *testing.T) {
	t.Parallel()
	r := newRig(t, plan{gateway: "ending", pumps: []pump{blue(), red()}})
	w := r.watch()
	status := r.topics.Status()
	is := func(word string) func(message.Status) bool {
		return func(s message.Status) bool { return s.Status == word }
	}
	d := r.start()
	first, at := await(w, 0, "the birth", status, is(message.Online))
	_, at = await(w, at, "a good reading", r.topics.Observation("red"), isOK)
	d.stop()
	stopped, _ := await(w, at, "the last event", r.topics.GatewayEvent(), func(e message.Event) bool { return e.Event == message.EventStopped })
	goodbye, at := await(w, at, "the goodbye", status, is(message.Offline))
	if goodbye.Session != first.Session || goodbye.Connection != first.Connection {
		t.Errorf("goodbye %+v of the birth %+v", goodbye, first)
	}
	retained(t, r.broker.URL, "offline", status, func(s message.Status) bool { return s.Status == message.Offline && s.Session == first.Session })
	for k, rec := range records(t, w.Messages()) {
		if k.pump == "" && k.seq > stopped.Seq {
			t.Errorf("something came behind the last event: %s", rec.content)
		}
	}

	d = r.start()
	second, at := await(w, at, "the second birth", status, is(message.Online))
	_, at = await(w, at, "a good reading", r.topics.Observation("red"), isOK)
	d.kill()
	will, _ := await(w, at, "the will", status, is(message.Offline))
	if will.Session != second.Session || will.Session == first.Session || will.Connection != second.Connection {
		t.Errorf("will %+v of the birth %+v", will, second)
	}
	retained(t, r.broker.URL, "offline", status, func(s message.Status) bool { return s.Status == message.Offline && s.Session == second.Session })
	records(t, w.Messages())
}
