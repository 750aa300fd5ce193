package asena

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
	"infusiond/drivers/exchange"
)

// maxRate is the fastest that these pumps run, mL/h (section 1).
const maxRate = 1200

// cycle makes one report. It commits nothing that outlives the session.
func (c *Conn) cycle(ctx context.Context) (drivers.Report, error) {
	bad := c.scan.Bad()
	if c.session == nil {
		serial, err := c.identify(ctx, replyTimeout, attempts)
		if err != nil {
			return drivers.Report{}, err
		}
		c.session = newSession(serial)
	}
	var r drivers.Report
	s := c.session
	if !s.started {
		if err := c.introduce(ctx, &r); err != nil {
			return drivers.Report{}, err
		}
	}
	if err := c.status(ctx, &r); err != nil {
		return drivers.Report{}, err
	}
	if err := c.rest(ctx, &r); err != nil {
		return drivers.Report{}, err
	}
	// The closing serial number proves that all of this came from one pump.
	if _, err := c.identify(ctx, replyTimeout, attempts); err != nil {
		return drivers.Report{}, err
	}
	s.started = true
	r.Identity = drivers.Identity{Serial: s.serial, Model: "Alaris / Asena", Firmware: s.firmware}
	r.Anchor = anchorOf(s.shown)
	r.BadFrames = c.scan.Bad() - bad
	return r, nil
}

// introduce asks what does not change within a session.
func (c *Conn) introduce(ctx context.Context, r *drivers.Report) error {
	s := c.session
	if s.shown == nil {
		s.shown = shownOf(c.anchors[s.serial])
	}
	ok, err := c.get(ctx, r, wire.ResponseMax)
	if err != nil {
		return err
	}
	if v := c.reply.Value; ok && v.Valid && v.Decimals == 0 && string(c.reply.Unit) == "ms" {
		s.patient = min(longestReply, max(replyTimeout, milliseconds(v.Mantissa)))
	}
	if ok, err = c.get(ctx, r, wire.Protocol); ok {
		s.firmware = exchange.Text(c.reply.Text)
	}
	return err
}

// status reads INF and what follows from it alone.
func (c *Conn) status(ctx context.Context, r *drivers.Report) error {
	if err := c.ask(ctx, wire.Status); err != nil {
		return err
	}
	v := c.reply.Infusion
	if err := c.same(string(v.Serial)); err != nil {
		return err
	}
	r.Mode = exchange.Text(v.Mode)
	r.DrugName = exchange.Text(v.Drug)
	r.PumpReportedRate = rate(r, "INF rate", v.Rate, v.RateUnit)
	r.VolumeInfused = quantity(r, "INF volume", v.Volume, v.VolumeUnit, "ml", drivers.Milliliter)
	r.DownstreamSensor = quantity(r, "INF pressure", v.Pressure, v.PressureUnit, "mmHg", drivers.MillimetreOfMercury)
	if v.Remaining {
		r.TimeRemaining = drivers.Number(v.RemainingS, 0, drivers.Second)
		if v.AtLeast {
			r.AtLeast = append(r.AtLeast, "TimeRemaining")
		}
	}
	s := c.session
	now, id := c.line.Now(), string(v.LogID)
	due := v.Alarm || id != s.logID || !s.started || now-s.alarmAt >= alarmEvery
	s.logID = id
	flag := v.Alarm // the next answer takes the place of this one
	if due {
		s.alarmAt = now
		if err := c.alarms(ctx, r, flag); err != nil {
			return err
		}
	} else {
		s.shown = nil
		r.AlarmsKnown = true
	}
	r.State = state(r)
	r.Uncertain = append(r.Uncertain, "State")
	return nil
}

// alarms asks which alarm is shown, and adds those that were shown since the flag was last clear.
func (c *Conn) alarms(ctx context.Context, r *drivers.Report, flag bool) error {
	ok, err := c.get(ctx, r, wire.Alarm)
	if err != nil {
		return err
	}
	s := c.session
	code, texts := exchange.Text(c.reply.Code), c.reply.Texts
	switch {
	case !ok && flag:
		r.AlarmsReason = "the pump says that there is an alarm and does not say which"
		return nil
	case !ok:
		s.shown = nil
		r.AlarmsKnown = true
		return nil
	case code == noAlarm && flag:
		r.AlarmsReason = "the pump says that there is an alarm, and then names none"
		return nil
	case code == noAlarm:
		s.shown = nil
		r.AlarmsKnown = true
		return nil
	}
	if !slices.Contains(s.shown, code) {
		s.shown = append(s.shown, code)
	}
	r.AlarmsKnown = true
	for _, known := range s.shown {
		m := lookup(known)
		a := drivers.Alarm{Code: m.Code, RawCode: known, Text: m.Text, Derived: known != code}
		if known == code {
			a.Text = joined(m.Text, texts)
		}
		r.Alarms = append(r.Alarms, a)
	}
	return nil
}

// joined keeps the pump's own words beside ours.
func joined(text string, own [2][]byte) string {
	var words []string
	for _, w := range own {
		if len(w) > 0 {
			words = append(words, exchange.Text(w))
		}
	}
	if len(words) == 0 {
		return text
	}
	return text + ": " + strings.Join(words, " ")
}

// rest asks what INF does not tell.
func (c *Conn) rest(ctx context.Context, r *drivers.Report) error {
	ok, err := c.get(ctx, r, wire.Rate)
	if err != nil {
		return err
	}
	if ok {
		if r.ProgrammedRate = rate(r, wire.Rate.String(), c.reply.Value, c.reply.Unit); r.ProgrammedRate.Valid {
			r.Uncertain = append(r.Uncertain, "ProgrammedRate")
		}
	}
	s := c.session
	if now := c.line.Now(); s.started && now-s.slowAt < slowEvery {
		return nil
	}
	s.slowAt = c.line.Now()
	if ok, err = c.get(ctx, r, wire.VTBI); err != nil {
		return err
	}
	if ok && string(c.reply.Text) != "DEACT" {
		if r.VTBI = quantity(r, wire.VTBI.String(), c.reply.Value, c.reply.Unit, "ml", drivers.Milliliter); r.VTBI.Valid {
			r.Uncertain = append(r.Uncertain, "VTBI")
		}
	}
	if ok, err = c.get(ctx, r, wire.Syringe); err != nil {
		return err
	}
	if v := c.reply.Value; ok && v.Valid {
		r.ContainerSize = drivers.Number(v.Mantissa, -v.Decimals, drivers.Milliliter)
	}
	return nil
}

// state derives what the pump does; see the package comment.
func state(r *drivers.Report) drivers.RunState {
	q := r.PumpReportedRate
	switch {
	case !q.Valid:
		return drivers.RunUnknown
	case q.Mantissa == 0 || r.Mode == "HLD":
		return drivers.RunStopped
	}
	for _, a := range r.Alarms {
		if lookup(a.RawCode).kvo && !a.Derived {
			return drivers.RunKVO
		}
	}
	return drivers.RunInfusing
}

func rate(r *drivers.Report, name string, n wire.Number, unit []byte) drivers.Quantity {
	q := quantity(r, name, n, unit, "ml/h", drivers.MilliliterPerHour)
	limit := int64(maxRate)
	for range n.Decimals {
		limit *= 10
	}
	if q.Valid && q.Mantissa > limit {
		unavailable(r, fmt.Sprintf("%s (%s is beyond %d ml/h)", name, q.Decimal(), maxRate))
		return drivers.Quantity{}
	}
	return q
}

// quantity keeps a number as the pump printed it. One in another unit is absent, and the report says why.
func quantity(r *drivers.Report, name string, n wire.Number, unit []byte, want string, u drivers.Unit) drivers.Quantity {
	switch {
	case !n.Valid:
		return drivers.Quantity{}
	case string(unit) != want:
		unavailable(r, fmt.Sprintf("%s (in the unit %q)", name, exchange.Text(unit)))
		return drivers.Quantity{}
	}
	return drivers.Number(n.Mantissa, -n.Decimals, u)
}
