package newera

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/newera/wire"
)

// identify reads the model and firmware; that the pump answers is all that is known of who it is.
func (c *Conn) identify(ctx context.Context, p *pump, tries int) error {
	got, err := c.steady(ctx, p, wire.Version, tries)
	if errors.Is(err, errUnavailable) {
		p.live, p.model = true, ""
		return nil
	}
	if err != nil {
		return err
	}
	p.live, p.model = true, got.text
	return nil
}

// cycle makes the report of one pump.
func (c *Conn) cycle(ctx context.Context, p *pump, tries int) (drivers.Report, error) {
	bad := c.scan.Bad()
	p.status, p.confirmed = 0, false
	r := drivers.Report{Address: p.name}
	if !p.started {
		if err := c.identify(ctx, p, tries); err != nil {
			return drivers.Report{}, err
		}
	}
	r.Identity.Model, r.Identity.Firmware = split(p.model)
	if err := c.values(ctx, p, &r, tries); err != nil {
		return drivers.Report{}, err
	}
	for range steadyReads {
		if p.confirmed {
			break
		}
		if _, err := c.ask(ctx, p, wire.Status, tries); err != nil {
			return drivers.Report{}, err
		}
	}
	p.started = true
	p.state(&r)
	r.Anchor = p.latch.String()
	r.BadFrames = c.scan.Bad() - bad
	r.Unsolicited, c.unsolicited = c.unsolicited, 0
	return r, nil
}

func (c *Conn) values(ctx context.Context, p *pump, r *drivers.Report, tries int) error {
	rate, ok, err := c.get(ctx, p, r, wire.Rate, tries)
	if err != nil {
		return err
	}
	if ok {
		r.ProgrammedRate = quantity(rate.infused, rate.unit)
	}
	volume, ok, err := c.get(ctx, p, r, wire.Dispensed, tries)
	if err != nil {
		return err
	}
	if ok {
		r.VolumeInfused = quantity(volume.infused, volume.unit)
	}
	if now := c.line.Now(); p.started && now-p.slowAt < slowEvery {
		return nil
	}
	p.slowAt = c.line.Now()
	target, ok, err := c.get(ctx, p, r, wire.Volume, tries)
	if err != nil {
		return err
	}
	if ok && target.infused.Mantissa != 0 { // 0 is none
		r.VTBI = quantity(target.infused, target.unit)
	}
	return nil
}

// get asks a value whose refusal is no failure, and names it in the report when it is absent.
func (c *Conn) get(ctx context.Context, p *pump, r *drivers.Report, q wire.Query, tries int) (reading, bool, error) {
	got, err := c.steady(ctx, p, q, tries)
	if errors.Is(err, errUnavailable) {
		r.Unavailable = append(r.Unavailable, fmt.Sprintf("%s (%v)", q, err))
		return reading{}, false, nil
	}
	return got, err == nil, err
}

// split takes NE1000V3.928 apart.
func split(version string) (model, firmware string) {
	model, firmware, _ = strings.Cut(version, "V")
	return strings.Replace(model, "NE", "NE-", 1), firmware
}

// units translates the pump's units.
var units = map[wire.Unit]drivers.Unit{
	wire.MilliliterPerHour: drivers.MilliliterPerHour, wire.MilliliterPerMinute: drivers.MilliliterPerMinute,
	wire.MicroliterPerHour: drivers.MicroliterPerHour, wire.MicroliterPerMinute: drivers.MicroliterPerMinute,
	wire.Milliliter: drivers.Milliliter, wire.Microliter: drivers.Microliter,
}

func quantity(n wire.Number, u wire.Unit) drivers.Quantity {
	unit, known := units[u]
	if !n.Valid || !known {
		return drivers.Quantity{}
	}
	return drivers.Number(int64(n.Mantissa), -n.Decimals, unit)
}

// modes are the words of section 3 for each status.
var modes = map[byte]struct {
	word  string
	state drivers.RunState
	moves bool // the motor turns: no alarm stops it
}{
	'I': {"infusing", drivers.RunInfusing, true},
	'W': {"withdrawing", drivers.RunUnknown, true},
	'S': {"stopped", drivers.RunStopped, false},
	'P': {"paused", drivers.RunPaused, false},
	'T': {"timed pause phase", drivers.RunDelayed, false},
	'U': {"waiting for trigger", drivers.RunDelayed, false},
	'X': {"purging", drivers.RunPriming, true},
}

// state fills what the pump does and which alarms it has.
func (p *pump) state(r *drivers.Report) {
	if p.confirmed {
		m := modes[p.status]
		r.State, r.Mode = m.state, m.word
		if m.moves {
			p.latch.runs()
		} else if len(p.latch.raws) > 0 {
			r.State = drivers.RunStoppedByAlarm
		}
	}
	if p.latch.doubt && len(p.latch.raws) == 0 {
		r.AlarmsReason = "an alarm may have been acknowledged before it was read; known again when the pump is seen running"
		return
	}
	r.AlarmsKnown = true
	if p.latch.doubt {
		r.Uncertain = append(r.Uncertain, "Alarms") // another one may have been lost beside these
	}
	p.latch.told = len(p.latch.raws)
	for _, raw := range p.latch.raws {
		row := lookup(raw)
		r.Alarms = append(r.Alarms, drivers.Alarm{Code: row.Code, RawCode: raw, Text: row.Text})
	}
}
