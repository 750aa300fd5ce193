package bccfront

import (
	"fmt"
	"math"
	"strings"

	"infusiond/drivers/bcc/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

const noValue = "_NV"

// block collects the records of one block.
type block struct {
	f       *Front
	address string
	info    []byte
}

func (b *block) put(parameter, value string) {
	r := wire.Record{Time: b.f.seconds(), Address: []byte(b.address), Parameter: []byte(parameter), Value: []byte(value), HasValue: true}
	b.info = wire.AppendRecord(b.info, &r)
}

func (b *block) number(parameter string, v float64, decimals int) {
	b.put(parameter, fmt.Sprintf("%.*f", decimals, v))
}

// station is the block of the station itself.
func (f *Front) station() []byte {
	b := block{f: f, address: "50100"}
	b.put("FMNOR", "1")
	b.put("FMSTAT", "00051")
	b.put("COMSWVERSION", "V3.30")
	return b.info
}

// values is the block of one pump.
func (f *Front) values(p *pump) []byte {
	v := p.view()
	b := block{f: f, address: "501" + p.Address}
	b.put("GNMODEL", p.model)
	b.put("INSERNUM", p.Serial)
	b.put("DSSTATUS", "00051")
	b.number("INRT", v.Program.Rate, 2)
	b.number("INVI", math.Min(9999.9, v.InfusedML), 1)
	b.number("INVTB", v.Program.VTBIML, 1)
	b.number("VOLREMAIN", math.Max(0, v.Program.VTBIML-v.InfusedML), 1)
	seconds := 65535.0
	if v.Rate > 0 {
		seconds = math.Min(seconds, math.Max(0, v.Program.VTBIML-v.InfusedML)/v.Rate*3600)
	}
	b.number("INRMT", math.Floor(seconds), 0)
	b.number("INAKKU", math.Min(1440, math.Floor(v.BatteryCharge*batteryMinutes)), 0)
	b.number("INP2", math.Max(0, math.Round(100*v.DownstreamMbar/v.LimitMbar)), 0)
	b.put("OPMODE", "0")
	if syringe(p.model) {
		b.put("INSYR", "50.0")
	} else {
		b.put("INSYR", noValue)
	}
	if p.Drug != "" {
		b.put("INSOL", p.Drug)
	} else {
		b.put("INSOL", noValue)
	}
	b.put("RUNSTATE", fmt.Sprint(runState(&v)))
	if f.o.Words {
		b.words(&v)
		return b.info
	}
	b.flags(&v, syringe(p.model))
	return b.info
}

// batteryMinutes is how long a full battery of an Infusomat Space P lasts (domain facts 3.1).
const batteryMinutes = 240

func syringe(model string) bool {
	return strings.HasPrefix(model, "688") || strings.HasPrefix(model, "588")
}

// runState sets the bits of RUNSTATE: 0 stop, 1 run, 2 alarm, 3 KVO, 5 pre-alarm.
func runState(v *pumpmodel.View) int {
	bits := 1
	if v.State.Moving() {
		bits = 2
	}
	if v.State == pumpmodel.KVO {
		bits |= 8
	}
	for _, a := range v.Alarms {
		s, known := signals[a]
		if known && s.pre {
			bits |= 32
		} else if known {
			bits |= 4
		}
	}
	return bits
}

// signal is how the device tells an alarm: the number of its flag, and the word and bit.
type signal struct {
	flag, bit int
	word      string
	pre       bool // a pre-alarm: the infusion goes on
}

var signals = map[pumpmodel.Alarm]signal{
	pumpmodel.AlarmBatteryDepleted:     {flag: 1, word: "ALARM1", bit: 2},
	pumpmodel.AlarmReservoirEmpty:      {flag: 7, word: "ALARM1", bit: 13},
	pumpmodel.AlarmComplete:            {flag: 7, word: "ALARM1", bit: 13},
	pumpmodel.AlarmOcclusionDownstream: {flag: 3, word: "ALARM1", bit: 10},
	pumpmodel.AlarmOcclusionUpstream:   {flag: 0, word: "ALARM1", bit: 20},
	pumpmodel.AlarmAirInLine:           {flag: 15, word: "ALARM1", bit: 29},
	pumpmodel.AlarmNoDisposable:        {flag: 13, word: "ALARM2", bit: 30},
	pumpmodel.AlarmPumpFault:           {flag: 0, word: "ALARM1", bit: 16},
	pumpmodel.AlarmUnattended:          {flag: 5, word: "ALARM1", bit: 12},
	pumpmodel.AlarmBatteryLow:          {flag: 11, word: "PREALARM", bit: 4, pre: true},
	pumpmodel.AlarmNearEnd:             {flag: 0, word: "PREALARM", bit: 2, pre: true},
	pumpmodel.AlarmDoorOpen:            {flag: 13, word: "ALARM2", bit: 30},
	pumpmodel.AlarmLimitReached:        {flag: 0, word: "ALARM2", bit: 2},
}

// flags tells alarms and states one by one. An alarm without a flag shows in RUNSTATE alone.
func (b *block) flags(v *pumpmodel.View, syringe bool) {
	set := map[int]bool{}
	for _, a := range v.Alarms {
		if s := signals[a]; s.flag > 0 {
			set[s.flag] = true
		}
	}
	for n := 1; n <= 16; n++ {
		value := "0"
		if set[n] {
			value = "1"
		}
		if !syringe && (n == 2 || n == 9 || n == 12) || n == 10 {
			value = noValue
		}
		b.put(fmt.Sprintf("INA%d", n), value)
	}
	yes := map[bool]string{false: "0", true: "1"}
	b.put("INM1", yes[!v.State.Moving()])
	b.put("INM2", yes[v.State == pumpmodel.Bolus])
	b.put("INM3", yes[v.State.Moving()])
	b.put("INM6", "0")
	b.put("INM8", yes[v.Mains])
	b.put("INM10", yes[v.State == pumpmodel.KVO])
	b.put("INM14", "0")
}

// words tells the same as 32-bit words.
func (b *block) words(v *pumpmodel.View) {
	bits := map[string]uint32{}
	for _, a := range v.Alarms {
		if s, known := signals[a]; known {
			bits[s.word] |= 1 << s.bit
		}
	}
	if v.State == pumpmodel.KVO {
		bits["PREALARM"] |= 1 << 5
	}
	status := uint32(1)
	if v.Mains {
		status |= 1 << 1
	}
	if v.State.Moving() {
		status |= 1<<7 | 1<<8
	}
	if v.State == pumpmodel.KVO {
		status |= 1 << 13
	}
	if v.State == pumpmodel.Bolus {
		status |= 1 << 11
	}
	for _, name := range []string{"ALARM1", "ALARM2", "PREALARM"} {
		b.put(name, fmt.Sprintf("0x%08Xh", bits[name]))
	}
	b.put("STATUS1", fmt.Sprintf("0x%08Xh", status))
}

// Physics returns the limits and resolutions of an Infusomat Space P: 0.1 to 1200 mL/h in steps of 0.01, a counter of 0.1 mL.
func Physics() pumpmodel.Config {
	c := pumpmodel.Default()
	c.StrokeML, c.CounterStepML, c.RateStep, c.MaxRate = 0.02, 0.1, 0.01, 1200
	c.AirDetector, c.Mains = true, true                      // a station hangs on the mains
	c.BatteryMAH, c.IdleMA, c.MotorMAHPerML = 1000, 240, 0.1 // about four hours
	return c
}

// Describe declares what such a station is like.
func Describe() front.Info {
	return front.Info{
		Protocol: "bcc", Models: "B. Braun Infusomat Space, Perfusor Space behind a SpaceCom", Baud: Baud, Gap: Gap, Serial: "SIM00001",
		Addresses: "pillar 1 to 3 and slot 1 to 9 or A to O, like 11 or 2A",
		Announces: func(a pumpmodel.Alarm) bool { _, has := signals[a]; return has },
		Physics:   Physics,
		CannotSay: []string{
			"a log of events with their times", "line pressure in mbar: percent of its own limit", "upstream occlusion, a fault or a limit as flags: with alarms=words only",
			"battery voltage: minutes that are left", "a bag's count",
		},
	}
}
