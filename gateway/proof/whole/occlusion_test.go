package whole

import (
	"fmt"
	"slices"
	"testing"

	"infusiond/gateway/message"
)

const occlusion = "occlusion_downstream"

// TestOcclusionIsOneAlarm follows one occlusion from the pump's log to its end, with the gateway
// killed and started again while it lasts, and with more log records made while it is down.
// Covers GW-01, GW-16, GW-18, GW-27, GW-47, GW-93, GW-97.
func TestOcclusionIsOneAlarm(t *testing.T) {
	t.Parallel()
	r := newRig(t, plan{gateway: "occlusion", pumps: []pump{blue(), red()}, speed: 10})
	w := r.watch()
	d := r.start()
	alerts, observation := r.topics.Alerts("blue"), r.topics.Observation("blue")
	await(w, 0, "a good reading", observation, isOK)

	r.do("blue", "occlude in=5s")
	raised, _ := await(w, 0, "the alarm", r.topics.Alert("blue"), isTransition(message.Raised))
	if a := raised.Alert; a.Origin != message.OriginPump || a.Priority != message.PriorityHigh || a.State != message.Raised {
		t.Errorf("raised %+v", a)
	}
	held := func(a message.Alerts) bool {
		return slices.ContainsFunc(a.Alerts, func(x message.Alert) bool { return x.ID == raised.Alert.ID })
	}
	before := retained(t, r.broker.URL, "the alarm", alerts, held)
	_, at := await(w, 0, "a cycle with the alarm", observation, func(o message.Observation) bool {
		return o.Alarms != nil && len(o.Alarms.Active) == 1 && o.Alarms.Active[0].Code == occlusion && o.DeliveryStatus == "stopped_by_alarm"
	})

	d.kill()
	for _, command := range []string{"pause", "run"} { // records that nobody reads now
		r.do("red", command)
	}
	r.start()
	_, at = await(w, at, "the alarm in the next session", alerts, func(a message.Alerts) bool {
		return a.Session != before.Session && held(a) && a.PumpAlarmsKnown == message.Yes
	})
	cycles := 0
	_, at = await(w, at, "three cycles after the restart", observation, func(message.Observation) bool { cycles++; return cycles == 3 })
	retained(t, r.broker.URL, "the alarm, still", alerts, held)

	for _, command := range []string{"release", "ack", "run"} {
		r.do("blue", command)
	}
	ended, at := await(w, at, "the end of the alarm", r.topics.Alert("blue"), isTransition(message.Ended))
	if ended.Alert.ID != raised.Alert.ID || ended.Alert.EndedTS.IsZero() {
		t.Errorf("ended %+v, raised was %+v", ended.Alert, raised.Alert)
	}
	_, at = await(w, at, "a good reading after it", observation, isOK)
	retained(t, r.broker.URL, "no alarm", alerts, func(a message.Alerts) bool { return !held(a) })
	await(w, at, "two more cycles", r.topics.Observation("red"), func(message.Observation) bool { cycles++; return cycles == 5 })

	records(t, w.Messages())
	oneLife(t, w, r.topics.Alert("blue"), occlusion)
	for _, p := range r.pumps {
		r.wholeLog(w, p)
	}
}

func isTransition(kind string) func(message.AlertTransition) bool {
	return func(a message.AlertTransition) bool { return a.Alert.Code == occlusion && a.Transition == kind }
}

// oneLife demands that a code was raised once and ended once, under one id. Repeats of a message
// do not count.
func oneLife(t *testing.T, w *watcher, topic, code string) {
	t.Helper()
	seen := map[uint64]bool{}
	var steps []string
	ids := map[string]bool{}
	for _, a := range all[message.AlertTransition](w, topic) {
		if a.Alert.Code != code || seen[a.Seq] {
			continue
		}
		seen[a.Seq] = true
		ids[a.Alert.ID] = true
		if a.Transition != message.Changed {
			steps = append(steps, a.Transition)
		}
	}
	if len(ids) != 1 || !slices.Equal(steps, []string{message.Raised, message.Ended}) {
		t.Errorf("%s: %d alerts with the steps %v, want one that is raised and ended", code, len(ids), steps)
	}
}

// wholeLog demands that every record of the pump's log, from the first to the newest, is on the event topic
// under exactly one key, in the order of the log.
func (r *rig) wholeLog(w *watcher, p pump) {
	r.t.Helper()
	status, err := r.sim.Status(p.name)
	if err != nil {
		r.t.Fatal(err)
	}
	seen := map[uint64]bool{}
	next := uint32(0)
	for _, e := range all[message.Event](w, r.topics.Event(p.name)) {
		if e.Event == message.EventGap {
			r.t.Errorf("%s: the log has a gap: %s", p.name, e.Text)
		}
		if e.Event != message.EventPumpLog || seen[e.Seq] {
			continue
		}
		seen[e.Seq] = true
		if index := fmt.Sprintf("%08X", next); e.PumpLog.RecordID[:len(index)] != index {
			r.t.Errorf("%s: log record %s came where record %s was due", p.name, e.PumpLog.RecordID, index)
		}
		next++
	}
	if head := status.Says.LogHead; next != head+1 {
		r.t.Errorf("%s: %d log records on the event topic, the pump's newest is %d, counted from 0", p.name, next, head)
	}
}
