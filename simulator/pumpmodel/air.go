package pumpmodel

import (
	"math"
	"math/rand/v2"
	"time"
)

// airWindow is the time over which small bubbles add up (domain facts 3.1).
const airWindow = 15 * time.Minute

// bubbles is the air that passes with the fluid.
type bubbles struct {
	rng      *rand.Rand
	drawn    bool
	next     float64       // hours in motion until the next bubble
	newBagAt time.Duration // the hour after it has more bubbles
	recentUL float64       // within the window
	recentAt time.Duration
}

func newBubbles(rng *rand.Rand) bubbles { return bubbles{rng: rng, newBagAt: -time.Hour} }

// watchAir lets bubbles come by chance while the motor turns.
func (p *Pump) watchAir() {
	a := &p.air
	if !p.cfg.AirDetector || !p.state.Moving() {
		return
	}
	perH := p.cfg.BubblesPerH
	if p.elapsed-a.newBagAt < time.Hour {
		perH = p.cfg.NewBagBubblesH
	}
	if perH <= 0 {
		return
	}
	if !a.drawn {
		a.next, a.drawn = a.rng.ExpFloat64(), true
	}
	a.next -= p.cfg.Step.Hours() * perH
	if a.next <= 0 {
		a.drawn = false
		p.bubble(p.cfg.BubbleMedianUL * math.Exp(p.cfg.BubbleSigma*a.rng.NormFloat64()))
	}
}

// bubble is one bubble at the detector.
func (p *Pump) bubble(microlitres float64) {
	if !p.cfg.AirDetector {
		return
	}
	a := &p.air
	if p.elapsed-a.recentAt > airWindow {
		a.recentUL = 0
	}
	a.recentUL += microlitres
	a.recentAt = p.elapsed
	if microlitres >= p.cfg.BubbleLimitUL || a.recentUL > p.cfg.AirLimitUL {
		p.raise(AlarmAirInLine, Event{Kind: KindAir})
	}
}

// watchWarnings raises and ends what announces an end.
func (p *Pump) watchWarnings() {
	c := &p.cfg
	if c.ReservoirLowML > 0 && p.counted {
		low := p.reservoirML() <= c.ReservoirLowML
		switch {
		case low && p.state.Moving() && !p.active[AlarmReservoirEmpty]:
			p.raise(AlarmReservoirLow, Event{Kind: KindReservoirLow})
		case !low && !p.injected[AlarmReservoirLow]:
			delete(p.active, AlarmReservoirLow)
		}
	}
	if c.NearEndTime > 0 && p.state == Running && p.program.Rate > 0 {
		left := time.Duration(float64(p.vtbiNL()-p.infusionNL) / 1e6 / p.program.Rate * float64(time.Hour))
		switch {
		case left <= c.NearEndTime:
			p.raise(AlarmNearEnd, Event{Kind: KindNearEnd})
		case !p.injected[AlarmNearEnd]:
			delete(p.active, AlarmNearEnd)
		}
	}
}
