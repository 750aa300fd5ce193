package miva

import (
	"context"
	"fmt"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// step is one query whose answer goes straight into the report.
type step struct {
	query wire.Query
	put   func(r *drivers.Report, v *wire.Reply)
}

var fastSteps = []step{
	{wire.VolumeInfused, func(r *drivers.Report, v *wire.Reply) { r.VolumeInfused = hundredths(v, drivers.Milliliter) }},
	{wire.VTBI, func(r *drivers.Report, v *wire.Reply) { r.VTBI = hundredths(v, drivers.Milliliter) }},
	{wire.BolusRunning, func(r *drivers.Report, v *wire.Reply) { r.BolusRunning = flag(v.Text) }},
}

var bolusSteps = []step{
	{wire.BolusRate, func(r *drivers.Report, v *wire.Reply) { r.BolusRate = hundredths(v, drivers.MilliliterPerHour) }},
	{wire.BolusInfused, func(r *drivers.Report, v *wire.Reply) { r.BolusInfused = hundredths(v, drivers.Milliliter) }},
	{wire.BolusVTBI, func(r *drivers.Report, v *wire.Reply) { r.BolusVTBI = hundredths(v, drivers.Milliliter) }},
}

var slowSteps = []step{
	{wire.Battery, func(r *drivers.Report, v *wire.Reply) { r.BatteryVolts = hundredths(v, drivers.Volt) }},
	{wire.OcclusionSensors, func(r *drivers.Report, v *wire.Reply) {
		r.UpstreamSensor, r.DownstreamSensor = counts(v.N[0]), counts(v.N[1])
	}},
	{wire.OcclusionThresholds, func(r *drivers.Report, v *wire.Reply) {
		r.UpstreamThreshold, r.DownstreamThreshold = counts(v.N[0]), counts(v.N[1])
	}},
	{wire.Mode, func(r *drivers.Report, v *wire.Reply) { r.Mode = string(v.Text) }},
	{wire.TextProgram, func(r *drivers.Report, v *wire.Reply) { r.Program = string(v.Text) }},
}

// cycle makes one report. It commits nothing that outlives the session.
func (c *Conn) cycle(ctx context.Context) (drivers.Report, error) {
	badBefore := c.scan.Bad()
	c.unsolicited = 0
	serial, err := c.identify(ctx)
	if err != nil {
		return drivers.Report{}, err
	}
	if c.session == nil {
		c.session = newSession(serial)
	}
	r := drivers.Report{Anchor: c.anchors[serial]}
	slow := !c.session.started || c.now()-c.session.slowAt >= slowEvery
	if slow {
		c.session.slowAt = c.now()
	}
	if err := c.gather(ctx, &r, slow); err != nil {
		return drivers.Report{}, err
	}
	// The closing RN proves that all of this came from one pump.
	if _, err := c.identify(ctx); err != nil {
		return drivers.Report{}, err
	}
	s := c.session
	s.started = true
	r.Identity = drivers.Identity{Serial: s.serial, Model: s.model, Firmware: s.firmware}
	r.BadFrames = c.scan.Bad() - badBefore
	r.Unsolicited = c.unsolicited
	return r, nil
}

// gather asks all that is due between the two RN.
func (c *Conn) gather(ctx context.Context, r *drivers.Report, slow bool) error {
	if !c.session.started {
		if err := c.introduce(ctx, r); err != nil {
			return err
		}
	}
	running, err := c.running(ctx, r)
	if err != nil {
		return err
	}
	if err := c.rates(ctx, r); err != nil {
		return err
	}
	if err := c.steps(ctx, r, fastSteps); err != nil {
		return err
	}
	if r.BolusRunning == drivers.Yes {
		if err := c.steps(ctx, r, bolusSteps); err != nil {
			return err
		}
	}
	if slow {
		if err := c.steps(ctx, r, slowSteps); err != nil {
			return err
		}
		if err := c.combined(ctx, r); err != nil {
			return err
		}
	}
	news, err := c.events(ctx, r, slow)
	if err != nil {
		return err
	}
	if news { // it may have stopped or started since it was asked
		if running, err = c.running(ctx, r); err != nil {
			return err
		}
	}
	r.State = c.state(running, r)
	return nil
}

// introduce asks what does not change within a session.
func (c *Conn) introduce(ctx context.Context, r *drivers.Report) error {
	ok, err := c.get(ctx, r, wire.Firmware)
	if err != nil {
		return err
	}
	if ok {
		c.session.firmware = string(c.reply.Text)
	}
	ok, err = c.get(ctx, r, wire.Platform)
	if err != nil {
		return err
	}
	var platform []byte
	if ok {
		platform = c.reply.Text
	}
	c.session.model = model(platform)
	return nil
}

func (c *Conn) steps(ctx context.Context, r *drivers.Report, list []step) error {
	for _, s := range list {
		ok, err := c.get(ctx, r, s.query)
		if err != nil {
			return err
		}
		if ok {
			s.put(r, &c.reply)
		}
	}
	return nil
}

// running asks whether the infusion runs; older firmware is asked with Q1.
func (c *Conn) running(ctx context.Context, r *drivers.Report) (drivers.Truth, error) {
	ok, err := c.get(ctx, r, wire.TextRunning)
	if err != nil {
		return drivers.Unknown, err
	}
	if ok {
		if c.reply.True {
			return drivers.Yes, nil
		}
		return drivers.No, nil
	}
	ok, err = c.get(ctx, r, wire.OldRunning)
	if err != nil || !ok {
		return drivers.Unknown, err
	}
	return flag(c.reply.Text), nil
}

// rates asks the two rates, each behind its unit. A rate in an unknown unit is
// not asked: it is absent, and the report says why.
func (c *Conn) rates(ctx context.Context, r *drivers.Report) error {
	unit, known, err := c.unit(ctx, r, wire.RateUnit, wire.TextRate)
	if err != nil {
		return err
	}
	if known {
		if r.PumpReportedRate, err = c.rate(ctx, r, wire.TextRate, wire.OldRate, unit); err != nil {
			return err
		}
	}
	unit, known, err = c.unit(ctx, r, wire.ProgrammedRateUnit, wire.TextProgrammedRate)
	if err != nil || !known {
		return err
	}
	r.ProgrammedRate, err = c.rate(ctx, r, wire.TextProgrammedRate, wire.NoQuery, unit)
	return err
}

func (c *Conn) unit(ctx context.Context, r *drivers.Report, q, rate wire.Query) (drivers.Unit, bool, error) {
	ok, err := c.get(ctx, r, q)
	if err != nil {
		return drivers.UnitNone, false, err
	}
	if !ok {
		r.Unavailable = append(r.Unavailable, rate.String()+" (its unit is not known)")
		return drivers.UnitNone, false, nil
	}
	unit, known := rateUnit(c.reply.Text)
	if !known {
		r.Unavailable = append(r.Unavailable, fmt.Sprintf("%s (in the unit %q)", rate, c.reply.Text))
	}
	return unit, known, nil
}

func (c *Conn) rate(ctx context.Context, r *drivers.Report, q, old wire.Query, unit drivers.Unit) (drivers.Quantity, error) {
	ok, err := c.get(ctx, r, q)
	if err != nil {
		return drivers.Quantity{}, err
	}
	if ok {
		v, err := drivers.ParseDecimal(string(c.reply.Text), unit)
		if err != nil {
			r.Unavailable = append(r.Unavailable, q.String())
			return drivers.Quantity{}, nil //nolint:nilerr // an unreadable number is absent and named
		}
		return v, nil
	}
	if old == wire.NoQuery {
		return drivers.Quantity{}, nil
	}
	ok, err = c.get(ctx, r, old)
	if err != nil || !ok {
		return drivers.Quantity{}, err
	}
	return hundredths(&c.reply, unit), nil
}

// combined fills from S9 what RD and R7 did not tell.
func (c *Conn) combined(ctx context.Context, r *drivers.Report) error {
	if r.UpstreamSensor.Valid && r.BatteryVolts.Valid {
		return nil
	}
	ok, err := c.get(ctx, r, wire.CombinedSensors)
	if err != nil || !ok {
		return err
	}
	s := c.reply.Sensors
	if !r.UpstreamSensor.Valid {
		r.UpstreamSensor, r.DownstreamSensor = counts(uint32(s.Upstream)), counts(uint32(s.Downstream))
		r.Uncertain = append(r.Uncertain, "DownstreamSensor")
	}
	if !r.BatteryVolts.Valid {
		r.BatteryVolts = drivers.Number(int64(s.Battery), -2, drivers.Volt)
	}
	return nil
}
