package pumpmodel

import (
	"errors"
	"fmt"
	"time"
)

// Config holds the constants of one pump with its set, line, bag and battery.
// Start from Default and change fields.
type Config struct {
	Step time.Duration // length of one integration step, 50 ms to 1 s

	// Mechanism.
	StrokeML      float64 // volume of one commanded stroke
	CounterStepML float64 // resolution of the volume counter
	RolloverML    float64 // the counter goes back to zero here
	RateStep      float64 // mL/h, smallest step of the programmed rate
	MaxRate       float64 // mL/h
	KVORate       float64 // mL/h after the volume to be infused; the set rate if lower; 0 stops

	// Administration set: relative errors of the real stroke.
	SetSigma     float64       // standard deviation of the error of a set
	SetCut       float64       // largest error of a set
	Fatigue      float64       // loss of an old tube
	FatigueTau   time.Duration // time constant of that loss
	NoiseSigma   float64       // slow random error
	NoiseTau     time.Duration // its correlation time
	CamAmplitude float64       // periodic error
	CamStrokes   float64       // strokes of one period
	StartUpML    float64       // volume constant of the start after a set change

	// Downstream line.
	ComplianceMLPerBar float64
	CatheterResistance float64 // mbar·h/mL
	VenousMbar         float64 // pressure at the catheter's tip, height included
	LimitMbar          float64 // downstream occlusion alarm
	BackOff            float64 // share of the stored pressure that the pump takes back after the alarm
	SensorNoiseMbar    float64
	SensorOffsetMbar   float64 // the offset of a sensor is drawn within plus or minus this

	// Upstream line.
	UpstreamMLPerBar float64
	UpstreamSensor   bool    // false: the pump has no upstream alarm
	SuctionLimitMbar float64 // shown as threshold; half-filled strokes begin here

	// Bag.
	BagSigma      float64 // relative error of the filling
	OverfillML    float64
	DeadVolumeML  float64 // cannot be drawn out of the bag
	AirDetector   bool    // false: an empty bag collapses and ends in an upstream alarm, and nobody sees bubbles
	AirBeforeStop float64 // mL of strokes after the bag is empty until the detector sees air

	// Air in the line, seen by a pump with a detector.
	BubblesPerH    float64
	NewBagBubblesH float64 // the same in the hour after a bag change
	BubbleMedianUL float64
	BubbleSigma    float64 // of the logarithm
	BubbleLimitUL  float64 // one bubble as large as this is an alarm
	AirLimitUL     float64 // and so is as much within 15 minutes

	// Warnings that do not stop the motor.
	ReservoirLowML float64       // reservoir count; 0: the pump does not warn
	NearEndTime    time.Duration // left at the programmed rate; 0: the pump does not warn
	ReminderTime   time.Duration // stopped so long: reminder; 0 means never

	// Counter and clock.
	CounterSticks        bool // at RolloverML, instead of beginning anew
	CounterKeeps         bool // a new infusion does not set it to zero
	BatteryResetsCounter bool // a change of cells does
	BatteryResetsClock   bool // and sets the clock to its epoch

	// Rotary pumps press fluid out all the time, with a ripple, in place of strokes of half a second.
	Rotary bool

	// Battery: two AA cells unless changed.
	Mains          bool // it hangs on the mains at the beginning: the battery lasts
	BatteryMAH     float64
	IdleMA         float64
	MotorMAHPerML  float64
	TemperatureC   float64       // of the room, on average; below 10 °C in the pump the capacity is 70 %
	RoomSwingC     float64       // of the room, over a day
	PouchC         float64       // what wearing it adds
	ReserveTime    time.Duration // the pump alarms from a reserve so long after the battery is empty, then is silent
	StartupCharge  float64       // 0 to 1
	ClockDriftPPM  float64
	ClockStart     time.Duration // pump clock at the beginning, since its own epoch
	UnattendedTime time.Duration // paused so long: unattended alarm; 0 means never
	LogCapacity    int           // events kept
}

// Default returns the constants of the domain document, section 3.3.
func Default() Config {
	return Config{
		Step:     500 * time.Millisecond,
		StrokeML: 0.05, CounterStepML: 0.1, RolloverML: 9999.9, RateStep: 0.01, MaxRate: 125,
		SetSigma: 0.025, SetCut: 0.06, Fatigue: 0.02, FatigueTau: 12 * time.Hour,
		NoiseSigma: 0.015, NoiseTau: 10 * time.Minute, CamAmplitude: 0.08, CamStrokes: 12, StartUpML: 0.05,
		ComplianceMLPerBar: 0.3, CatheterResistance: 2, VenousMbar: 10, LimitMbar: 1241,
		SensorNoiseMbar: 5, SensorOffsetMbar: 30,
		UpstreamMLPerBar: 0.05, UpstreamSensor: true, SuctionLimitMbar: 250,
		BagSigma: 0.03, DeadVolumeML: 2, AirBeforeStop: 1,
		BubblesPerH: 0.01, NewBagBubblesH: 0.5, BubbleMedianUL: 40, BubbleSigma: 0.8, BubbleLimitUL: 150, AirLimitUL: 1000,
		BatteryMAH: 2500, IdleMA: 5, MotorMAHPerML: 1.5, TemperatureC: 22, RoomSwingC: 3, PouchC: 4, ReserveTime: 3 * time.Minute,
		StartupCharge: 1, ClockDriftPPM: 20, ClockStart: 74752 * time.Second, LogCapacity: 43264,
	}
}

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
	share("back-off", c.BackOff)
	share("start-up charge", c.StartupCharge)
	for name, v := range map[string]float64{"bubbles per hour": c.BubblesPerH, "bubbles per hour after a bag change": c.NewBagBubblesH, "reservoir low mL": c.ReservoirLowML} {
		if !(v >= 0) {
			errs = append(errs, fmt.Errorf("%s is %v: must not be negative", name, v))
		}
	}
	if c.AirDetector {
		positive("bubble median uL", c.BubbleMedianUL)
		positive("bubble limit uL", c.BubbleLimitUL)
		positive("air limit uL", c.AirLimitUL)
	}
	if !(c.KVORate >= 0) {
		errs = append(errs, fmt.Errorf("KVO rate is %v mL/h: must not be negative", c.KVORate))
	}
	if c.Step < 50*time.Millisecond || c.Step > time.Second {
		errs = append(errs, fmt.Errorf("step is %v: must be 50ms to 1s", c.Step))
	}
	return errors.Join(errs...)
}
