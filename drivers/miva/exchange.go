package miva

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// maxNoise is how many bytes without an answer end the wait for it.
const maxNoise = 4 * wire.MaxFrame

var (
	// errNoAnswer marks a wait that ended without an answer; the cause is wrapped beside it.
	errNoAnswer = errors.New("no answer")
	// errRefused marks an answer to this question that holds no value.
	errRefused = errors.New("no value in the answer")
	// errUnavailable marks a value that is absent in this cycle.
	errUnavailable = errors.New("unavailable")
)

// once sends one query and waits for its answer, which it leaves in c.reply.
// Frames that answer something else are thrown away.
func (c *Conn) once(ctx context.Context, q wire.Query, index uint32) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ask %s: %w", q, err)
	}
	if err := c.empty(); err != nil {
		return fmt.Errorf("empty the input before %s: %w", q, err)
	}
	c.sent = wire.AppendQuery(c.sent[:0], q, index)
	c.frame = wire.AppendFrame(c.frame[:0], c.sent, c.rule)
	if _, err := c.port.Write(c.frame); err != nil {
		return fmt.Errorf("ask %s: %w", q, err)
	}
	bad := c.scan.Bad()
	strangers := 0
	deadline := c.now() + replyTimeout
	for taken := 0; taken < maxNoise; {
		received, err := c.read(ctx, deadline)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the answer to %s: %w", q, err)
		}
		taken += len(received)
		done, others, err := c.search(received, q, index)
		if done || err != nil {
			return err
		}
		strangers += others
	}
	return fmt.Errorf("ask %s: %w: %w", q, errNoAnswer, c.blame(c.scan.Bad() > bad, strangers > 0))
}

// empty drops what was received, so that it cannot answer the next query; while an
// answer is being confirmed, what stands behind it is looked at instead.
func (c *Conn) empty() error {
	rest := c.rest
	c.rest = nil
	if c.watched == wire.NoQuery {
		c.scan.Reset()
		return c.port.ResetInputBuffer()
	}
	for len(rest) > 0 {
		payload, used := c.scan.Next(rest)
		rest = rest[used:]
		if payload != nil {
			c.doubt(payload)
		}
	}
	return nil
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

// search looks through received bytes for the answer. It counts the frames that were not it.
func (c *Conn) search(received []byte, q wire.Query, index uint32) (done bool, others int, err error) {
	for len(received) > 0 {
		payload, used := c.scan.Next(received)
		received = received[used:]
		if payload == nil {
			continue
		}
		switch matched, err := c.match(payload, q, index); {
		case err != nil:
			return false, others, err
		case matched:
			c.rest = received
			return true, others, nil
		}
		others++
		c.doubt(payload)
		if q != wire.CombinedSensors && isSensors(payload) {
			c.unsolicited++
			others--
		}
	}
	return false, others, nil
}

// match says whether a payload is the answer to the query that was just sent, and
// leaves it in c.reply. An error wraps errRefused: it is the answer, and holds no value.
func (c *Conn) match(payload []byte, q wire.Query, index uint32) (bool, error) {
	if string(payload) == string(c.sent) {
		return false, nil // the line returns what was sent
	}
	err := wire.Decode(payload, q, &c.reply)
	if err == nil {
		stray := q == wire.LogRecord && c.reply.Index != index || q == wire.TextProgram && echoed(payload)
		return !stray, nil
	}
	if !q.Echoed() || errors.Is(err, wire.ErrEcho) {
		return false, nil
	}
	return false, fmt.Errorf("ask %s: %w: %w", q, errRefused, translate(err))
}

// echoed says whether a payload could be the answer to a query that repeats its letters, or to a
// text query for a number or a truth, or a query that the line returned; such a text is not taken for a name.
func echoed(payload []byte) bool {
	if wire.ParseRequest(payload).Kind != wire.RequestUnknown {
		return true
	}
	var r wire.Reply
	for _, q := range wire.Queries() {
		strict := q.Echoed() || q == wire.TextRunning || q == wire.TextRate
		if strict && wire.Decode(payload, q, &r) == nil {
			return true
		}
	}
	return false
}

// doubt counts further answers to the query that is being confirmed.
func (c *Conn) doubt(payload []byte) {
	var r wire.Reply
	if c.watched != wire.NoQuery && wire.Decode(payload, c.watched, &r) == nil {
		c.doubles++
	}
}

func isSensors(payload []byte) bool {
	var r wire.Reply
	return wire.Decode(payload, wire.CombinedSensors, &r) == nil
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
	case errors.Is(err, wire.ErrUnsupported):
		return drivers.ErrUnsupported
	case errors.Is(err, wire.ErrEcho):
		return drivers.ErrMismatch
	}
	return drivers.ErrMalformed
}
