package pumpmodel

import (
	"errors"
	"fmt"
	"time"
)

// Validate reports every constant that no pump can have.
func (c Config) Validate() error {
	var errs []error
	positive := func(name string, v float64) {
		if !(v > 0) {
			errs = append(errs, fmt.Errorf("%s is %v: must be above 0", name, v))
		}
	}
	share := func(name string, v float64) {
		if !(v >= 0 && v <= 1) {
			errs = append(errs, fmt.Errorf("%s is %v: must be 0 to 1", name, v))
		}
	}
	positive("stroke mL", c.StrokeML)
	positive("counter step mL", c.CounterStepML)
	positive("rollover mL", c.RolloverML)
	positive("rate step mL/h", c.RateStep)
	positive("max rate mL/h", c.MaxRate)
	positive("noise time", c.NoiseTau.Seconds())
	positive("fatigue time", c.FatigueTau.Seconds())
	positive("cam strokes", c.CamStrokes)
	positive("compliance mL/bar", c.ComplianceMLPerBar)
	positive("catheter resistance mbar·h/mL", c.CatheterResistance)
	positive("upstream compliance mL/bar", c.UpstreamMLPerBar)
	positive("alarm limit mbar", c.LimitMbar)
	positive("battery mAh", c.BatteryMAH)
	positive("log capacity", float64(c.LogCapacity))
	positive("bubble median uL", c.BubbleMedianUL)
	positive("temperature time", c.TemperatureTau.Seconds())
	share("back-off", c.BackOff)
	share("start-up charge", c.StartupCharge)
	if !(c.KVORate >= 0) {
		errs = append(errs, fmt.Errorf("KVO rate is %v mL/h: must not be negative", c.KVORate))
	}
	if c.Step < 50*time.Millisecond || c.Step > time.Second {
		errs = append(errs, fmt.Errorf("step is %v: must be 50ms to 1s", c.Step))
	}
	if c.KVO > KVOByRate {
		errs = append(errs, fmt.Errorf("KVO rule is %d: known 0 to %d", c.KVO, KVOByRate))
	}
	if !(c.BubblesPerH >= 0 && c.NewBagBubblesH >= 0) {
		errs = append(errs, fmt.Errorf("air is %v and %v bubbles an hour: must not be negative", c.BubblesPerH, c.NewBagBubblesH))
	}
	if c.ReservoirLowML != 0 && !(c.ReservoirLowML >= 1 && c.ReservoirLowML <= 50) {
		errs = append(errs, fmt.Errorf("reservoir low is %v mL: must be 1 to 50, or 0 for no such alarm", c.ReservoirLowML))
	}
	return errors.Join(errs...)
}
