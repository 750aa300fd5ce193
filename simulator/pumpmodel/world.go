package pumpmodel

import (
	"fmt"
	"math"
	"time"
)

// OccludeDownstream closes the line towards the patient: 0 is open, 1 is closed.
func (p *Pump) OccludeDownstream(closed float64) error {
	if !(closed >= 0 && closed <= 1) {
		return fmt.Errorf("occlusion %v, known 0 to 1: %w", closed, ErrRange)
	}
	p.line.occlusion = closed
	return nil
}

// Pressurise lets the pump see a closed line that was closed some time ago: the
// pressure is set so that the pump alarms about in from now, and the phase of the
// motor, by at most one stroke, so that a stroke falls on that time.
func (p *Pump) Pressurise(in time.Duration) error {
	if p.state != Running {
		return ErrNotRunning
	}
	p.line.occlusion, p.line.open = 1, false
	strokes := p.program.Rate * p.motorFactor * in.Hours() * 1e6 / float64(p.strokeNL)
	n := math.Max(1, math.Ceil(strokes))
	p.phase = math.Max(0, n-strokes)
	ml, last := p.set.expect(&p.cfg, p.elapsed, p.cfg.StrokeML, int(n))
	rise := (p.pendingML + ml - last/2) / p.line.complianceMLPerMbar
	p.line.mbar = p.cfg.LimitMbar - p.offsetMbar - rise
	return nil
}

// OccludeUpstream closes or opens the line from the bag.
func (p *Pump) OccludeUpstream(closed bool) {
	p.up.occluded = closed
	if !closed {
		p.up.missingML = 0
	}
}

// Disconnect opens the line at the patient's side, or joins it again: no alarm, the counter goes on.
func (p *Pump) Disconnect(open bool) { p.line.open = open }

// Block lets only the share flow, 0 to 1, of every stroke pass the set, without pressure or alarm.
func (p *Pump) Block(share float64) error {
	if !(share >= 0 && share <= 1) {
		return fmt.Errorf("share %v, known 0 to 1: %w", share, ErrRange)
	}
	p.setFactor = share
	return nil
}

// SlowMotor makes the motor command only this share of its strokes while the pump
// goes on reporting its rate; above 1 it commands too many.
func (p *Pump) SlowMotor(factor float64) error {
	if !(factor >= 0 && factor <= 100) {
		return fmt.Errorf("motor factor %v, known 0 to 100: %w", factor, ErrRange)
	}
	p.motorFactor = factor
	return nil
}

// Release undoes occlusion, disconnection, blocked set and slow motor.
func (p *Pump) Release() {
	p.line.occlusion, p.line.open = 0, false
	p.OccludeUpstream(false)
	p.setFactor, p.motorFactor = 1, 1
}
