package pumpmodel

import (
	"math"
	"time"
)

// heatEvent is sun, a car, or frost.
type heatEvent struct {
	degreesC float64
	until    time.Duration
}

// temperatureTau is the time in which a pump follows its surroundings (domain facts 3.3).
const temperatureTau = 20 * time.Minute

// warm lets the pump's temperature follow room, pouch and events.
func (p *Pump) warm(dtH float64) {
	around := p.cfg.TemperatureC + p.cfg.PouchC
	if p.cfg.RoomSwingC != 0 {
		around += p.cfg.RoomSwingC * math.Sin(2*math.Pi*p.elapsed.Hours()/24)
	}
	if p.elapsed < p.heat.until {
		around += p.heat.degreesC
	}
	p.tempC += (around - p.tempC) * dtH / temperatureTau.Hours()
}
