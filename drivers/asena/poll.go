package asena

import (
	"context"
	"strconv"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
)

// closings is how often INF is asked at most to close a cycle.
const closings = 4

// status is one answer to INF, as the pump wrote it.
type status struct {
	text [wire.LogEntryField + 1]string
	good [wire.LogEntryField + 1]bool
}

// agrees says whether two answers tell the same of alarms, mode and rate.
func (s status) agrees(o status) bool {
	for _, i := range []int{wire.FlagField, wire.ModeField, wire.RateField, wire.RateUnitField, wire.LogEntryField} {
		if s.text[i] != o.text[i] {
			return false
		}
	}
	return true
}

// cycle makes one report. It commits nothing that outlives the session.
func (c *Conn) cycle(ctx context.Context) (drivers.Report, error) {
	bad := c.scan.Bad()
	c.refused, c.late = 0, false
	if c.session == nil {
		serial, err := c.identify(ctx)
		if err != nil {
			return drivers.Report{}, err
		}
		c.session = newSession(serial)
	}
	var r drivers.Report
	opening, err := c.status(ctx)
	if err != nil {
		return drivers.Report{}, err
	}
	if err := c.gather(ctx, &r); err != nil {
		return drivers.Report{}, err
	}
	// The closing INF proves that all of this came from one pump.
	closing, seen, err := c.close(ctx, &r, opening)
	if err != nil {
		return drivers.Report{}, err
	}
	c.slow = c.slow && c.late
	c.session.started = true
	fill(&r, closing)
	seen.fill(&r, closing)
	r.State = runState(&r)
	r.Identity = drivers.Identity{Serial: c.session.serial, Model: model(c.session.protocol)}
	r.BadFrames = c.scan.Bad() - bad + c.refused
	return r, nil
}

func model(protocol string) string {
	if protocol == "" {
		return "Alaris"
	}
	return "Alaris (" + protocol + ")"
}

// status asks INF, which carries the serial number.
func (c *Conn) status(ctx context.Context) (status, error) {
	var s status
	if err := c.repeat(ctx, wire.Status, attempts); err != nil {
		return s, err
	}
	for i := range s.text {
		s.text[i], s.good[i] = string(c.reply.Field(i)), c.reply.Good(i)
	}
	return s, c.same(s.text[wire.SerialField])
}

// gather asks all that is due between the opening and the closing INF, but for ALARM.
func (c *Conn) gather(ctx context.Context, r *drivers.Report) error {
	if !c.session.started {
		if err := c.introduce(ctx, r); err != nil {
			return err
		}
	}
	ok, err := c.get(ctx, r, wire.Rate)
	if err != nil {
		return err
	}
	if ok {
		r.ProgrammedRate = rate(r, wire.Rate.String(), amountOf(&c.reply, wire.AmountField))
		uncertain(r, "ProgrammedRate", r.ProgrammedRate.Valid)
	}
	if ok, err = c.get(ctx, r, wire.VTBI); err != nil {
		return err
	}
	if ok {
		r.VTBI = vtbi(r, &c.reply)
		uncertain(r, "VTBI", r.VTBI.Valid)
	}
	if c.session.started && c.now()-c.session.slowAt < slowEvery {
		return nil
	}
	c.session.slowAt = c.now()
	if ok, err = c.get(ctx, r, wire.Syringe); err != nil {
		return err
	}
	if ok {
		r.ContainerSize = syringe(r, &c.reply)
	}
	return nil
}

// introduce asks what does not change within a session.
func (c *Conn) introduce(ctx context.Context, r *drivers.Report) error {
	ok, err := c.get(ctx, r, wire.ResponseMax)
	if err != nil {
		return err
	}
	if ok {
		ms, err := strconv.Atoi(string(c.reply.Field(wire.DelayField)))
		if err == nil && string(c.reply.Field(wire.DelayField+1)) == "ms" {
			c.patience = min(max(shortestWait, time.Duration(min(ms, 1e6))*time.Millisecond), longestWait)
		}
	}
	if ok, err = c.get(ctx, r, wire.Protocol); err != nil {
		return err
	}
	if ok {
		c.session.protocol = string(c.reply.Field(wire.NameField))
	}
	return nil
}

// close asks ALARM when it is due and then INF, until the INF before and the one after ALARM agree
// and ALARM fits them, or for so long that they need not agree.
func (c *Conn) close(ctx context.Context, r *drivers.Report, before status) (status, alarmSeen, error) {
	var seen alarmSeen
	for range closings {
		if err := c.alarm(ctx, r, before, &seen); err != nil {
			return status{}, seen, err
		}
		after, err := c.status(ctx)
		if err != nil {
			return status{}, seen, err
		}
		if after.agrees(before) && (after.text[wire.FlagField] != flagAlarm || seen.now || !seen.answered) {
			return after, seen, nil
		}
		before = after
	}
	return before, seen, nil
}

// alarm asks ALARM when the flag is set, when the log has a new entry, and every ten seconds.
func (c *Conn) alarm(ctx context.Context, r *drivers.Report, s status, seen *alarmSeen) error {
	entry := s.text[wire.LogEntryField]
	if s.text[wire.FlagField] == flagNone && entry == c.session.entry && c.now()-c.session.alarmAt < alarmEvery {
		return nil
	}
	seen.answered, seen.now = false, false
	ok, err := c.get(ctx, r, wire.Alarm)
	if err != nil {
		return err
	}
	c.session.entry, c.session.alarmAt = entry, c.now()
	if ok {
		seen.add(&c.reply)
	}
	return nil
}
