package pumpmodel

import (
	"fmt"
	"math"
)

// ripple is the share by which the flow of a rotary pump swings within one stroke.
const ripple = 0.3

// inflow returns what enters the line in one step.
func (p *Pump) inflow(dtH float64) float64 {
	if p.pendingML == 0 {
		return 0
	}
	q := p.emptyMLPerH
	if p.cfg.Rotary {
		if !p.state.Moving() || p.hung != nil {
			return 0
		}
		q *= 1 + ripple*math.Sin(2*math.Pi*p.phase)
	}
	in := math.Min(p.pendingML, q*dtH)
	p.pendingML -= in
	return in
}

// kvoRate is the rate at which this pump keeps the vein open; 0 when it stops.
func (p *Pump) kvoRate() float64 {
	rate := p.program.Rate
	switch p.cfg.KVO {
	case KVOSetRate:
		return rate
	case KVOByRate:
		switch {
		case rate >= 10:
			return 3
		case rate >= 1:
			return 1
		}
		return rate
	case KVOFixed:
	}
	return math.Min(p.cfg.KVORate, rate)
}

// SetHeight puts the pump so many centimetres below the catheter's tip; above it is negative.
func (p *Pump) SetHeight(cm float64) error {
	if !(cm >= -200 && cm <= 200) {
		return fmt.Errorf("height %v cm, known -200 to 200: %w", cm, ErrRange)
	}
	p.raiseTo(cm)
	return nil
}

func (p *Pump) raiseTo(cm float64) { p.heightCM, p.line.site = cm, cm*p.cfg.MbarPerCM }
