package pumpmodel

import (
	"fmt"
	"math"
)

// Run starts or resumes the infusion, as the key does. It is refused while a
// stopping alarm is active, when the pump is off and when nothing is programmed.
func (p *Pump) Run() error {
	switch {
	case p.state == Off:
		return ErrOff
	case p.state == Running || p.state == Bolus:
		return nil
	case p.stopping():
		return ErrAlarm
	case p.door || p.detached:
		p.refuse()
		return ErrAlarm
	}
	if p.program.Rate <= 0 || p.program.VTBIML <= 0 {
		return ErrNoProgram
	}
	if !p.begun {
		p.begun = true
		p.infusionNL, p.moved, p.phase = 0, 0, 0
		if !p.cfg.CounterKeeps {
			p.counterNL = 0
		}
		p.record(Event{Kind: KindBegin, Program: p.program})
	}
	delete(p.active, AlarmUnattended)
	delete(p.active, AlarmStoppedReminder)
	p.state, p.ran = Running, true
	p.record(Event{Kind: KindRun})
	p.up.unfilled = 0
	p.attend()
	return nil
}

// Pause stops the motor; Run resumes the same infusion.
func (p *Pump) Pause() error { return p.halt(Paused) }

// Stop stops the motor as the stop key does; Run resumes the same infusion.
func (p *Pump) Stop() error { return p.halt(Stopped) }

func (p *Pump) halt(to State) error {
	if p.state == Off {
		return ErrOff
	}
	if !p.state.Moving() {
		return ErrNotRunning
	}
	p.state, p.pausedAt = to, p.elapsed
	p.record(Event{Kind: KindPause, A: p.infusedML()})
	return nil
}

// Acknowledge ends every announced alarm but a low battery, as a person at the pump does. A
// condition that persists will be announced again after the next start; KVO goes on.
func (p *Pump) Acknowledge() error {
	if p.state == Off {
		return ErrOff
	}
	if p.battery.charge <= 0 {
		return fmt.Errorf("battery is empty: %w", ErrAlarm)
	}
	for a := range p.active {
		if a != AlarmBatteryLow {
			delete(p.active, a)
		}
	}
	clear(p.injected)
	p.acknowledged, p.acknowledgedAt = p.levels, p.elapsed
	p.up.unfilled = 0
	p.air.sum = p.air.sum[:0]
	if p.state == AlarmStop || p.state == Complete {
		p.state, p.pausedAt = Paused, p.elapsed
		if !p.begun {
			p.state = Stopped
		}
	}
	return nil
}

// SetRate programs another rate in mL/h, as a person at the keypad does: a
// moving pump is paused, set and started again.
func (p *Pump) SetRate(rate float64) error {
	pr := p.program
	pr.Rate = rate
	return p.reprogram(pr, SettingRate, p.program.Rate, rate)
}

// SetVTBI programs another volume to be infused in mL, in the same manner.
func (p *Pump) SetVTBI(ml float64) error {
	pr := p.program
	pr.VTBIML = ml
	return p.reprogram(pr, SettingVTBI, p.program.VTBIML, ml)
}

func (p *Pump) reprogram(pr Program, s Setting, before, after float64) error {
	if p.state == Off {
		return ErrOff
	}
	if err := p.checkProgram(pr); err != nil {
		return err
	}
	wasRunning := p.state == Running || p.state == Bolus
	if wasRunning {
		if err := p.Pause(); err != nil {
			return err
		}
	}
	p.program = pr
	p.record(Event{Kind: KindSetting, Code: uint16(s), A: before, B: after})
	if wasRunning && pr.Rate > 0 {
		return p.Run()
	}
	return nil
}

// NewBag hangs a bag of labelML mL and ends the infusion: the next Run begins a new
// one with the volume counted from zero. newSet says that the administration set
// is new too, with its own error and start-up.
func (p *Pump) NewBag(labelML float64, newSet bool) error {
	if !(labelML > 0 && labelML <= p.cfg.RolloverML) {
		return fmt.Errorf("bag of %v mL, known above 0 to %v: %w", labelML, p.cfg.RolloverML, ErrRange)
	}
	if p.state.Moving() {
		if err := p.Pause(); err != nil {
			return err
		}
	}
	p.hang(labelML)
	p.air.newBagUntil = p.elapsed + p.cfg.AirNewBagTime
	if newSet {
		p.set = newSetError(p.set.rng, &p.cfg, p.elapsed, true)
		p.setFactor = 1
	}
	p.begun = false
	for _, a := range []Alarm{AlarmReservoirEmpty, AlarmComplete, AlarmAirInLine} {
		delete(p.active, a)
	}
	p.settle()
	if p.state == Paused || p.state == Complete {
		p.state, p.pausedAt = Stopped, p.elapsed
	}
	p.attend()
	return nil
}

// GiveBolus lets a running pump give volumeML at rate mL/h beside the program.
func (p *Pump) GiveBolus(volumeML, rate float64) error {
	if p.state != Running {
		return ErrNotRunning
	}
	if !(volumeML > 0 && rate > 0 && rate <= p.cfg.MaxRate) {
		return fmt.Errorf("bolus of %v mL at %v mL/h: %w", volumeML, rate, ErrRange)
	}
	p.giveAt(volumeML, rate, false)
	return nil
}

// GiveLoad gives a loading dose of volumeML at rate mL/h, also before the infusion was started; the program follows.
func (p *Pump) GiveLoad(volumeML, rate float64) error {
	if !(volumeML > 0 && rate > 0 && rate <= p.cfg.MaxRate) {
		return fmt.Errorf("loading dose of %v mL at %v mL/h: %w", volumeML, rate, ErrRange)
	}
	if err := p.Run(); err != nil {
		return err
	}
	if p.state != Running {
		return ErrMoving
	}
	p.giveAt(volumeML, rate, true)
	return nil
}

func (p *Pump) giveAt(volumeML, rate float64, load bool) {
	p.bolus = bolusRun{volumeNL: int64(math.Round(volumeML * 1e6)), rate: rate, back: Running, load: load}
	p.state = Bolus
	p.record(Event{Kind: KindBolus, A: volumeML, B: rate})
}

// Inject announces an alarm without its cause; it stands until it is acknowledged. Code is for a fault, in the front's own numbers.
func (p *Pump) Inject(a Alarm, code uint16) error {
	if p.state == Off {
		return ErrOff
	}
	kinds := map[Alarm]Event{
		AlarmPumpFault: {Kind: KindFault, Code: code}, AlarmNoDisposable: {Kind: KindDetached}, AlarmAirInLine: {Kind: KindAir},
		AlarmServiceDue: {Kind: KindServiceDue, A: p.powered.Seconds(), B: float64(p.totalNL) / 1e6}, AlarmLimitReached: {Kind: KindLimit},
		AlarmUnattended: {Kind: KindUnattended}, AlarmBatteryLow: {Kind: KindBatteryLow}, AlarmBatteryDepleted: {Kind: KindBatteryDepleted},
		AlarmDoorOpen: {Kind: KindDoorOpen}, AlarmStoppedReminder: {Kind: KindReminder}, AlarmReservoirLow: {Kind: KindReservoirLow, A: p.reservoirML()},
		AlarmNearEnd:             {Kind: KindNearEnd, A: float64(p.vtbiNL()-p.infusionNL) / 1e6},
		AlarmOcclusionDownstream: {Kind: KindOcclusion, Code: 2}, AlarmOcclusionUpstream: {Kind: KindOcclusion, Code: 1},
	}
	if a == AlarmComplete {
		p.end(a, KindComplete)
		return nil
	}
	if a == AlarmReservoirEmpty {
		p.end(a, KindReservoirEmpty)
		return nil
	}
	e, known := kinds[a]
	if !known {
		return fmt.Errorf("alarm %q: %w", a, ErrRange)
	}
	p.injected[a] = true
	p.raise(a, e)
	return nil
}

// ClearVolume sets the volume counter of this infusion to zero, as a person or a client does. The infusion goes on.
func (p *Pump) ClearVolume() error {
	if p.state == Off {
		return ErrOff
	}
	p.record(Event{Kind: KindCleared, A: p.infusedML()})
	p.counterNL = 0
	return nil
}
