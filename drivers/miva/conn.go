package miva

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// Conn is one conversation with one pump. It belongs to one goroutine.
type Conn struct {
	port     drivers.Port
	rule     wire.Checksum
	readback int
	now      func() time.Duration
	anchors  map[string]string // by serial number; moves when a report is returned
	session  *session          // nil: the next Poll begins one

	scan        *wire.Scanner
	in          [512]byte
	sent, frame []byte // the last query, its payload and its frame
	reply       wire.Reply
	unsolicited int

	owed    map[wire.Query]time.Duration // until when a lost answer may still arrive
	watched wire.Query                   // while confirming: the query whose second answer would be a doubt
	doubles int
	kept    []byte // the text of the answer that is being confirmed
	rest    []byte // what was received behind the last answer, a view into in
}

// session is what is known of one pump between its identification and the
// first failure.
type session struct {
	serial, firmware, model string

	started  bool // the queries of session start were asked
	slowAt   time.Duration
	asked    map[wire.Query]standing
	clock    wire.Clock // as last read; its format counts for log records
	hasClock bool
	log      logState
}

// standing is how a query fared in this session.
type standing struct {
	answered    bool
	unavailable bool          // never answered, and the pump proved to be alive
	since       time.Duration // when it was found unavailable
	once        bool          // failed before: no retries
}

func newSession(serial string) *session {
	return &session{serial: serial, asked: make(map[wire.Query]standing)}
}

// Poll asks the pump once. Any error ends the session, so that the next Poll
// starts with identity, state and log since the last returned anchor.
func (c *Conn) Poll(ctx context.Context, report func(drivers.Report)) error {
	r, err := c.cycle(ctx)
	if err != nil {
		c.session = nil
		return fmt.Errorf("miva: %w", err)
	}
	c.anchors[r.Identity.Serial] = r.Anchor
	report(r)
	return nil
}

// Close ends the conversation; it writes nothing.
func (c *Conn) Close() error {
	c.session = nil
	return nil
}

// identify asks for the serial number, with retries. Within a session a
// serial number other than the session's is drivers.ErrIdentity.
func (c *Conn) identify(ctx context.Context) (string, error) {
	var err error
	for range attempts {
		if err = c.once(ctx, wire.Serial, 0); !errors.Is(err, errNoAnswer) {
			break
		}
	}
	if err != nil {
		return "", err
	}
	serial := string(c.reply.Text)
	if c.session != nil && serial != c.session.serial {
		return "", fmt.Errorf("serial number %s answers, the session began with %s: %w", serial, c.session.serial, drivers.ErrIdentity)
	}
	return serial, nil
}

// ask puts one query with retries and leaves the answer in c.reply. It
// returns errUnavailable when the value is absent in this cycle; any other error ends the cycle.
func (c *Conn) ask(ctx context.Context, q wire.Query, index uint32) error {
	was := c.session.asked[q]
	if was.unavailable && c.now()-was.since < unavailableFor {
		return errUnavailable
	}
	tries := attempts
	if was.once {
		tries = 1
	}
	var err error
	for range tries {
		err = c.once(ctx, q, index)
		if err == nil {
			err = c.confirm(ctx, q)
		}
		if err == nil {
			c.session.asked[q] = standing{answered: true}
			return nil
		}
		if errors.Is(err, errRefused) {
			return fmt.Errorf("%w: %w", errUnavailable, err)
		}
		c.owed[lookalike(q)] = c.now() + owedFor
		if !errors.Is(err, errNoAnswer) {
			return err
		}
		// A late answer must not pass as the answer to what is asked next: the
		// answer to RN, which carries its letters, comes behind it. It also proves that the pump is alive.
		if _, lost := c.identify(ctx); lost != nil {
			return lost
		}
	}
	if was.answered {
		return fmt.Errorf("answered before in this session: %w", err)
	}
	c.session.asked[q] = standing{unavailable: errors.Is(err, drivers.ErrSilent), since: c.now(), once: true}
	return fmt.Errorf("%w: %w", errUnavailable, err)
}

// lookalike gives queries whose answers cannot be told apart the same name.
func lookalike(q wire.Query) wire.Query {
	if q == wire.TextProgrammedRate {
		return wire.TextRate
	}
	return q
}

// confirm looks twice at an answer while an earlier one is still owed, which may be it: when RN's
// answer comes and no second answer stood before it, the answer stands. On a line that keeps
// its order this never finds anything; it is for lines that do not.
func (c *Conn) confirm(ctx context.Context, q wire.Query) error {
	until, owed := c.owed[lookalike(q)]
	if !owed || q == wire.LogRecord { // a record's index says which one it is
		return nil
	}
	if c.now() >= until {
		delete(c.owed, lookalike(q))
		return nil
	}
	answer := c.reply
	c.kept = append(c.kept[:0], answer.Text...)
	c.watched, c.doubles = q, 0
	_, err := c.identify(ctx)
	c.watched = wire.NoQuery
	if err != nil {
		return err
	}
	if c.doubles > 0 {
		return fmt.Errorf("ask %s: two answers to one query: %w: %w", q, errNoAnswer, drivers.ErrMismatch)
	}
	c.reply = answer
	c.reply.Text = c.kept
	return nil
}

// get asks a query whose absence is no failure, and names it in the report when it is absent.
func (c *Conn) get(ctx context.Context, r *drivers.Report, q wire.Query) (bool, error) {
	err := c.ask(ctx, q, 0)
	if errors.Is(err, errUnavailable) {
		if !slices.Contains(r.Unavailable, q.String()) {
			r.Unavailable = append(r.Unavailable, q.String())
		}
		return false, nil
	}
	return err == nil, err
}
