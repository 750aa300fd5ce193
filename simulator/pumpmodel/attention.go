package pumpmodel

import "time"

// attendEvery is how often levels and times are looked at.
const attendEvery = time.Second

// level is a set of conditions that persist until somebody ends them.
type level uint8

const (
	levelReservoir level = 1 << iota
	levelEnd
	levelReminder
	levelDoor
	levelSet
)

// attend announces levels that were reached, and again those that were acknowledged and persist.
func (p *Pump) attend() {
	holds := p.holding()
	if holds == 0 && p.levels == 0 {
		return
	}
	before := p.levels
	p.levels = holds
	p.acknowledged &= holds
	for _, row := range [...]struct {
		bit   level
		alarm Alarm
		event Event
	}{
		{levelReservoir, AlarmReservoirLow, Event{Kind: KindReservoirLow, A: p.reservoirML()}},
		{levelEnd, AlarmNearEnd, Event{Kind: KindNearEnd, A: float64(p.vtbiNL()-p.infusionNL) / 1e6}},
		{levelReminder, AlarmStoppedReminder, Event{Kind: KindReminder}},
		{levelDoor, AlarmDoorOpen, Event{Kind: KindDoorOpen}},
		{levelSet, AlarmNoDisposable, Event{Kind: KindDetached}},
	} {
		switch {
		case holds&row.bit == 0 && before&row.bit != 0 && p.active[row.alarm] && !p.injected[row.alarm]:
			delete(p.active, row.alarm)
			p.settle()
		case holds&row.bit == 0 || p.active[row.alarm]:
		case p.acknowledged&row.bit != 0 && p.elapsed-p.acknowledgedAt < p.cfg.SilenceTime:
		default:
			p.raise(row.alarm, row.event)
		}
	}
}

// holding returns the conditions that hold now.
func (p *Pump) holding() (l level) {
	c := &p.cfg
	if ml := p.reservoirML(); p.counted && c.ReservoirLowML > 0 && ml <= c.ReservoirLowML && ml > 0 {
		l |= levelReservoir
	}
	// Once announced it stands through a pause, until the end comes or is put off.
	if c.NearEndTime > 0 && p.begun && (p.state == Running || p.levels&levelEnd != 0 && !p.state.Moving() && p.state != Off) {
		if left := float64(p.vtbiNL()-p.infusionNL) / 1e6; left <= p.program.Rate*c.NearEndTime.Hours() {
			l |= levelEnd
		}
	}
	if p.ran && c.ReminderTime > 0 && (p.state == Stopped || p.state == Paused) && p.elapsed-p.pausedAt >= c.ReminderTime {
		l |= levelReminder
	}
	if p.door {
		l |= levelDoor
	}
	if p.detached && (p.levels&levelSet != 0 || p.state.Moving() || p.elapsed-p.detachedAt >= c.DetachTime) {
		l |= levelSet
	}
	return l
}

// OpenDoor opens or closes the door. A running pump stops at once.
func (p *Pump) OpenDoor(open bool) {
	p.door = open
	p.attendOn()
}

// Detach takes the administration set off or puts it on. A running pump stops at once; one that stands warns later.
func (p *Pump) Detach(off bool) {
	if off && !p.detached {
		p.detachedAt = p.elapsed
	}
	p.detached = off
	p.attendOn()
}

func (p *Pump) attendOn() {
	if p.state != Off && p.hung == nil {
		p.attend()
	}
}

// refuse announces why a start was refused.
func (p *Pump) refuse() {
	if p.door {
		p.raise(AlarmDoorOpen, Event{Kind: KindDoorOpen})
		p.levels |= levelDoor
	}
	if p.detached {
		p.raise(AlarmNoDisposable, Event{Kind: KindDetached})
		p.levels |= levelSet
	}
}

// Silence switches the sound of the alarms off for Config.SilenceTime. They stay announced; a new one sounds.
func (p *Pump) Silence() error {
	if p.state == Off {
		return ErrOff
	}
	p.silentUntil = p.elapsed + p.cfg.SilenceTime
	p.record(Event{Kind: KindSilenced})
	return nil
}

// Hang stops the program of the pump, or lets it go on: the motor stands, nothing alarms, and the pump says what it last knew.
func (p *Pump) Hang(on bool) {
	switch {
	case !on:
		p.hung = nil
	case p.hung == nil:
		v := p.know()
		p.hung = &v
	}
}
