//go:build linux

package link

import (
	"errors"
	"fmt"
	"os"
	"time"

	"infusiond/drivers"
)

const (
	slice        = 200 * time.Millisecond // longest uninterruptible wait
	writeLimit   = 2 * time.Second        // a query that is not taken by then is a stuck line
	maxGap       = 5 * time.Second        // CommandGap is never waited out for longer
	readTimeout  = time.Second            // until SetReadTimeout is called
	checkEvery   = 100 * time.Millisecond // how often, at most, the address is looked up before a read
	maxDiscarded = 64 << 10               // a line that babbles more than this at once is cut off
)

// line is an open device or connection. It has one user.
type line interface {
	// read waits up to d for bytes. Silence is os.ErrDeadlineExceeded.
	read(b []byte, d time.Duration) (int, error)
	// write sends what the line takes within d. Nothing taken is os.ErrDeadlineExceeded.
	write(b []byte, d time.Duration) (int, error)
	// check says whether the address still leads to this line.
	check() error
	// close may block for long.
	close() error
}

// port is a drivers.Port on a line. It belongs to the goroutine that runs serve.
type port struct {
	line     line
	done     <-chan struct{} // closed when the port is no longer to be used
	address  string
	allow    drivers.AllowList
	gap      time.Duration
	byteTime time.Duration // of one byte on the wire
	timeout  time.Duration
	capture  *recorder

	received  uint64    // bytes so far, those that were dropped unread among them
	checked   time.Time // when the address was last seen to lead here
	lost      error     // set once, when the line is gone
	lastByte  time.Time // when the last byte was received or left
	notBefore time.Time // when the reply should be complete; no read before
	expect    int       // bytes of the reply still to come
	scratch   [256]byte
}

func newPort(ln line, o Options, done <-chan struct{}) *port {
	p := &port{
		line: ln, done: done, address: o.Address, allow: o.Profile.Allow,
		gap: min(o.Profile.CommandGap, maxGap), byteTime: byteTime(o.Profile.Line),
		timeout: readTimeout, capture: &recorder{w: o.Capture, clock: o.Clock},
	}
	p.capture.note("infusiond capture 1 driver=" + o.Profile.Name + " address=" + o.Address)
	return p
}

// byteTime returns how long one byte takes with its start, parity and stop bits.
func byteTime(s drivers.LineSettings) time.Duration {
	if s.Baud <= 0 {
		return 0
	}
	bits := 1 + s.DataBits + s.StopBits
	if s.Parity != drivers.ParityNone {
		bits++
	}
	return time.Duration(bits) * time.Second / time.Duration(s.Baud)
}

// Received returns how many bytes came in so far, those that were dropped unread among them.
func (p *port) Received() uint64 { return p.received }

// SetReadTimeout sets how long Read waits for the first byte.
func (p *port) SetReadTimeout(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("read timeout %v: must not be negative", d)
	}
	p.timeout = d
	return nil
}

// Read implements drivers.Port.
func (p *port) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, errors.New("read into an empty buffer")
	}
	if err := p.usable(); err != nil {
		return 0, err
	}
	end := time.Now().Add(p.timeout)
	if p.notBefore.After(end) {
		p.notBefore = end
	}
	if err := p.pause(p.notBefore); err != nil {
		return 0, err
	}
	for {
		n, err := p.receive(b, min(max(time.Until(end), 0), slice), received)
		if n > 0 {
			return n, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if err := p.usable(); err != nil {
			return 0, err
		}
		if time.Until(end) <= 0 {
			p.expect = 0
			return 0, fmt.Errorf("read %s: %w", p.address, os.ErrDeadlineExceeded)
		}
	}
}

// Write implements drivers.Port.
func (p *port) Write(b []byte) (int, error) {
	query, ok := p.allow.Match(b)
	if !ok {
		return 0, fmt.Errorf("%w (%d bytes, %.32q)", drivers.ErrForbidden, len(b), b)
	}
	if err := p.usable(); err != nil {
		return 0, err
	}
	if err := p.pause(p.lastByte.Add(p.gap)); err != nil {
		return 0, err
	}
	if err := p.check(); err != nil {
		return 0, err
	}
	sent := 0
	for end := time.Now().Add(writeLimit); sent < len(b); {
		n, err := p.line.write(b[sent:], min(max(time.Until(end), 0), slice))
		p.capture.chunk(transmitted, b[sent:sent+n])
		sent += n
		switch {
		case err == nil || n > 0:
			continue
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return sent, p.fail("write", err)
		case time.Until(end) <= 0:
			return sent, p.fail("write", fmt.Errorf("the line has taken nothing for %v", writeLimit))
		}
		select {
		case <-p.done:
			return sent, p.closed()
		default:
		}
	}
	p.lastByte = time.Now().Add(time.Duration(len(b)) * p.byteTime)
	p.awaitReply(query.ReplyBytes, p.lastByte)
	return sent, nil
}

// ResetInputBuffer implements drivers.Port. What it drops stands in the capture.
func (p *port) ResetInputBuffer() error {
	if err := p.usable(); err != nil {
		return err
	}
	p.awaitReply(0, time.Time{})
	for dropped := 0; dropped < maxDiscarded; {
		n, err := p.receive(p.scratch[:], 0, discarded)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		dropped += n
	}
	return p.fail("reset", errors.New("bytes come in without end: check the baud rate and the cable"))
}

// receive reads once and keeps the books. An error other than silence is final.
func (p *port) receive(b []byte, d time.Duration, direction byte) (int, error) {
	n, err := p.line.read(b, d)
	if n > 0 {
		p.received += uint64(n)
		p.capture.chunk(direction, b[:n])
		p.lastByte = time.Now()
		p.awaitReply(max(p.expect-n, 0), p.lastByte)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			_ = p.fail("read", err) // told by the next call; these bytes are good
		}
		return n, nil
	}
	if err == nil {
		err = errors.New("readable without a byte")
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, p.fail("read", err)
	}
	return 0, err
}

// awaitReply notes that n more bytes are expected after from. One byte time is added, or
// the last byte would be missed by a hair and cost a read of its own.
func (p *port) awaitReply(n int, from time.Time) {
	p.expect, p.notBefore = n, time.Time{}
	if n > 0 {
		p.notBefore = from.Add(time.Duration(n+1) * p.byteTime)
	}
}

// usable says whether the line is still there and still the one that was opened.
func (p *port) usable() error {
	select {
	case <-p.done:
		return p.closed()
	default:
	}
	if p.lost != nil {
		return p.lost
	}
	if time.Since(p.checked) < checkEvery {
		return nil
	}
	return p.check()
}

// check looks up whether the address still leads to this line. A query never leaves without it.
func (p *port) check() error {
	if err := p.line.check(); err != nil {
		return p.fail("check", err)
	}
	p.checked = time.Now()
	return nil
}

// fail marks the line as lost for good.
func (p *port) fail(what string, err error) error {
	p.lost = fmt.Errorf("%w: %s %s: %w", ErrLost, what, p.address, err)
	return p.lost
}

func (p *port) closed() error { return fmt.Errorf("port %s: %w", p.address, os.ErrClosed) }

// pause waits until t or until the port is closed.
func (p *port) pause(t time.Time) error {
	d := time.Until(t)
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-p.done:
		return p.closed()
	}
}
