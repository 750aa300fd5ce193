package pumpmodel

import "fmt"

// PowerOff switches the pump off; it then answers nothing.
func (p *Pump) PowerOff() error {
	if p.state == Off {
		return ErrOff
	}
	p.record(Event{Kind: KindPowerOff, A: p.battery.volts(), B: p.infusedML()})
	p.state = Off
	clear(p.active)
	return nil
}

// PowerOn switches the pump on; an interrupted infusion stays to be resumed.
func (p *Pump) PowerOn() error {
	if p.state != Off {
		return nil
	}
	if p.battery.charge <= 0 {
		return fmt.Errorf("battery is empty: %w", ErrOff)
	}
	p.state, p.pausedAt, p.hung = Stopped, p.elapsed, nil
	clear(p.active)
	clear(p.injected)
	p.record(Event{Kind: KindPowerOn, Code: uint16(p.battery.mark), A: p.battery.volts(), B: p.infusedML()})
	p.battery.mark, p.battery.low10 = BatteryHigh, false // a low battery is announced again
	return nil
}

// Reboot restarts the pump as a crash does: no power-off record, the counter at zero, stopped.
func (p *Pump) Reboot() error {
	if p.state == Off {
		return ErrOff
	}
	p.state, p.infusionNL, p.counterNL, p.moved, p.phase = Off, 0, 0, 0, 0
	return p.PowerOn()
}

// SetMains plugs the pump into the mains, or takes it off.
func (p *Pump) SetMains(on bool) { p.mains = on }

// SetBattery puts in cells with this charge, 0 to 1. A pump that fell silent
// for want of power is switched on by it.
func (p *Pump) SetBattery(charge float64) error {
	if !(charge >= 0 && charge <= 1) {
		return fmt.Errorf("battery charge %v, known 0 to 1: %w", charge, ErrRange)
	}
	before := p.battery.charge
	p.battery.charge = charge
	if charge < before {
		if p.state != Off {
			p.batteryEvents()
		}
		return nil
	}
	p.battery.mark, p.battery.low10 = markOf(charge), charge <= 0.1
	if charge > 0.25 {
		delete(p.active, AlarmBatteryLow)
	}
	if charge > 0 {
		delete(p.active, AlarmBatteryDepleted)
		p.settle()
	}
	if p.cfg.BatteryResetsCounter {
		p.counterNL = 0
	}
	if p.cfg.BatteryResetsClock {
		p.setClock(p.cfg.ClockResetTo)
	}
	if p.state == Off {
		return p.PowerOn()
	}
	p.record(Event{Kind: KindBattery, Code: uint16(BatteryNew), A: p.battery.volts(), B: p.infusedML()})
	return nil
}
