package miva

import (
	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// maxActive bounds the set of active alarms against a log that never ends one.
const maxActive = 64

// derived is what the event log says of alarms and of why the pump stands
// still. Records go in oldest first.
type derived struct {
	active []logged // one per raw code, by onset
	last   effect   // the last record that says why it runs or not
	known  bool     // a record was seen that settles whether an alarm is active
}

// apply takes the next event.
func (d *derived) apply(l logged) {
	e := l.record.Event()
	r := lookup(e)
	switch r.effect {
	case effectNone:
		return
	case effectRun, effectPause, effectOff, effectOn:
		d.active, d.last = nil, r.effect
	case effectCleared:
		d.clear(e.Type)
		return // does not settle whether another alarm is active
	case effectAlarm, effectStop, effectComplete:
		d.raise(l, r)
	}
	d.known = true
}

func (d *derived) raise(l logged, r row) {
	if r.effect != effectAlarm {
		d.last = r.effect
	}
	code := rawCode(l.record.Event(), r)
	for _, a := range d.active {
		e := a.record.Event()
		if rawCode(e, lookup(e)) == code {
			return // still the same alarm: its onset stands
		}
	}
	if len(d.active) < maxActive {
		d.active = append(d.active, l)
	}
}

// clear ends the alarms of one type.
func (d *derived) clear(kind wire.EventType) {
	var left []logged
	stopped := false
	for _, a := range d.active {
		e := a.record.Event()
		if e.Type == kind {
			continue
		}
		left = append(left, a)
		stopped = stopped || lookup(e).effect == effectStop
	}
	d.active = left
	if d.last == effectStop && !stopped {
		d.last = effectNone
	}
}

// stopped says why a pump that does not run stands still.
func (d *derived) stopped() drivers.RunState {
	switch d.last {
	case effectPause:
		return drivers.RunPaused
	case effectOff:
		return drivers.RunPoweredOff
	case effectStop:
		return drivers.RunStoppedByAlarm
	case effectComplete:
		return drivers.RunComplete
	case effectNone, effectRun, effectOn, effectCleared, effectAlarm:
	}
	return drivers.RunStopped
}

// alarms lists the active alarms, each marked as derived.
func (s *session) alarms(age clockAge) []drivers.Alarm {
	var list []drivers.Alarm
	for _, l := range s.log.derived.active {
		e := l.record.Event()
		r := lookup(e)
		list = append(list, drivers.Alarm{
			Code: r.alarm, RawCode: rawCode(e, r), Text: describe(e, r), Derived: true,
			PumpTime: s.pumpTime(e), AgeS: age.of(e),
		})
	}
	return list
}
