package pumpmodel

import "time"

// holdTime is how long the pressure must be above the limit until the pump alarms.
const holdTime = 500 * time.Millisecond

// watch looks at the sensors once a step.
func (p *Pump) watch() {
	p.watchDownstream()
	p.watchUpstream()
	if p.up.air && p.up.airML >= p.cfg.AirBeforeStop && p.state.Moving() {
		p.raise(AlarmAirInLine, Event{Kind: KindAir})
	}
	if p.battery.charge <= 0 && p.elapsed-p.battery.emptyAt >= p.cfg.ReserveTime {
		p.state = Off // without a word: the reserve is empty too
	}
	if p.state == Paused && p.cfg.UnattendedTime > 0 && p.elapsed-p.pausedAt >= p.cfg.UnattendedTime {
		p.raise(AlarmUnattended, Event{Kind: KindUnattended})
	}
	if p.elapsed >= p.attendAt {
		p.attendAt = p.elapsed.Truncate(attendEvery) + attendEvery
		p.attend()
	}
}

// watchDownstream judges the pressure averaged over the hold time, in which the
// noise of single readings has gone; the sensor's offset stays.
func (p *Pump) watchDownstream() {
	mbar := p.line.mbar + p.offsetMbar
	if mbar >= p.cfg.LimitMbar {
		p.over += p.cfg.Step
		if p.over >= holdTime && p.state.Moving() {
			p.raise(AlarmOcclusionDownstream, Event{Kind: KindOcclusion, Code: 2})
			// The pump takes fluid back: the counter does not say so.
			p.line.mbar -= p.cfg.BackOff * (p.line.mbar - p.line.rest())
		}
		return
	}
	p.over = 0
	if p.active[AlarmOcclusionDownstream] && p.line.occlusion < 1 && mbar < p.cfg.LimitMbar/2 {
		p.clear(AlarmOcclusionDownstream, Event{Kind: KindOcclusionEnd})
	}
}

func (p *Pump) watchUpstream() {
	if !p.cfg.UpstreamSensor {
		return
	}
	if p.up.unfilled >= 3 && p.state.Moving() {
		p.raise(AlarmOcclusionUpstream, Event{Kind: KindOcclusion, Code: 1})
	}
	if p.active[AlarmOcclusionUpstream] && p.up.suction() < p.cfg.SuctionLimitMbar/2 {
		p.clear(AlarmOcclusionUpstream, Event{Kind: KindOcclusionEnd})
	}
}

// raise announces an alarm once and stops the motor if the alarm is of that kind.
func (p *Pump) raise(a Alarm, e Event) {
	if p.active[a] {
		return
	}
	p.active[a], p.silentUntil = true, 0 // a new alarm sounds
	p.record(e)
	if a.Stops() {
		p.state = AlarmStop
	}
}

// clear ends an alarm whose condition is gone. The pump stays stopped: it never starts by itself.
func (p *Pump) clear(a Alarm, e Event) {
	if !p.active[a] || p.injected[a] {
		return
	}
	delete(p.active, a)
	p.record(e)
	p.settle()
}

// settle leaves the alarm stop when no stopping alarm is left.
func (p *Pump) settle() {
	if p.state != AlarmStop || p.stopping() {
		return
	}
	p.state, p.pausedAt = Paused, p.elapsed
}

// stopping says whether an announced alarm forbids to run.
func (p *Pump) stopping() bool {
	for a := range p.active {
		if a.Stops() {
			return true
		}
	}
	return false
}
