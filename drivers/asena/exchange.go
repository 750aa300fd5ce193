package asena

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
)

// maxNoise is how many bytes without an answer end the wait for it.
const maxNoise = 1024

var (
	// errNoAnswer marks a wait that ended without an answer; the cause is wrapped beside it.
	errNoAnswer = errors.New("no answer")
	// errRefused marks an answer to this request that is no reply.
	errRefused = errors.New("no reply in the answer")
	// errUnavailable marks a value that is absent in this cycle.
	errUnavailable = errors.New("unavailable")
)

// deadError is the failure of a pump that gave no sign of life: it hides errNoAnswer, which would
// mean that only one request was not answered.
type deadError struct{ cause error }

func (e *deadError) Error() string { return "no sign of life: " + e.cause.Error() }

// Is tells the cause, but not that one request had no answer.
func (e *deadError) Is(target error) bool { return target != errNoAnswer && errors.Is(e.cause, target) }

// once puts one request and waits for its answer, which it leaves in c.reply.
func (c *Conn) once(ctx context.Context, q wire.Request) error {
	_, err := c.exchange(ctx, q, []wire.Request{q})
	return err
}

// exchange puts request q and waits for the answer to any of the accepted ones. Frames that answer
// something else are thrown away.
func (c *Conn) exchange(ctx context.Context, q wire.Request, accepted []wire.Request) (wire.Request, error) {
	if err := ctx.Err(); err != nil {
		return wire.NoRequest, fmt.Errorf("ask %s: %w", q, err)
	}
	c.scan.Reset()
	if err := c.port.ResetInputBuffer(); err != nil {
		return wire.NoRequest, fmt.Errorf("empty the input before %s: %w", q, err)
	}
	c.frame = wire.AppendRequest(c.frame[:0], q)
	if _, err := c.port.Write(c.frame); err != nil {
		return wire.NoRequest, fmt.Errorf("ask %s: %w", q, err)
	}
	c.owe(q)
	bad, strangers := c.scan.Bad(), 0
	began := c.now()
	deadline := began + c.wait()
	for taken := 0; taken < maxNoise; {
		received, err := c.read(ctx, deadline)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return wire.NoRequest, fmt.Errorf("read the answer to %s: %w", q, err)
		}
		taken += len(received)
		got, others, err := c.search(received, accepted)
		if got != wire.NoRequest {
			c.late = c.late || got != q || c.now()-began > replyTimeout
			c.slow = c.slow || c.late
			return got, err
		}
		strangers += others
	}
	return wire.NoRequest, fmt.Errorf("ask %s: %w: %w", q, errNoAnswer, c.blame(c.scan.Bad() > bad, strangers > 0))
}

// owe notes that an answer is to come; an older debt of the same name stands.
func (c *Conn) owe(q wire.Request) {
	if c.owed == nil {
		c.owed = make(map[wire.Request]debt)
	}
	c.count++
	first := c.count
	if c.owes(q) {
		first = c.owed[q].first
	}
	c.owed[q] = debt{first: first, last: c.count, until: c.now() + owedFor}
}

// paid strikes the debt that an answer pays, and those that a pump which answers in order would
// have paid before.
func (c *Conn) paid(q wire.Request) {
	upTo := c.owed[q].first
	for other, d := range c.owed {
		switch {
		case d.last <= upTo:
			delete(c.owed, other)
		case d.first <= upTo: // it was asked again since
			d.first = d.last
			c.owed[other] = d
		}
	}
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

// read waits for bytes until the deadline; the result is valid until the next call.
func (c *Conn) read(ctx context.Context, deadline time.Duration) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	left := deadline - c.now()
	if left <= 0 {
		return nil, os.ErrDeadlineExceeded
	}
	if err := c.port.SetReadTimeout(left); err != nil {
		return nil, fmt.Errorf("set read timeout: %w", err)
	}
	n, err := c.port.Read(c.in[:])
	if n > 0 {
		return c.in[:n], nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return nil, err
}

// search looks through received bytes for an accepted answer. It counts the frames that were none. An
// error wraps errRefused: the name is right, and it is no reply.
func (c *Conn) search(received []byte, accepted []wire.Request) (got wire.Request, others int, err error) {
	for len(received) > 0 {
		body, used := c.scan.Next(received)
		received = received[used:]
		if body == nil {
			continue
		}
		q := wire.Identify(body) // NoRequest for a request that the line returns: it has no fields
		if !slices.Contains(accepted, q) {
			others++
			if c.owes(q) { // the answer to an earlier request
				c.slow, c.late = true, true
				c.paid(q)
			}
			continue
		}
		c.paid(q)
		if err := wire.Decode(body, q, &c.reply); err != nil {
			c.refused++
			return q, others, fmt.Errorf("ask %s: %w: %w", q, errRefused, translate(err))
		}
		return q, others, nil
	}
	return wire.NoRequest, others, nil
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
	case errors.Is(err, wire.ErrTruncated), errors.Is(err, wire.ErrCancelled):
		return drivers.ErrTruncated
	case errors.Is(err, wire.ErrChecksum):
		return drivers.ErrChecksum
	case errors.Is(err, wire.ErrOther):
		return drivers.ErrMismatch
	}
	return drivers.ErrMalformed
}
