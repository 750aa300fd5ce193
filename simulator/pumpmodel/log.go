package pumpmodel

import "time"

// Kind is what an event of the pump's log says.
type Kind uint8

// The kinds of events. The comment says what A, B and Code hold; everything else is zero.
const (
	KindBegin           Kind = iota + 1 // a new infusion begins: Program
	KindRun                             // started or resumed
	KindPause                           // A: volume infused mL
	KindComplete                        // the volume to be infused is done; A: volume infused mL
	KindReservoirEmpty                  // the reservoir count is zero; A: volume infused mL
	KindOcclusion                       // Code 1 upstream, 2 downstream
	KindOcclusionEnd                    // the occlusion is gone
	KindAir                             // air in line
	KindBattery                         // Code: a BatteryMark; A: volts, B: volume infused mL
	KindBatteryLow                      // alarm; Code 0 at 25 %, 1 at 10 %
	KindBatteryDepleted                 // alarm
	KindPowerOn                         // Code: a BatteryMark; A: volts, B: volume infused mL
	KindPowerOff                        // A: volts, B: volume infused mL
	KindSetting                         // Code: a Setting; A: old, B: new value
	KindDetached                        // the cassette or set was taken off
	KindFault                           // Code: the front's own code
	KindServiceDue                      // A: life time s, B: life volume mL
	KindLimit                           // the pump's own dose limit
	KindUnattended                      // nobody came
	KindBolus                           // bolus granted; A: volume mL, B: rate mL/h
	KindBolusEnd                        // bolus finished
	KindClock                           // the clock was set; A: by so many seconds
	KindCleared                         // the volume counter was set to zero; A: volume infused mL before
	KindReservoirLow                    // A: count mL
	KindNearEnd                         // A: mL left
	KindReminder                        // stands still
	KindDoorOpen                        // door opened
	KindSilenced                        // sound switched off for a while
)

var kindNames = [...]string{
	KindBegin: "begin", KindRun: "run", KindPause: "pause", KindComplete: "complete", KindReservoirEmpty: "reservoir_empty",
	KindOcclusion: "occlusion", KindOcclusionEnd: "occlusion_end", KindAir: "air_in_line", KindBattery: "battery",
	KindBatteryLow: "battery_low", KindBatteryDepleted: "battery_depleted", KindPowerOn: "power_on", KindPowerOff: "power_off",
	KindSetting: "setting", KindDetached: "detached", KindFault: "fault", KindServiceDue: "service_due", KindLimit: "limit_reached",
	KindUnattended: "unattended", KindBolus: "bolus", KindBolusEnd: "bolus_end",
	KindClock: "clock", KindCleared: "counter_cleared", KindReservoirLow: "reservoir_low", KindNearEnd: "near_end",
	KindReminder: "stopped_reminder", KindDoorOpen: "door_open", KindSilenced: "silenced",
}

// String gives the kind in lower_snake_case.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "unknown"
}

// BatteryMark names a level of the battery in an event.
type BatteryMark uint16

// The levels of a battery.
const (
	BatteryHigh BatteryMark = iota
	BatteryMedium
	BatteryLow
	BatteryEmpty
	BatteryNew
)

// Setting names a programmed value in an event.
type Setting uint16

// The settings that a person changes at the keypad.
const (
	SettingRate Setting = iota
	SettingVTBI
)

// Event is one entry of the pump's log.
type Event struct {
	Seq     uint64 // from 0, never reused
	Kind    Kind
	Clock   time.Duration // on the pump's own clock, since its epoch
	True    time.Duration // simulated time since the beginning; never sent
	Code    uint16
	A, B    float64
	Program Program // KindBegin only
}

// eventLog keeps the newest events; seq numbers tell what fell out.
type eventLog struct {
	limit  int
	next   uint64
	events []Event // ring once it is full
}

func (l *eventLog) add(e Event) {
	e.Seq = l.next
	l.next++
	if len(l.events) < l.limit {
		l.events = append(l.events, e)
		return
	}
	l.events[e.Seq%uint64(l.limit)] = e
}

// Events returns the events from seq on that are still kept, oldest first.
func (p *Pump) Events(seq uint64) []Event {
	l := &p.log
	if oldest := l.next - uint64(len(l.events)); seq < oldest {
		seq = oldest
	}
	if seq >= l.next {
		return nil
	}
	out := make([]Event, 0, l.next-seq)
	for ; seq < l.next; seq++ {
		out = append(out, l.events[seq%uint64(l.limit)])
	}
	return out
}

// EventCount returns how many events were ever logged, which is the next event's Seq.
func (p *Pump) EventCount() uint64 { return p.log.next }

func (p *Pump) record(e Event) {
	e.Clock, e.True = p.Clock(), p.elapsed
	p.log.add(e)
}
