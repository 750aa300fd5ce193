package pumpmodel

import "time"

// battery is the state of charge of the cells.
type battery struct {
	charge  float64 // 0 to 1
	mark    BatteryMark
	emptyAt time.Duration
	mA      float64 // in the last step
	low10   bool    // the second low warning was given
}

// voltTable holds state of charge and volts of two AA cells without load.
var voltTable = [...][2]float64{{1, 3.1}, {.8, 2.75}, {.6, 2.6}, {.4, 2.5}, {.2, 2.35}, {.1, 2.2}, {.05, 2.0}, {0, 1.7}}

// volts interpolates the table and takes off what 0.3 ohm drop.
func (b *battery) volts() float64 {
	v := voltTable[len(voltTable)-1][1]
	for i := 1; i < len(voltTable); i++ {
		hi, lo := voltTable[i-1], voltTable[i]
		if b.charge >= lo[0] {
			v = lo[1] + (hi[1]-lo[1])*(b.charge-lo[0])/(hi[0]-lo[0])
			break
		}
	}
	return v - 0.3*b.mA/1000
}

func markOf(charge float64) BatteryMark {
	switch {
	case charge <= 0:
		return BatteryEmpty
	case charge <= 0.25:
		return BatteryLow
	case charge <= 0.5:
		return BatteryMedium
	default:
		return BatteryHigh
	}
}

// drain takes the charge of one step and logs the levels that it passes.
func (p *Pump) drain(rate, dtH float64) {
	b := &p.battery
	capacity := p.cfg.BatteryMAH
	if p.celsius < 10 {
		capacity *= 0.7
	}
	b.mA = p.cfg.IdleMA + p.cfg.MotorMAHPerML*rate
	if p.mains {
		return
	}
	b.charge = max(0, b.charge-b.mA*dtH/capacity)
	p.batteryEvents()
}

func (p *Pump) batteryEvents() {
	b := &p.battery
	mark := markOf(b.charge)
	if mark > b.mark {
		b.mark = mark
		p.record(Event{Kind: KindBattery, Code: uint16(mark), A: b.volts(), B: p.infusedML()})
		switch mark {
		case BatteryLow:
			b.low10 = b.charge <= 0.1
			code := uint16(0)
			if b.low10 {
				code = 1
			}
			p.raise(AlarmBatteryLow, Event{Kind: KindBatteryLow, Code: code})
		case BatteryEmpty:
			b.emptyAt = p.elapsed
			p.raise(AlarmBatteryDepleted, Event{Kind: KindBatteryDepleted})
		case BatteryHigh, BatteryMedium, BatteryNew:
		}
	}
	if mark == BatteryLow && b.charge <= 0.1 && !b.low10 {
		b.low10 = true
		delete(p.active, AlarmBatteryLow)
		p.raise(AlarmBatteryLow, Event{Kind: KindBatteryLow, Code: 1})
	}
}
