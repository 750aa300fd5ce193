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

// Pusher is a Pump that also sends by itself.
type Pusher interface {
	// PushEvery returns how often Unsolicited has to be asked at present; 0: when the line is quiet.
	PushEvery() time.Duration
}

// Paced is a Pump that knows the pace of its line, which may change.
type Paced interface {
	Pace() Pace
}

// Hanger is a Pump behind an adapter that may hang: the device stays, takes what the host
// writes until its buffer is full, and gives nothing.
type Hanger interface {
	Hangs() bool
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
	piece    = 16                     // bytes that leave together
	watch    = 250 * time.Millisecond // how often a quiet line is looked at
	shortest = 5 * time.Millisecond   // a line is never looked at more often
	// patience is how long a piece waits for a host that does not read. What does not fit then is lost, as on a real line.
	patience = 100 * time.Millisecond
)

// pushEvery is how often p has to be asked for what it sends by itself; 0: it does not matter.
func pushEvery(p Pump) time.Duration {
	if pusher, ok := p.(Pusher); ok {
		return max(0, pusher.PushEvery())
	}
	return 0
}

func paceOf(p Pump, usual Pace) Pace {
	if paced, ok := p.(Paced); ok {
		return paced.Pace()
	}
	return usual
}

func hangs(p Pump) bool {
	h, ok := p.(Hanger)
	return ok && h.Hangs()
}

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
	ask := time.Now() // for what the pump sends by itself
	for ctx.Err() == nil {
		wait := watch
		if every := pushEvery(p); every > 0 {
			wait = min(watch, max(every, shortest))
		}
		if next := time.Now().Add(wait); ask.After(next) {
			ask = next // it has begun to push
		}
		until := ask
		if soon := time.Now().Add(shortest); soon.After(until) {
			until = soon // a pump that always sends hears its host nevertheless
		}
		if err := c.SetReadDeadline(until); err != nil {
			return
		}
		if hangs(p) {
			if !hung(ctx, c, p) {
				return
			}
			continue
		}
		n, err := c.Read(buffer)
		if n > 0 && hangs(p) { // it began to while the line was quiet
			continue
		}
		if n > 0 {
			speed := paceOf(p, pace)
			out, delay := p.Exchange(buffer[:n])
			if !send(ctx, c, out, speed, speed.Of(n)+speed.Gap+delay, p) {
				return
			}
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		} else {
			quiet()
		}
		now := time.Now()
		if now.Before(ask) {
			continue
		}
		ask = now.Add(wait) // counted from here, however long the bytes take
		if out := p.Unsolicited(); len(out) > 0 && !send(ctx, c, out, paceOf(p, pace), 0, p) {
			return
		}
	}
}

// hung waits until the adapter works again and loses what the host wrote meanwhile. False: the line is gone.
func hung(ctx context.Context, c conn, p Pump) bool {
	for hangs(p) {
		if !sleep(ctx, watch/5) || c.SetReadDeadline(time.Now().Add(watch)) != nil {
			return false
		}
	}
	lost := make([]byte, 4096)
	for {
		if c.SetReadDeadline(time.Now().Add(shortest)) != nil {
			return false
		}
		if n, err := c.Read(lost); n == 0 {
			return errors.Is(err, os.ErrDeadlineExceeded)
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
		if hangs(p) {
			return true // the rest is lost
		}
		if err := c.SetWriteDeadline(time.Now().Add(patience)); err != nil {
			return false
		}
		if w, ok := p.(Witness); ok && len(out) == 0 {
			w.Leaves(time.Now())
		}
		if _, err := c.Write(part); errors.Is(err, os.ErrDeadlineExceeded) {
			return true
		} else if err != nil {
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
