package pumpmodel

import "time"

// StepClock moves the pump's own clock by d, as a person, the change to summer time or a fault does.
func (p *Pump) StepClock(d time.Duration) {
	if d == 0 {
		return
	}
	p.clockSteps += d
	p.record(Event{Kind: KindClock, A: d.Seconds()})
}

// setClock sets the pump's own clock to a time since its epoch.
func (p *Pump) setClock(to time.Duration) { p.StepClock(to - p.Clock()) }
