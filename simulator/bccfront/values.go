package bccfront

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"infusiond/drivers/bcc/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

const noValue = "_NV"

// block collects the records of one block.
type block struct {
	head []byte // time and address of all of them
	info []byte
}

func (f *Front) block(address string) *block {
	head := strconv.AppendUint(make([]byte, 0, 24), f.seconds(), 10)
	head = append(append(append(head, ",501"...), address...), ',')
	return &block{head: head, info: make([]byte, 0, 1024)}
}

// open begins a record, behind RS unless it is the first.
func (b *block) open(parameter string) {
	if len(b.info) > 0 {
		b.info = append(b.info, wire.RS)
	}
	b.info = append(append(append(b.info, b.head...), parameter...), ',')
}

func (b *block) put(parameter, value string) {
	b.open(parameter)
	b.info = append(b.info, value...)
}

func (b *block) number(parameter string, v float64, decimals int) {
	b.open(parameter)
	b.info = strconv.AppendFloat(b.info, v, 'f', decimals, 64)
}

func (b *block) flag(parameter string, on bool) {
	if on {
		b.put(parameter, "1")
		return
	}
	b.put(parameter, "0")
}

// station is the block of the station itself.
func (f *Front) station() []byte {
	b := f.block("00")
	b.put("FMNOR", "1")
	b.put("FMSTAT", "00051")
	b.put("COMSWVERSION", "V3.30")
	return b.info
}

// values is the block of one pump.
func (f *Front) values(p *pump) []byte {
	v := p.view()
	b := f.block(p.Address)
	software := "GNMODEL"
	if !p.seen { // the first time that the device tells of a pump (section 5.2)
		software, p.seen = "GNNEW", true
	}
	b.put(software, p.model)
	b.put("INSERNUM", p.Serial)
	b.put("DSSTATUS", "00051")
	b.number("INRT", v.Program.Rate, 2)
	b.put("INAVRT", p.mean())
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
	if p.syringe() {
		b.put("INSYR", "50.0")
	} else {
		b.put("INSYR", noValue)
	}
	if p.Drug != "" {
		b.put("INSOL", p.Drug)
	} else {
		b.put("INSOL", noValue)
	}
	if v.State == pumpmodel.Bolus {
		b.number("INBORT", v.BolusRate, 2)
		b.number("INBOVAL", v.BolusVTBI, 1)
	} else {
		b.put("INBORT", noValue)
		b.put("INBOVAL", noValue)
	}
	b.number("RUNSTATE", float64(p.runState(&v)), 0)
	if f.o.Words {
		b.words(p, &v)
		return b.info
	}
	b.flags(p, &v)
	return b.info
}

// mean is the mean rate since the device was last asked, which begins it anew.
func (p *pump) mean() string {
	if p.frozen != nil && p.meanRate != "" {
		return p.meanRate
	}
	ml, at := p.Pump.View().TotalML, p.Pump.Elapsed()
	p.meanRate = noValue
	if hours := (at - p.askedAt).Hours(); p.asked && hours > 0 {
		p.meanRate = strconv.FormatFloat(math.Max(0, ml-p.askedML)/hours, 'f', 2, 64)
	}
	p.asked, p.askedML, p.askedAt = true, ml, at
	return p.meanRate
}

// batteryMinutes is how long a full battery of an Infusomat Space P lasts (domain facts 3.1).
const batteryMinutes = 240

// syringe says whether a pump is a Perfusor.
func (p *pump) syringe() bool {
	return strings.HasPrefix(p.model, "688") || strings.HasPrefix(p.model, "588") || strings.HasPrefix(p.model, "I0002")
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

// syringeSignals are those that a Perfusor tells in another way.
var syringeSignals = map[pumpmodel.Alarm]signal{
	pumpmodel.AlarmReservoirEmpty: {flag: 2, word: "ALARM1", bit: 9},
	pumpmodel.AlarmReservoirLow:   {flag: 12, word: "PREALARM", bit: 2, pre: true},
	pumpmodel.AlarmNoDisposable:   {flag: 9, word: "ALARM1", bit: 18},
	pumpmodel.AlarmDoorOpen:       {flag: 9, word: "ALARM1", bit: 17},
}

func (p *pump) signal(a pumpmodel.Alarm) (signal, bool) {
	if p.syringe() {
		if s, other := syringeSignals[a]; other {
			return s, true
		}
	}
	s, known := signals[a]
	return s, known
}

// runState sets the bits of RUNSTATE: 0 stop, 1 run, 2 alarm, 3 KVO, 5 pre-alarm.
func (p *pump) runState(v *pumpmodel.View) int {
	bits := 1
	if v.State.Moving() {
		bits = 2
	}
	if v.State == pumpmodel.KVO {
		bits |= 8
	}
	for _, a := range v.Alarms {
		s, known := p.signal(a)
		if known && s.pre {
			bits |= 32
		} else if known {
			bits |= 4
		}
	}
	return bits
}

// flagNames are the names of the flags by number.
var flagNames = [...]string{
	1: "INA1", "INA2", "INA3", "INA4", "INA5", "INA6", "INA7", "INA8", "INA9", "INA10", "INA11", "INA12", "INA13", "INA14", "INA15", "INA16",
}

// Flags that an Infusomat and a Perfusor do not have; INA10 is unused.
var (
	noFlagsOfVolume  = [...]int{2, 9, 10, 12}
	noFlagsOfSyringe = [...]int{10, 13, 14, 15}
)

// flags tells alarms and states one by one. An alarm without a flag shows in RUNSTATE alone.
func (b *block) flags(p *pump, v *pumpmodel.View) {
	var value [len(flagNames)]string
	for n := range value {
		value[n] = "0"
	}
	none := noFlagsOfVolume
	if p.syringe() {
		none = noFlagsOfSyringe
	}
	for _, n := range none {
		value[n] = noValue
	}
	for _, a := range v.Alarms {
		if s, _ := p.signal(a); s.flag > 0 {
			value[s.flag] = "1"
		}
	}
	for n, name := range flagNames {
		if n > 0 {
			b.put(name, value[n])
		}
	}
	b.flag("INM1", !v.State.Moving())
	b.flag("INM2", v.State == pumpmodel.Bolus)
	b.flag("INM3", v.State.Moving())
	b.flag("INM6", false)
	b.flag("INM8", v.Mains)
	b.flag("INM10", v.State == pumpmodel.KVO)
	b.flag("INM14", false)
}

// words tells the same as 32-bit words.
func (b *block) words(p *pump, v *pumpmodel.View) {
	bits := map[string]uint32{}
	for _, a := range v.Alarms {
		if s, known := p.signal(a); known {
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
	for _, name := range [...]string{"ALARM1", "ALARM2", "PREALARM"} {
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
