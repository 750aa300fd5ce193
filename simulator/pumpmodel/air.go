package pumpmodel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// airRun holds the bubbles that come with the fluid.
type airRun struct {
	rng         *rand.Rand
	wait        float64 // expected bubbles until the next one comes
	newBagUntil time.Duration
	debtML      float64 // air that takes the place of fluid in the next strokes
	totalML     float64
	bubbles     int
	sum         []bubble // within the time of the sum
}

type bubble struct {
	at time.Duration
	ml float64
}

// displace returns what is left of a stroke beside the air in it.
func (a *airRun) displace(fluid float64) float64 {
	if a.debtML == 0 {
		return fluid
	}
	air := math.Min(a.debtML, fluid)
	a.debtML -= air
	return fluid - air
}

// bubble lets the bubbles of one step come: a Poisson process while the motor turns.
func (p *Pump) bubble(dtH float64) {
	rate := p.cfg.BubblesPerH
	if p.elapsed < p.air.newBagUntil {
		rate = p.cfg.NewBagBubblesH
	}
	for p.air.wait -= rate * dtH; p.air.wait <= 0; p.air.wait += p.air.rng.ExpFloat64() {
		p.pass(p.cfg.BubbleMedianUL / 1000 * math.Exp(p.cfg.BubbleSigma*p.air.rng.NormFloat64()))
	}
}

// Bubble lets a bubble of air, in microlitres, pass the pump now. A pump without a detector says nothing.
func (p *Pump) Bubble(microlitres float64) error {
	if !(microlitres > 0 && microlitres <= 10_000) {
		return fmt.Errorf("bubble of %v uL, known above 0 to 10000: %w", microlitres, ErrRange)
	}
	p.pass(microlitres / 1000)
	return nil
}

// pass counts ml of air, and alarms where there is a detector.
func (p *Pump) pass(ml float64) {
	p.air.bubbles++
	p.air.totalML += ml
	p.air.debtML += ml
	if !p.cfg.AirDetector || p.state == Off {
		return
	}
	keep := 0
	for keep < len(p.air.sum) && p.elapsed-p.air.sum[keep].at > p.cfg.AirSumTime {
		keep++
	}
	p.air.sum = append(p.air.sum[keep:], bubble{p.elapsed, ml})
	var sum float64
	for _, b := range p.air.sum {
		sum += b.ml
	}
	if 1000*ml >= p.cfg.BubbleLimitUL || 1000*sum > p.cfg.AirLimitUL {
		p.raise(AlarmAirInLine, Event{Kind: KindAir, A: ml, B: sum})
	}
}
