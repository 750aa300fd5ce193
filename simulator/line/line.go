// Package line carries the bytes of a simulated pump: on a pseudo-terminal under
// a stable name, on TCP as a serial server does, or in memory in virtual time.
//
// Answers leave as a real line would bring them: the time of the query's own
// bytes, the pump's reaction, then pieces of 16 bytes (what a USB converter
// collects), each when its last byte would have arrived. The goroutines are
// those of the Run methods and end before Run returns.
package line

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// Pump is what sits at the other end of the line.
type Pump interface {
	// Exchange takes bytes from the host and returns what the pump sends back, so much later.
	Exchange(in []byte) (out []byte, delay time.Duration)
	// Unsolicited returns what the pump sends by itself now; usually nil.
	Unsolicited() []byte
}

// Witness is a Pump that is told when its answers leave, for measurements.
type Witness interface {
	// Leaves is called just before the last byte of an answer is written.
	Leaves(at time.Time)
}

// Pace says how fast a line is.
type Pace struct {
	Baud int           // bits per second; ten bits are a byte
	Gap  time.Duration // what the pump takes until it answers
}

// Of returns how long n bytes take on the wire.
func (p Pace) Of(n int) time.Duration {
	if p.Baud <= 0 {
		return 0
	}
	return time.Duration(n) * 10 * time.Second / time.Duration(p.Baud)
}

const (
	piece = 16                     // bytes that leave together
	watch = 250 * time.Millisecond // how often a quiet line is looked at
)

// conn is one open line.
type conn interface {
	io.ReadWriter
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// serve answers the host on c until the line is gone or ctx ends. quiet is called while
// nothing arrives. The error of a line that is gone is nil: it is what lines do.
func serve(ctx context.Context, c conn, p Pump, pace Pace, quiet func()) {
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) }) // wakes the reader
	defer stop()
	buffer := make([]byte, 1024)
	for ctx.Err() == nil {
		if err := c.SetReadDeadline(time.Now().Add(watch)); err != nil {
			return
		}
		n, err := c.Read(buffer)
		if n > 0 {
			out, delay := p.Exchange(buffer[:n])
			if !send(ctx, c, out, pace, pace.Of(n)+pace.Gap+delay, p) {
				return
			}
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		quiet()
		if out := p.Unsolicited(); len(out) > 0 && !send(ctx, c, out, pace, 0, p) {
			return
		}
	}
}

// send writes out in pieces, the first after wait. False: the line is gone or ctx ended.
func send(ctx context.Context, c conn, out []byte, pace Pace, wait time.Duration, p Pump) bool {
	if len(out) == 0 {
		return true
	}
	due := time.Now().Add(wait)
	for len(out) > 0 {
		part := out[:min(piece, len(out))]
		out = out[len(part):]
		due = due.Add(pace.Of(len(part)))
		if !sleep(ctx, time.Until(due)) {
			return false
		}
		// A host that does not read loses bytes, as on a real line.
		if err := c.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			return false
		}
		if w, ok := p.(Witness); ok && len(out) == 0 {
			w.Leaves(time.Now())
		}
		if _, err := c.Write(part); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
	}
	return true
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
