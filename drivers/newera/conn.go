package newera

import (
	"context"
	"errors"
	"fmt"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/exchange"
	"infusiond/drivers/newera/wire"
)

// maxNoise is how many bytes without an answer end the wait for it.
const maxNoise = 8 * wire.MaxFrame

var (
	// errNoAnswer marks a wait that ended without an answer; the cause is wrapped beside it.
	errNoAnswer = errors.New("no answer")
	// errUnavailable marks a value that is absent in this cycle.
	errUnavailable = errors.New("unavailable")
	// errUnsteady marks replies that did not agree.
	errUnsteady = errors.New("replies do not agree")
	// errAlarm marks a reply that told an alarm in place of a value. The next reply tells the value.
	errAlarm = errors.New("alarm in place of a value")
)

// Conn is one conversation with the pumps of a line. It belongs to one goroutine.
type Conn struct {
	line    *exchange.Line
	framing wire.Framing
	anchors map[string]string
	pumps   []*pump
	scan    wire.Scanner
	frame   []byte

	unsolicited int
}

// pump is one address on the line.
type pump struct {
	name   string // as configured
	number int

	begun   bool // the anchor was read
	live    bool // it answered since the last failure
	tried   bool
	model   string
	latch   latch
	slowAt  time.Duration
	started bool

	status    byte // of the last reply of this cycle, 0: none
	confirmed bool // the reply before carried it, too
}

// greet looks for the first pump that answers.
func (c *Conn) greet(ctx context.Context) error {
	var last error
	for _, p := range c.pumps {
		c.begin(p)
		p.tried = true
		if last = c.identify(ctx, p, attempts); last == nil || !errors.Is(last, errNoAnswer) && !errors.Is(last, errUnsteady) {
			return last
		}
	}
	return last
}

// begin reads what is known of a pump from earlier conversations.
func (c *Conn) begin(p *pump) {
	if !p.begun {
		p.latch = latchOf(c.anchors[drivers.AnchorKey("", p.name)])
		p.begun = true
	}
}

// Poll asks every pump: the live ones first, then those that failed in this cycle once more, then the dead ones. An error is
// returned only when no pump has a report, or when line or context ended.
func (c *Conn) Poll(ctx context.Context, report func(drivers.Report)) error {
	c.unsolicited = 0
	reported := false
	var last error
	visit := func(p *pump, tries int) (bool, error) {
		c.begin(p)
		r, err := c.cycle(ctx, p, tries)
		switch {
		case err == nil:
			report(r)
			reported = true
			return true, nil
		case !errors.Is(err, errNoAnswer) && !errors.Is(err, errUnsteady):
			return false, fmt.Errorf("newera: pump %s: %w", p.name, err)
		}
		p.live, p.started = false, false
		last = err
		return false, nil
	}
	var again, dead []*pump
	for _, p := range c.pumps {
		if !p.live {
			dead = append(dead, p)
			continue
		}
		if ok, err := visit(p, 1); err != nil {
			return err
		} else if !ok {
			again = append(again, p)
		}
	}
	for _, p := range again {
		if _, err := visit(p, attempts); err != nil {
			return err
		}
	}
	for _, p := range dead {
		tries := attempts
		if p.tried && len(c.pumps) > 1 {
			tries = 1
		}
		p.tried = true
		if _, err := visit(p, tries); err != nil {
			return err
		}
	}
	if reported {
		return nil
	}
	return fmt.Errorf("newera: %w", last)
}

// Close ends the conversation; it writes nothing.
func (c *Conn) Close() error {
	for _, p := range c.pumps {
		p.live, p.started = false, false
	}
	return nil
}
