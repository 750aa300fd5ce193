package mivafront

import (
	"strings"
	"time"

	"infusiond/drivers/miva/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// pageRecords is the number of records of one flash page; pages are stored when written.
const pageRecords = 256

// ring is the event log in flash.
type ring struct {
	pages [wire.RingSize / pageRecords]*[pageRecords]wire.Record
	next  uint32 // index of the next record
	held  uint32
}

func blank() wire.Record {
	var r wire.Record
	for i := range r {
		r[i] = 0xFF
	}
	return r
}

func (l *ring) add(r wire.Record) {
	page := &l.pages[l.next/pageRecords]
	if *page == nil {
		*page = new([pageRecords]wire.Record)
		for i := range *page {
			(*page)[i] = blank()
		}
	}
	(*page)[l.next%pageRecords] = r
	l.next = (l.next + 1) % wire.RingSize
	l.held = min(l.held+1, wire.RingSize)
}

func (l *ring) at(index uint32) wire.Record {
	if index >= wire.RingSize || l.pages[index/pageRecords] == nil {
		return blank()
	}
	return l.pages[index/pageRecords][index%pageRecords]
}

// head is the newest record, tail the oldest. An empty log has both at its start.
func (l *ring) head() uint32 {
	if l.held == 0 {
		return l.next
	}
	return (l.next + wire.RingSize - 1) % wire.RingSize
}

func (l *ring) tail() uint32 { return (l.next + wire.RingSize - l.held) % wire.RingSize }

// AppendBlank lets n records of the log stay unwritten flash, as after an interrupted write.
func (f *Front) AppendBlank(n int) {
	f.sync()
	for range n {
		f.log.add(blank())
	}
}

// LogHead returns the ring index of the newest record.
func (f *Front) LogHead() uint32 {
	f.sync()
	return f.log.head()
}

// sync writes the model's new events into the log.
func (f *Front) sync() {
	if f.pump.EventCount() == f.nextSeq {
		return
	}
	for _, e := range f.pump.Events(f.nextSeq) {
		f.write(e)
	}
	f.nextSeq = f.pump.EventCount()
}

func (f *Front) event(t wire.EventType, clock time.Duration, subtype uint16, first, second uint32) wire.Record {
	stamp := wire.SecondsStamp(seconds(clock))
	if f.o.OldFirmware {
		stamp = wire.DateStamp(f.date(clock))
	}
	return wire.Event{Type: t, Stamp: stamp, Subtype: subtype, First: first, Second: second}.Record()
}

// batteryBits are the subtypes of type 13, powerOnCodes those of type 24.
var (
	batteryBits = [...]uint16{
		pumpmodel.BatteryHigh: 32, pumpmodel.BatteryMedium: 1, pumpmodel.BatteryLow: 2, pumpmodel.BatteryEmpty: 4, pumpmodel.BatteryNew: 64,
	}
	powerOnCodes = [...]uint16{
		pumpmodel.BatteryHigh: 1, pumpmodel.BatteryMedium: 2, pumpmodel.BatteryLow: 3, pumpmodel.BatteryEmpty: 8, pumpmodel.BatteryNew: 6,
	}
	programNumbers = map[string]uint32{"DAILY 1": 2, "NIGHTLY": 3, "DAILY 2": 4}
)

// write maps an event of the model to the records that this pump logs for it.
func (f *Front) write(e pumpmodel.Event) {
	put := func(t wire.EventType, subtype uint16, first, second uint32) {
		f.log.add(f.event(t, e.Clock, subtype, first, second))
	}
	a, b := wire.FloatBits(float32(e.A)), wire.FloatBits(float32(e.B))
	switch e.Kind {
	case pumpmodel.KindBegin:
		f.writeProgram(e)
	case pumpmodel.KindRun:
		put(wire.EventRun, 0, 0, 0)
	case pumpmodel.KindPause:
		put(wire.EventPaused, 0, a, 0)
	case pumpmodel.KindComplete, pumpmodel.KindReservoirEmpty:
		put(wire.EventCassetteEmpty, 0, a, 0)
	case pumpmodel.KindOcclusion:
		put(wire.EventOcclusion, e.Code, 0, 0)
	case pumpmodel.KindOcclusionEnd:
		put(wire.EventOcclusion, 4, 0, 0)
	case pumpmodel.KindBattery:
		put(wire.EventBattery, batteryBits[e.Code], a, b)
	case pumpmodel.KindBatteryLow:
		put(wire.EventBatteryLow, 0, 0, 0)
	case pumpmodel.KindBatteryDepleted:
		put(wire.EventBatteryDepleted, 0, 0, 0)
	case pumpmodel.KindPowerOn:
		put(wire.EventPowerOn, powerOnCodes[e.Code], a, b)
	case pumpmodel.KindPowerOff:
		put(wire.EventPowerOff, 0, a, b)
	case pumpmodel.KindSetting:
		parameter := uint16(1) // rate
		if pumpmodel.Setting(e.Code) == pumpmodel.SettingVTBI {
			parameter = 4
		}
		put(wire.EventSettingChange, parameter, a, b)
	case pumpmodel.KindDetached:
		put(wire.EventCassetteDetached, 0, 0, 0)
	case pumpmodel.KindFault:
		put(wire.EventSystemError, e.Code, 0, 0)
	case pumpmodel.KindServiceDue:
		put(wire.EventPumpLimit, 2, uint32(e.A), b)
	case pumpmodel.KindLimit:
		put(wire.EventInfusionLimit, 1, 0, 0)
	case pumpmodel.KindUnattended:
		put(wire.EventUnattended, 0, 0, 0)
	case pumpmodel.KindBolus:
		put(wire.EventDoseGranted, 2<<8, 0, 0)
	case pumpmodel.KindBolusEnd:
		put(wire.EventDoseFinished, 1, 0, 0)
	case pumpmodel.KindAir, pumpmodel.KindReservoirLow, pumpmodel.KindNearEnd, pumpmodel.KindReminder, pumpmodel.KindDoorOpen,
		pumpmodel.KindClock, pumpmodel.KindCleared, pumpmodel.KindSilenced:
		// this pump has no word for them
	}
}

func (f *Front) writeProgram(e pumpmodel.Event) {
	f.log.add(f.event(wire.EventInfusionData, e.Clock, wire.DataBegin<<8, 0, 0))
	number, known := programNumbers[strings.ToUpper(e.Program.Name)]
	if !known {
		number = 2
	}
	if f.o.LongProgram {
		var p wire.LongProgram
		p.SetName(e.Program.Name)
		p.SetDrug(f.o.Drug)
		p.SetValue(wire.SwitchRate, float32(e.Program.Rate))
		p.SetValue(wire.SwitchVTBI, float32(e.Program.VTBIML))
		for _, r := range p.Records() {
			f.log.add(r)
		}
	} else {
		p := wire.Program{Number: number, Rate: float32(e.Program.Rate), VTBI: float32(e.Program.VTBIML)}
		for _, r := range p.Records() {
			f.log.add(r)
		}
	}
	f.log.add(f.event(wire.EventInfusionData, e.Clock, wire.DataEnd<<8, 0, 0))
}

// announced are the alarms that this pump has a record for.
var announced = map[pumpmodel.Alarm]bool{
	pumpmodel.AlarmOcclusionDownstream: true, pumpmodel.AlarmOcclusionUpstream: true, pumpmodel.AlarmReservoirEmpty: true, pumpmodel.AlarmComplete: true,
	pumpmodel.AlarmBatteryLow: true, pumpmodel.AlarmBatteryDepleted: true, pumpmodel.AlarmNoDisposable: true, pumpmodel.AlarmPumpFault: true,
	pumpmodel.AlarmServiceDue: true, pumpmodel.AlarmLimitReached: true, pumpmodel.AlarmUnattended: true,
}

// Describe declares what a MIVA is like.
func Describe() front.Info {
	return front.Info{
		Protocol: "miva", Models: "Zyno MIVA / Nimbus", Baud: Baud, Gap: Gap, Serial: "SIM00001", HasLog: true,
		Announces: func(a pumpmodel.Alarm) bool { return announced[a] },
		Physics: func() pumpmodel.Config {
			c := pumpmodel.Default()
			c.StrokeML, c.CounterStepML = 0.01, 0.01
			c.ReservoirLowML, c.NearEndTime, c.ReminderTime = 0, 0, 0
			return c
		},
		CannotSay: []string{
			"line pressure in mbar: raw counts and thresholds only", "a list of active alarms: they stand in the event log", "air in the line: no alarm and no record",
			"a reservoir count", "a battery percentage: volts only", "the drug, except with form=long", "KVO as a mode: it runs at a lower rate",
		},
	}
}
