package whole

import (
	"testing"
	"time"

	"infusiond/gateway/message"
)

// TestUnpluggedPumpIsUnknown takes the cable away for so long that data are delayed, and puts it back.
// Covers GW-02, GW-12, GW-13, GW-14, GW-28, GW-46, GW-47, GW-82.
func TestUnpluggedPumpIsUnknown(t *testing.T) {
	t.Parallel()
	r := newRig(t, plan{gateway: "unplug", pumps: []pump{blue(), red()}})
	w := r.watch()
	r.start()
	observation := r.topics.Observation("blue")
	_, at := await(w, 0, "a good reading", observation, isOK)

	r.do("blue", "unplug")
	pulled := time.Now()
	gone, at := await(w, at, "the gap", observation, func(o message.Observation) bool { return !isReading(o) })
	state, _ := await(w, at, "the link's end", r.topics.State("blue"), func(s message.State) bool { return s.Link.State == "absent" && s.UnknownReason != "" })
	r.lastKnown(w, state)
	_, at = await(w, at, "data_delayed", r.topics.Alert("blue"), delayed(message.Raised))
	retained(t, r.broker.URL, "data_delayed", r.topics.Alerts("blue"), func(a message.Alerts) bool {
		return len(a.Alerts) == 1 && a.Alerts[0].Code == message.CodeDataDelayed && a.PumpAlarmsKnown == message.No
	})
	retained(t, r.broker.URL, "the unknown state", r.topics.State("blue"), func(s message.State) bool {
		return s.UnknownReason != "" && s.Verdict.Verdict == message.VerdictUnknown && numberless(s.Reading)
	})

	plugged := time.Now()
	r.do("blue", "replug")
	back, at := await(w, at, "a good reading again", observation, isOK)
	await(w, 0, "the end of data_delayed", r.topics.Alert("blue"), delayed(message.Ended))
	await(w, at, "the pump's state", r.topics.State("blue"), func(s message.State) bool {
		return s.Link.State == "online" && s.Verdict.Verdict == message.VerdictOK && s.LastKnown != nil && s.LastKnown.Reading == nil
	})
	retained(t, r.broker.URL, "no alert", r.topics.Alerts("blue"), func(a message.Alerts) bool { return len(a.Alerts) == 0 })

	records(t, w.Messages())
	oneLife(t, w, r.topics.Alert("blue"), message.CodeDataDelayed)
	for _, o := range all[message.Observation](w, observation) {
		// The time of an observation is when its cycle began.
		if ts := o.TS.Time(); ts.After(pulled) && ts.Before(plugged) && (isReading(o) || !numberless(o.Reading) || o.Verdict.Verdict != message.VerdictUnknown) {
			t.Errorf("observation %d of %s, without a cable: %+v", o.Seq, ts, o)
		}
	}
	if outage := back.Seq - gone.Seq; outage < 10 { // one a second for more than 30 s, on a machine that may be slow
		t.Errorf("%d records from the time without a cable", outage)
	}
	for _, o := range all[message.Observation](w, r.topics.Observation("red")) {
		if !isReading(o) {
			t.Errorf("the other pump's observation %d: %s", o.Seq, o.UnknownReason)
		}
	}
}

func delayed(kind string) func(message.AlertTransition) bool {
	return func(a message.AlertTransition) bool {
		return a.Alert.Code == message.CodeDataDelayed && a.Alert.Origin == message.OriginGateway && a.Transition == kind
	}
}

// lastKnown demands of a state without a reading that its only numbers are the last reading's, with that
// one's own time.
func (r *rig) lastKnown(w *watcher, s message.State) {
	r.t.Helper()
	if !numberless(s.Reading) || s.Verdict.Verdict != message.VerdictUnknown || s.Link.Reason == "" {
		r.t.Errorf("state of a pump without a cable: %+v", s)
	}
	if s.UnknownReason != "port_absent" && s.UnknownReason != "port_lost" {
		r.t.Errorf("unknown because of %q", s.UnknownReason)
	}
	if s.LastKnown == nil || s.LastKnown.Reading == nil {
		r.t.Fatalf("the last reading is not told: %+v", s.LastKnown)
	}
	var last message.Observation
	for _, o := range all[message.Observation](w, r.topics.Observation(s.Pump)) {
		if isReading(o) && o.Seq < s.ObservationSeq {
			last = o
		}
	}
	old := s.LastKnown.Reading
	want := message.OldRead{
		TS: last.TS, DeliveryStatus: last.DeliveryStatus, ProgrammedRateMlPerH: last.ProgrammedRateMlPerH,
		PumpReportedRateMlPerH: last.PumpReportedRateMlPerH, VolumeInfusedMl: last.VolumeInfusedMl,
	}
	if *old != want || s.LastReading != last.TS || !old.TS.Time().Before(s.TS.Time()) {
		r.t.Errorf("last known reading %+v at %s, the last one was %+v", *old, s.LastReading, want)
	}
}
