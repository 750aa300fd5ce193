package pumpmodel

import (
	"math"
	"time"
)

// View is what the pump itself knows and could say.
type View struct {
	State          State
	Program        Program
	Rate           float64 // mL/h that the motor is told now; 0 when it does not turn
	InfusedML      float64 // counter of this infusion, at its resolution
	TotalML        float64 // ever commanded
	ReservoirML    float64 // count; meaningful when Reservoir
	Reservoir      bool
	InfusionTime   time.Duration // in motion, this infusion
	PoweredTime    time.Duration
	Strokes        int64 // ever
	BolusRate      float64
	BolusVTBI      float64
	BolusInfused   float64
	BatteryVolts   float64
	BatteryCharge  float64
	DownstreamMbar float64 // as sensed, with offset and noise
	SuctionMbar    float64
	LimitMbar      float64
	SuctionLimit   float64
	Clock          time.Duration
	Alarms         []Alarm // announced, most urgent first

	Loading         bool // the bolus is a loading dose
	Sounding        bool // at least one alarm can be heard
	BatteryCritical bool // at or below 10 %
	TemperatureC    float64
	Mains           bool // it hangs on the mains
}

// View returns what the pump knows now.
func (p *Pump) View() View {
	if p.hung == nil {
		return p.know()
	}
	v := *p.hung // a program that hangs says what it last knew
	v.Alarms = append([]Alarm(nil), v.Alarms...)
	return v
}

func (p *Pump) know() View {
	v := View{
		State: p.state, Program: p.program, Rate: p.rate(), TotalML: float64(p.totalNL) / 1e6, Strokes: p.totalNL / p.strokeNL,
		Reservoir: p.counted, ReservoirML: math.Max(0, p.reservoirML()), InfusionTime: p.moved, PoweredTime: p.powered,
		BolusRate: p.bolus.rate, BolusVTBI: float64(p.bolus.volumeNL) / 1e6, BolusInfused: float64(p.bolus.doneNL) / 1e6,
		BatteryVolts: p.battery.volts(), BatteryCharge: p.battery.charge,
		DownstreamMbar: p.sensedMbar, SuctionMbar: p.up.suction(), LimitMbar: p.cfg.LimitMbar, SuctionLimit: p.cfg.SuctionLimitMbar,
		Clock: p.Clock(), Loading: p.state == Bolus && p.bolus.load, Sounding: len(p.active) > 0 && p.elapsed >= p.silentUntil,
		BatteryCritical: p.battery.charge <= 0.1, TemperatureC: p.celsius, Mains: p.mains, InfusedML: p.counterML(),
	}
	if len(p.active) == 0 {
		return v
	}
	for _, a := range Alarms() {
		if p.active[a] {
			v.Alarms = append(v.Alarms, a)
		}
	}
	return v
}

// Truth is what really happens, which no pump says.
type Truth struct {
	PatientRate   float64 // mL/h into the patient in the last step
	PatientML     float64 // since the beginning
	LostML        float64 // out of an open line
	CommandedML   float64 // since the beginning
	LineMbar      float64
	SuctionMbar   float64
	BagML         float64 // truly in the bag
	StoredML      float64 // in the stretched line: goes to the patient at once when the line is released
	Occlusion     float64 // 0 to 1
	Upstream      bool    // closed
	Disconnected  bool
	SetShare      float64 // 1 unless the set is blocked
	MotorFactor   float64
	SetError      float64 // of this set, relative
	BatteryCharge float64
	AirML         float64 // of bubbles that passed the pump
	Bubbles       int
	TemperatureC  float64
	HeightCM      float64
	Hung          bool // the program hangs: the motor stands, the pump says what it last knew
	Door          bool // open
	Detached      bool // the set is off
}

// Truth returns what really happens now.
func (p *Pump) Truth() Truth {
	return Truth{
		PatientRate: p.line.patientRate, PatientML: p.line.patientML, LostML: p.line.lostML, CommandedML: float64(p.totalNL) / 1e6,
		LineMbar: p.line.mbar, SuctionMbar: p.up.suction(), BagML: p.up.bagML,
		StoredML:  math.Max(0, (p.line.mbar-p.line.rest())*p.line.complianceMLPerMbar),
		Occlusion: p.line.occlusion, Upstream: p.up.occluded, Disconnected: p.line.open,
		SetShare: p.setFactor, MotorFactor: p.motorFactor, SetError: p.set.fixed, BatteryCharge: p.battery.charge,
		AirML: p.air.totalML, Bubbles: p.air.bubbles, TemperatureC: p.celsius, HeightCM: p.heightCM, Hung: p.hung != nil,
		Door: p.door, Detached: p.detached,
	}
}
