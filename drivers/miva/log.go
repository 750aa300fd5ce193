package miva

import (
	"context"
	"errors"
	"fmt"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// phase is how far the reading of the log has come in a session.
type phase uint8

const (
	phaseOpen    phase = iota // the anchor was not compared yet
	phaseBack                 // reading back for the state of alarms
	phaseForward              // reading what is new
)

// logState is the reading of one pump's log within a session.
type logState struct {
	phase   phase
	derived derived

	start  uint32   // phaseBack: the newest index that is read
	back   []logged // phaseBack: newest first, bounded by the setting
	fresh  bool     // phaseBack: the records were not handed over before
	gapped *drivers.LogGap

	next      uint32 // phaseForward: the index to read next
	blankHead bool   // phaseForward: the record at the head is not written yet
	anchor    string // where the last record handed over stands
}

// batch is what one cycle read of the log.
type batch struct {
	units []unit
	gap   *drivers.LogGap
	left  int // records that may still be read in this cycle
	head  uint32
}

// events reads the log and, when it is due or needed for ages, the clock. It says whether there were new records.
func (c *Conn) events(ctx context.Context, r *drivers.Report, slow bool) (news bool, err error) {
	s := c.session
	b := batch{left: recordsPerCycle}
	if err := c.readLog(ctx, r, &b); err != nil {
		return false, err
	}
	var age clockAge
	if slow || len(b.units) > 0 || len(s.log.derived.active) > 0 {
		ok, err := c.get(ctx, r, wire.PumpClock)
		if err != nil {
			return false, err
		}
		if ok {
			age = clockAge{clock: c.reply.Clock, read: true}
			s.clock, s.hasClock = age.clock, true
			r.PumpClock = clockText(age.clock)
			if !age.clock.Old {
				r.PumpClockS = drivers.Number(int64(age.clock.Seconds()), 0, drivers.Second)
			}
		}
	}
	s.export(r, &b, age)
	r.AlarmsKnown = r.AlarmsReason == ""
	if r.AlarmsKnown {
		r.Alarms = s.alarms(age)
	}
	return len(b.units) > 0, nil
}

// readLog goes on reading where the session stands. It sets LogSeen, Anchor and
// AlarmsReason.
func (c *Conn) readLog(ctx context.Context, r *drivers.Report, b *batch) error {
	s := &c.session.log
	ok, err := c.get(ctx, r, wire.LogIndices)
	if err != nil {
		return err
	}
	g := ring{tail: c.reply.N[0], head: c.reply.N[1]}
	if !ok || !g.valid() {
		r.AlarmsReason = "the pump does not tell where its log begins and ends"
		return nil
	}
	b.head = g.head
	if s.phase == phaseForward && !g.holds(s.next) && s.next != (g.head+1)%wire.RingSize {
		s.restart(g, gapAfter(s.anchor, "the pump's log went on past what was read, or was cleared"))
	}
	for _, step := range []struct {
		phase phase
		run   func(context.Context, ring, *batch) error
	}{{phaseOpen, c.openLog}, {phaseBack, c.readBack}, {phaseForward, c.readForward}} {
		if s.phase != step.phase {
			continue
		}
		if err := step.run(ctx, g, b); errors.Is(err, errUnavailable) {
			r.AlarmsReason = "the pump does not tell the records of its log"
			r.Unavailable = append(r.Unavailable, wire.LogRecord.String())
			break
		} else if err != nil {
			return err
		}
	}
	// Blank flash at the head counts as read.
	seen := s.next == (g.head+1)%wire.RingSize || s.next == g.head && s.blankHead
	r.LogSeen = s.phase == phaseForward && r.AlarmsReason == "" && seen
	switch {
	case r.AlarmsReason != "":
	case !r.LogSeen:
		r.AlarmsReason = "the log is still being read"
	case !s.derived.known:
		r.AlarmsReason = "no record that tells the state of alarms was found in the log"
	}
	return nil
}

func gapAfter(anchorText, reason string) *drivers.LogGap {
	gap := &drivers.LogGap{Reason: reason}
	if a, ok := parseAnchor(anchorText); ok {
		gap.From = fmt.Sprintf("%08X", a.index)
	}
	return gap
}

// restart begins anew at the head, with records that were not handed over before.
func (s *logState) restart(g ring, gap *drivers.LogGap) {
	*s = logState{phase: phaseBack, start: g.head, fresh: true, gapped: gap, anchor: s.anchor}
}

// openLog finds the place where an earlier session ended.
func (c *Conn) openLog(ctx context.Context, g ring, b *batch) error {
	s := &c.session.log
	text := c.anchors[c.session.serial]
	if text == "" {
		s.restart(g, nil)
		return nil
	}
	s.anchor = text
	a, ok := parseAnchor(text)
	reason := ""
	switch {
	case !ok:
		reason = "the stored place in the log cannot be read"
	case !g.holds(a.index):
		reason = "the record read last was overwritten, or the log was cleared"
	case distance(a.index, g.head) < distance(a.index, a.head):
		reason = "the log ends before the record that was its newest"
	}
	if reason == "" {
		l, err := c.record(ctx, a.index, b)
		if err != nil {
			return err
		}
		if a.matches(l) {
			*s = logState{phase: phaseBack, start: a.index, back: []logged{l}, anchor: text}
			return nil
		}
		reason = "the record read last is another one now"
	}
	s.restart(g, gapAfter(text, reason))
	return nil
}

// record reads one record of the ring.
func (c *Conn) record(ctx context.Context, index uint32, b *batch) (logged, error) {
	b.left--
	if err := c.ask(ctx, wire.LogRecord, index); err != nil {
		return logged{}, err
	}
	return logged{index: index, record: c.reply.Record}, nil
}

// readBack reads from start downwards until the state of alarms is settled, the
// bound is reached or there is nothing older.
func (c *Conn) readBack(ctx context.Context, g ring, b *batch) error {
	s := &c.session.log
	minimum := 1 // an anchor stands behind complete blocks
	if s.fresh {
		minimum = longBlock
	}
	for {
		var parsed backward
		if len(s.back) <= 2*longBlock || b.left <= 0 || len(s.back) >= c.readback {
			parsed = parseBack(s.back, minimum) // of a long way back only once a cycle
		}
		index := (s.start + wire.RingSize - uint32(len(s.back))) % wire.RingSize
		all := uint32(len(s.back)) > distance(g.tail, s.start)
		if parsed.done || all || len(s.back) >= c.readback || !g.holds(index) {
			s.settle(parseBack(s.back, minimum), all, b)
			return nil
		}
		if b.left <= 0 {
			return nil
		}
		l, err := c.record(ctx, index, b)
		if err != nil {
			return err
		}
		s.back = append(s.back, l)
	}
}

// settle takes over what was read back.
func (s *logState) settle(parsed backward, all bool, b *batch) {
	// When the whole log was read, what it does not hold is not active.
	s.derived.known = all
	for _, u := range parsed.units {
		s.take(u)
	}
	s.phase = phaseForward
	s.next = (s.start + 1 + wire.RingSize - uint32(parsed.skip)) % wire.RingSize
	if s.fresh {
		b.units = append(b.units, parsed.units...)
	}
	b.gap, s.gapped = s.gapped, nil
	s.back = nil
}

// readForward reads what is new, in units: an incomplete block of program data waits.
func (c *Conn) readForward(ctx context.Context, g ring, b *batch) error {
	s := &c.session.log
	var records []logged
	s.blankHead = false
	for index := s.next; index != (g.head+1)%wire.RingSize && b.left > 0; index = (index + 1) % wire.RingSize {
		l, err := c.record(ctx, index, b)
		if err != nil {
			return err
		}
		records = append(records, l)
	}
	units, consumed := parseForward(records)
	if rest := records[consumed:]; len(rest) == 1 {
		s.blankHead = rest[0].index == g.head && rest[0].record.Blank()
	}
	for _, u := range units {
		s.take(u)
	}
	b.units = append(b.units, units...)
	s.next = (s.next + uint32(consumed)) % wire.RingSize
	return nil
}

// take lets a unit count for the derived state.
func (s *logState) take(u unit) {
	switch {
	case u.broken:
		s.derived.known = false // events may hide among what looks like data
	case !u.data:
		s.derived.apply(u.records[0])
	}
}
