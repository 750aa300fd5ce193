package pumpmodel

import "time"

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
	KVO           KVOKind // another rule for that rate
	Rotary        bool    // its flow is R·(1+0.3·sin 2πφ) in place of strokes emptied over half a second
	RunsOnEmpty   bool    // the motor goes on when the reservoir count is zero
	CounterSticks bool    // the volume counter stays at its greatest value instead of going back to zero
	CounterKeeps  bool    // a bag change or a new infusion leaves the volume counter as it is

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
	VenousMbar         float64 // pressure in the vein
	HeightCM           float64 // of the catheter's tip above the pump
	MbarPerCM          float64
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
	AirDetector   bool    // false: an empty bag collapses and ends in an upstream alarm
	AirBeforeStop float64 // mL of strokes after the bag is empty until the detector sees air

	// Air in the line: bubbles come at random, seen by a pump with a detector.
	BubblesPerH    float64
	NewBagBubblesH float64 // for AirNewBagTime after a bag change
	AirNewBagTime  time.Duration
	BubbleMedianUL float64
	BubbleSigma    float64 // of the logarithm of the size
	BubbleLimitUL  float64 // a single bubble of this size alarms
	AirLimitUL     float64 // more than this within AirSumTime alarms
	AirSumTime     time.Duration

	// Battery: two AA cells unless changed.
	Mains          bool // it hangs on the mains at the beginning: the battery lasts
	BatteryMAH     float64
	IdleMA         float64
	MotorMAHPerML  float64
	TemperatureC   float64       // mean of the room; below 10 °C at the pump the capacity is 70 %
	RoomSwingC     float64       // the room is so much warmer or colder in the course of a day
	PouchC         float64       // a pump that is worn is so much warmer
	TemperatureTau time.Duration // the pump follows with this time constant
	ReserveTime    time.Duration // the pump alarms from a reserve so long after the battery is empty, then is silent
	StartupCharge  float64       // 0 to 1
	ClockDriftPPM  float64
	ClockStart     time.Duration // pump clock at the beginning, since its own epoch
	UnattendedTime time.Duration // paused so long: unattended alarm; 0 means never
	LogCapacity    int           // events kept

	// Change of the battery.
	BatteryResetsCounter bool          // the volume counter begins at zero
	BatteryResetsClock   bool          // the clock begins at ClockResetTo
	ClockResetTo         time.Duration // since the pump's epoch; 2000-01-01 where that is the epoch

	// Attention. 0 means that the pump has no such alarm.
	ReservoirLowML float64       // count, 1 to 50
	NearEndTime    time.Duration // so long until the volume to be infused is done
	ReminderTime   time.Duration // stood still so long
	DetachTime     time.Duration // a set that was taken off a standing pump alarms so late
	SilenceTime    time.Duration // sound is off so long; what was acknowledged and persists is announced again after it
}

// Default returns the constants of the domain document, section 3.3.
func Default() Config {
	return Config{
		Step:     500 * time.Millisecond,
		StrokeML: 0.05, CounterStepML: 0.1, RolloverML: 9999.9, RateStep: 0.01, MaxRate: 125,
		SetSigma: 0.025, SetCut: 0.06, Fatigue: 0.02, FatigueTau: 12 * time.Hour,
		NoiseSigma: 0.015, NoiseTau: 10 * time.Minute, CamAmplitude: 0.08, CamStrokes: 12, StartUpML: 0.05,
		ComplianceMLPerBar: 0.3, CatheterResistance: 2, VenousMbar: 10, MbarPerCM: 1, LimitMbar: 1241,
		SensorNoiseMbar: 5, SensorOffsetMbar: 30,
		UpstreamMLPerBar: 0.05, UpstreamSensor: true, SuctionLimitMbar: 250,
		BagSigma: 0.03, DeadVolumeML: 2, AirBeforeStop: 1,
		BubblesPerH: 0.01, NewBagBubblesH: 0.5, AirNewBagTime: time.Hour, BubbleMedianUL: 40, BubbleSigma: 0.8,
		BubbleLimitUL: 150, AirLimitUL: 1000, AirSumTime: 15 * time.Minute,
		BatteryMAH: 2500, IdleMA: 5, MotorMAHPerML: 1.5, TemperatureC: 22, RoomSwingC: 3, PouchC: 4, TemperatureTau: 20 * time.Minute, ReserveTime: 3 * time.Minute,
		StartupCharge: 1, ClockDriftPPM: 20, ClockStart: 74752 * time.Second, LogCapacity: 43264,
		ReservoirLowML: 5, NearEndTime: 30 * time.Minute, ReminderTime: time.Minute, DetachTime: 2 * time.Minute, SilenceTime: 2 * time.Minute,
	}
}

// KVOKind is a rule for the rate at which the vein is kept open.
type KVOKind uint8

// The rules.
const (
	KVOFixed   KVOKind = iota // Config.KVORate, the set rate if lower
	KVOSetRate                // the set rate goes on
	KVOByRate                 // 3 mL/h from 10 mL/h on, 1 mL/h from 1 mL/h on, below that the set rate
)
