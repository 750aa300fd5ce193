package newera

import (
	"context"
	"errors"
	"fmt"

	"infusiond/drivers"
	"infusiond/drivers/exchange"
	"infusiond/drivers/newera/wire"
)

// reading is one decoded reply. It holds no view.
type reading struct {
	infused, withdrawn wire.Number
	unit               wire.Unit
	text               string
}

// once sends one query and waits for its answer. What comes from another address, or answers something else, is not it; an
// alarm is latched whoever tells it.
func (c *Conn) once(ctx context.Context, p *pump, q wire.Query) (reading, error) {
	c.scan.Reset()
	if err := c.line.Drain(); err != nil {
		return reading{}, err
	}
	c.frame = wire.AppendQuery(c.frame[:0], p.number, q, c.framing)
	if err := c.line.Send(ctx, c.frame); err != nil {
		return reading{}, fmt.Errorf("ask %s: %w", q, err)
	}
	bad, strange := c.scan.Bad(), false
	deadline := c.line.Now() + replyTimeout
	for taken := 0; taken < maxNoise; {
		in, err := c.line.Read(ctx, deadline)
		if exchange.Silent(err) {
			break
		}
		if err != nil {
			return reading{}, fmt.Errorf("read the answer to %s: %w", q, err)
		}
		taken += len(in)
		for {
			data, framing, used := c.scan.Next(in)
			in = in[used:]
			if data == nil && len(in) == 0 {
				break
			}
			if data == nil {
				continue
			}
			got, answered, err := c.match(data, framing, p, q)
			if answered {
				return got, err
			}
			strange = true
		}
	}
	p.latch.doubt = true // what was lost may have been an alarm, and it is acknowledged now
	return reading{}, fmt.Errorf("ask %s: %w: %w", q, errNoAnswer, c.blame(c.scan.Bad() > bad, strange))
}

// match says whether data is the answer of p to q, and reads it.
func (c *Conn) match(data []byte, framing wire.Framing, p *pump, q wire.Query) (reading, bool, error) {
	var r wire.Reply
	if wire.DecodeReply(data, &r) != nil {
		return reading{}, false, nil
	}
	if r.Status == 'A' {
		for _, other := range c.pumps {
			if other.number == r.Address {
				c.begin(other)
				other.latch.raise("A?" + string(rune(r.Alarm)))
			}
		}
		if framing == wire.Safe {
			c.unsolicited++
		}
		p.status, p.confirmed = 0, false
		return reading{}, r.Address == p.number, errAlarm
	}
	if r.Address != p.number {
		return reading{}, false, nil
	}
	if refusal := r.Refusal(); refusal != "" {
		return reading{}, true, fmt.Errorf("%w: the pump answers %s", errUnavailable, exchange.Text([]byte(refusal)))
	}
	var v wire.Value
	if v.Decode(r.Data, q) != nil {
		return reading{}, false, nil
	}
	p.confirmed = p.status == r.Status
	p.status = r.Status
	return reading{v.Infused, v.Withdrawn, v.Unit, string(v.Text)}, true, nil
}

// blame says why there was no answer.
func (c *Conn) blame(corrupt, strange bool) error {
	switch {
	case corrupt && errors.Is(c.scan.LastBad(), wire.ErrChecksum):
		return drivers.ErrChecksum
	case corrupt:
		return drivers.ErrMalformed
	case strange:
		return drivers.ErrMismatch
	}
	return drivers.ErrSilent
}

// ask repeats a query that is not answered. An alarm in place of the answer does not count as a try.
func (c *Conn) ask(ctx context.Context, p *pump, q wire.Query, tries int) (reading, error) {
	var err error
	for alarms := 0; tries > 0 && alarms < len(alarmTable); {
		var got reading
		got, err = c.once(ctx, p, q)
		switch {
		case errors.Is(err, errAlarm):
			alarms++
		case errors.Is(err, errNoAnswer):
			tries--
		default:
			return got, err
		}
	}
	if errors.Is(err, errAlarm) {
		err = fmt.Errorf("ask %s: alarms without end: %w: %w", q, errUnsteady, drivers.ErrMismatch)
	}
	return reading{}, err
}

// steadyReads is how often a query is asked at most until two replies in a row agree.
const steadyReads = 5

// steady asks until two replies in a row are the same. Of three in a row that grow the middle one is taken: it
// lies between two others. Only a volume grows.
func (c *Conn) steady(ctx context.Context, p *pump, q wire.Query, tries int) (reading, error) {
	var last [2]reading
	for n := range steadyReads {
		got, err := c.ask(ctx, p, q, tries)
		if err != nil {
			return reading{}, err
		}
		if n > 0 && got == last[1] {
			return got, nil
		}
		if n > 1 && q == wire.Dispensed && grows(last[0], last[1]) && grows(last[1], got) {
			return last[1], nil
		}
		last[0], last[1] = last[1], got
	}
	return reading{}, fmt.Errorf("ask %s: %w: %w", q, errUnsteady, drivers.ErrMismatch)
}

func grows(a, b reading) bool {
	return a.unit == b.unit && !less(b.infused, a.infused) && !less(b.withdrawn, a.withdrawn)
}

// less compares two numbers of at most four digits exactly.
func less(a, b wire.Number) bool {
	x, y := int64(a.Mantissa), int64(b.Mantissa)
	for range b.Decimals {
		x *= 10
	}
	for range a.Decimals {
		y *= 10
	}
	return x < y
}
