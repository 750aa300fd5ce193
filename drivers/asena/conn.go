package asena

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
)

// Conn is one conversation with one pump. It belongs to one goroutine.
type Conn struct {
	port    drivers.Port
	now     func() time.Duration
	session *session // nil: the next Poll begins one

	scan  wire.Scanner
	in    [512]byte
	frame []byte // the last request's frame
	reply wire.Reply

	count    uint64 // of requests written
	owed     map[wire.Request]debt
	patience time.Duration // the longest time to an answer that the pump declared
	slow     bool          // an answer came after replyTimeout: patience is the time-out
	late     bool          // one did in this cycle
	refused  int           // frames of this cycle that carried the right name and were no reply
}

// debt is an answer that did not come in time and may still come.
type debt struct {
	first, last uint64 // of the requests of this name that have no answer, by their count
	until       time.Duration
}

// session is what is known of one pump between its identification and the first failure.
type session struct {
	serial, protocol string

	started bool // the requests of session start were put
	slowAt  time.Duration
	alarmAt time.Duration
	entry   string // the log entry number before which ALARM was asked last; empty: never
	asked   map[wire.Request]standing
}

// standing is how a request fared in this session.
type standing struct {
	answered    bool
	unavailable bool          // never answered, and the pump proved to be alive
	since       time.Duration // when it was found unavailable
	once        bool          // failed before: no repeats
}

func newSession(serial string) *session {
	return &session{serial: serial, asked: make(map[wire.Request]standing)}
}

// Poll asks the pump once. Any error ends the session, so that the next Poll starts with identity.
func (c *Conn) Poll(ctx context.Context, report func(drivers.Report)) error {
	r, err := c.cycle(ctx)
	if err != nil {
		c.session = nil
		return fmt.Errorf("asena: %w", err)
	}
	report(r)
	return nil
}

// Close ends the conversation; it writes nothing.
func (c *Conn) Close() error {
	c.session = nil
	return nil
}

// identify asks for the serial number.
func (c *Conn) identify(ctx context.Context) (string, error) {
	if err := c.repeat(ctx, wire.SerialNo, attempts); err != nil {
		return "", err
	}
	serial := string(c.reply.Field(wire.SerialField))
	return serial, c.same(serial)
}

// same checks a serial number against the session's.
func (c *Conn) same(serial string) error {
	if c.session != nil && serial != c.session.serial {
		return fmt.Errorf("serial number %s answers, the session began with %s: %w", serial, c.session.serial, drivers.ErrIdentity)
	}
	return nil
}

// ask puts a request whose answer the report can do without, and leaves the answer in c.reply. It returns
// errUnavailable when the value is absent in this cycle; any other error ends the cycle.
func (c *Conn) ask(ctx context.Context, q wire.Request) error {
	was := c.session.asked[q]
	if was.unavailable && c.now()-was.since < unavailableFor {
		return errUnavailable
	}
	tries := attempts
	if was.once {
		tries = 1
	}
	err := c.repeat(ctx, q, tries)
	switch {
	case err == nil:
		c.session.asked[q] = standing{answered: true}
		return nil
	case errors.Is(err, errRefused):
		return fmt.Errorf("%w: %w", errUnavailable, err)
	case !errors.Is(err, errNoAnswer):
		return err
	case was.answered:
		return fmt.Errorf("answered before in this session: %w", err)
	}
	c.session.asked[q] = standing{unavailable: errors.Is(err, drivers.ErrSilent), since: c.now(), once: true}
	return fmt.Errorf("%w: %w", errUnavailable, err)
}

// repeat puts a request up to tries times. Between two tries the pump proves that it is alive and that
// no earlier answer is under way; when it does not, the error is no errNoAnswer.
func (c *Conn) repeat(ctx context.Context, q wire.Request, tries int) error {
	var err error
	for range tries {
		if c.owes(q) {
			if err := c.settle(ctx, q); err != nil {
				return err
			}
		}
		err = c.once(ctx, q)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errRefused):
		case !errors.Is(err, errNoAnswer):
			return err
		default:
			if lost := c.settle(ctx, q); lost != nil {
				return lost
			}
		}
	}
	return err
}

// owes says whether an earlier answer to a request may still come.
func (c *Conn) owes(q wire.Request) bool {
	d, owed := c.owed[q]
	if owed && c.now() >= d.until {
		delete(c.owed, q)
		return false
	}
	return owed
}

// fences are the requests that settle what is owed, the serial number first. None of them but
// the first is asked in an ordinary cycle, so that their answers seldom are owed themselves.
var fences = [...]wire.Request{wire.SerialNo, wire.Protocol, wire.ResponseMax, wire.RateMax, wire.VolumeInfused}

// settle puts requests of other names until one that was put after the last q is answered: a pump answers
// in order, so q's answer is then behind it, or will never come. It also tells that the pump is alive. All
// in all the pump has the time for it that it declares.
func (c *Conn) settle(ctx context.Context, q wire.Request) error {
	tries := 1
	if !c.slow {
		tries = max(2, int((c.patience-replyTimeout)/replyTimeout))
	}
	var open []wire.Request
	var err error
	for range tries {
		f := c.fence(q, open)
		open = append(open, f)
		var got wire.Request
		got, err = c.exchange(ctx, f, open)
		if errors.Is(err, errNoAnswer) {
			continue
		}
		if err != nil && !errors.Is(err, errRefused) {
			return err
		}
		if err == nil && got == wire.SerialNo {
			if err := c.same(string(c.reply.Field(wire.SerialField))); err != nil {
				return err
			}
		}
		if !c.owes(q) {
			return nil
		}
	}
	if err == nil || errors.Is(err, errRefused) {
		err = fmt.Errorf("an answer to %s is still owed: %w", q, drivers.ErrSilent)
	}
	return &deadError{err}
}

// fence picks a request that nothing is owed to, or the one that is owed longest.
func (c *Conn) fence(q wire.Request, open []wire.Request) wire.Request {
	best := wire.NoRequest
	for _, f := range fences {
		if f == q || slices.Contains(open, f) {
			continue
		}
		if !c.owes(f) {
			return f
		}
		if best == wire.NoRequest || c.owed[f].first < c.owed[best].first {
			best = f
		}
	}
	return best
}

// wait is how long an answer may take.
func (c *Conn) wait() time.Duration {
	if c.slow {
		return c.patience
	}
	return replyTimeout
}

// get asks a request whose absence is no failure, and names it in the report when it is absent.
func (c *Conn) get(ctx context.Context, r *drivers.Report, q wire.Request) (bool, error) {
	err := c.ask(ctx, q)
	if errors.Is(err, errUnavailable) {
		absent(r, q.String())
		return false, nil
	}
	return err == nil, err
}

// absent names what this report does without.
func absent(r *drivers.Report, what string) {
	if !slices.Contains(r.Unavailable, what) {
		r.Unavailable = append(r.Unavailable, what)
	}
}
