package asena

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
	"infusiond/drivers/exchange"
)

// maxNoise is how many bytes without an answer end the wait for it.
const maxNoise = 4 * wire.MaxFrame

var (
	// errNoAnswer marks a wait that ended without an answer; the cause is wrapped beside it.
	errNoAnswer = errors.New("no answer")
	// errRefused marks an answer to this request that cannot be read.
	errRefused = errors.New("no value in the answer")
	// errUnavailable marks a value that is absent in this cycle.
	errUnavailable = errors.New("unavailable")
)

// Conn is one conversation with one pump. It belongs to one goroutine.
type Conn struct {
	line    *exchange.Line
	anchors map[string]string // by serial number; moves when a report is handed over
	session *session          // nil: the next Poll begins one
	scan    wire.Scanner
	reply   wire.Reply // views into kept
	kept    []byte
	frame   []byte
}

// session is what is known of one pump between its identification and the first failure.
type session struct {
	serial, firmware string

	started bool
	patient time.Duration // the longest reply that the pump declares
	slowAt  time.Duration
	alarmAt time.Duration
	logID   string
	shown   []string // codes of alarms since the flag was last clear, in order
	asked   map[wire.Request]standing
}

// standing is how a request fared in this session.
type standing struct {
	answered    bool
	unavailable bool
	since       time.Duration
}

func newSession(serial string) *session {
	return &session{serial: serial, patient: longestReply, asked: map[wire.Request]standing{}}
}

// Poll asks the pump once. Any error ends the session, so that the next Poll starts with identity and alarms.
func (c *Conn) Poll(ctx context.Context, report func(drivers.Report)) error {
	r, err := c.cycle(ctx)
	if err != nil {
		c.session = nil
		return fmt.Errorf("asena: %w", err)
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

// identify asks for the serial number. Within a session another one is drivers.ErrIdentity.
func (c *Conn) identify(ctx context.Context, wait time.Duration, tries int) (string, error) {
	var err error
	for range tries {
		if err = c.once(ctx, wire.SerialNumber, wait); !errors.Is(err, errNoAnswer) {
			break
		}
	}
	if err != nil {
		return "", err
	}
	serial := string(c.reply.Text)
	return serial, c.same(serial)
}

// same compares a serial number with the session's.
func (c *Conn) same(serial string) error {
	if c.session != nil && serial != c.session.serial {
		return fmt.Errorf("serial number %s answers, the session began with %s: %w", serial, c.session.serial, drivers.ErrIdentity)
	}
	return nil
}

// ask puts one request with repeats and leaves the answer in c.reply. It returns errUnavailable when the value is
// absent in this cycle; any other error ends the cycle.
func (c *Conn) ask(ctx context.Context, r wire.Request) error {
	was := c.session.asked[r]
	if was.unavailable && c.line.Now()-was.since < unavailableFor {
		return errUnavailable
	}
	var err error
	for range attempts {
		err = c.once(ctx, r, replyTimeout)
		if err == nil {
			c.session.asked[r] = standing{answered: true}
			return nil
		}
		if errors.Is(err, errRefused) {
			return fmt.Errorf("%w: %w", errUnavailable, err)
		}
		if !errors.Is(err, errNoAnswer) {
			return err
		}
		// What comes before the answer to this is late and thrown away; it also proves that the pump lives.
		if _, lost := c.identify(ctx, c.session.patient, 1); lost != nil {
			return lost
		}
	}
	if was.answered || r == wire.Status {
		return err
	}
	if errors.Is(err, drivers.ErrSilent) {
		c.session.asked[r] = standing{unavailable: true, since: c.line.Now()}
	}
	return fmt.Errorf("%w: %w", errUnavailable, err)
}

// get asks what a pump need not answer, and names it in the report when it is absent.
func (c *Conn) get(ctx context.Context, report *drivers.Report, r wire.Request) (bool, error) {
	err := c.ask(ctx, r)
	if errors.Is(err, errUnavailable) {
		unavailable(report, r.String())
		return false, nil
	}
	return err == nil, err
}

func unavailable(report *drivers.Report, name string) {
	if !slices.Contains(report.Unavailable, name) {
		report.Unavailable = append(report.Unavailable, name)
	}
}

// once sends one request and waits for its answer, which it leaves in c.reply. Frames that answer something
// else are thrown away.
func (c *Conn) once(ctx context.Context, r wire.Request, wait time.Duration) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ask %s: %w", r, err)
	}
	c.scan.Reset()
	if err := c.line.Drain(); err != nil {
		return fmt.Errorf("before %s: %w", r, err)
	}
	c.frame = wire.AppendFrame(c.frame[:0], []byte(r.String()))
	if err := c.line.Send(ctx, c.frame); err != nil {
		return fmt.Errorf("ask %s: %w", r, err)
	}
	bad, strangers := c.scan.Bad(), 0
	deadline := c.line.Now() + wait
	for taken := 0; taken < maxNoise; {
		received, err := c.line.Read(ctx, deadline)
		if exchange.Silent(err) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the answer to %s: %w", r, err)
		}
		taken += len(received)
		for len(received) > 0 {
			body, used := c.scan.Next(received)
			received = received[used:]
			if body == nil || string(body) == r.String() { // nothing yet, or the line returns what was sent
				continue
			}
			c.kept = append(c.kept[:0], body...)
			err := wire.Decode(c.kept, r, &c.reply)
			switch {
			case err == nil:
				return nil
			case !errors.Is(err, wire.ErrOther):
				return fmt.Errorf("ask %s: %w: %w", r, errRefused, translate(err))
			}
			strangers++
		}
	}
	return fmt.Errorf("ask %s: %w: %w", r, errNoAnswer, c.blame(c.scan.Bad() > bad, strangers > 0))
}

// blame says why there was no answer.
func (c *Conn) blame(corrupt, strange bool) error {
	switch {
	case corrupt:
		return cause(c.scan.LastBad())
	case strange:
		return drivers.ErrMismatch
	}
	return drivers.ErrSilent
}

// translate turns an error of the codec into the contract's.
func translate(err error) error {
	var e *wire.DecodeError
	if !errors.As(err, &e) {
		return err
	}
	return &drivers.DecodeError{Offset: e.Offset, Cause: cause(e.Cause), Raw: e.Raw, Detail: e.Detail}
}

func cause(err error) error {
	switch {
	case errors.Is(err, wire.ErrTruncated):
		return drivers.ErrTruncated
	case errors.Is(err, wire.ErrChecksum):
		return drivers.ErrChecksum
	case errors.Is(err, wire.ErrOther):
		return drivers.ErrMismatch
	}
	return drivers.ErrMalformed
}
