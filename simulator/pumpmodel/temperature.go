package pumpmodel

import (
	"fmt"
	"math"
	"time"
)

// warmEvery is how often the temperature is worked out: it changes slowly.
const warmEvery = 10 * time.Second

// warm lets the pump follow its surroundings: dT/dt = (T_env + 4 (worn pouch) - T)/20 min.
func (p *Pump) warm() {
	p.warmAt = p.elapsed + warmEvery
	day := math.Sin(2 * math.Pi * p.elapsed.Hours() / 24)
	surroundings := p.cfg.TemperatureC + p.cfg.RoomSwingC*day + p.cfg.PouchC
	if p.elapsed < p.heatUntil {
		surroundings += p.heatC
	}
	p.celsius += (surroundings - p.celsius) * -math.Expm1(-float64(warmEvery)/float64(p.cfg.TemperatureTau))
}

// Heat makes the pump's surroundings warmer by degrees for a time, as the sun or a parked car does; below zero it cools.
func (p *Pump) Heat(degreesC float64, d time.Duration) error {
	if !(degreesC >= -60 && degreesC <= 60) || d < 0 {
		return fmt.Errorf("%v degrees for %v, known -60 to 60: %w", degreesC, d, ErrRange)
	}
	p.heatC, p.heatUntil = degreesC, p.elapsed+d
	return nil
}
