//go:build linux

package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

const (
	maxBackoff   = 5 * time.Second        // longest pause between two attempts
	firstBackoff = 250 * time.Millisecond // longest pause after the first failure, doubled with each
	lookEvery    = 250 * time.Millisecond // how often a device path is looked at while it is not open
	stableAfter  = 5 * time.Second        // a line that lasted this long has no history of failures
	openLimit    = 5 * time.Second        // an attempt to open that takes longer is reported
	closeLimit   = 2 * time.Second        // a close that takes longer is left behind
)

// ErrLost says that the device or the connection went away. The port is of no
// further use; Run opens a new one.
var ErrLost = errors.New("port lost")

// Options are the settings of one line.
type Options struct {
	// Address is a device path ("/dev/serial/by-id/...") or "tcp://host:port".
	Address string
	// Profile is the driver's: line settings, pacing and allow-list.
	Profile drivers.Profile
	// Capture, when set, receives every byte as text (see the package comment). A writer
	// that several lines share must be safe for concurrent use.
	Capture io.Writer
	// Clock stamps link states and captured bytes. Required.
	Clock infusion.Clock
	// Log receives state changes. Required.
	Log *slog.Logger
	// Rand spreads the attempts to reopen. Required; used by Run's goroutine only.
	Rand *rand.Rand
}

// Link is one line. Make it with New.
type Link struct {
	o       Options
	open    func(ctx context.Context) (line, error)
	look    func() string // what the address leads to now; changes when the device does
	pending atomic.Int32
}

// New checks the address and returns a line that is not open yet.
func New(o Options) (*Link, error) {
	l := &Link{o: o}
	if host, ok := strings.CutPrefix(o.Address, "tcp://"); ok {
		if h, p, err := net.SplitHostPort(host); err != nil || h == "" || p == "" {
			return nil, fmt.Errorf("address %q: want tcp://host:port", o.Address)
		}
		l.open = func(ctx context.Context) (line, error) { return dial(ctx, o.Address, host) }
		l.look = func() string { return "" }
		return l, nil
	}
	if !filepath.IsAbs(o.Address) {
		return nil, fmt.Errorf("address %q: want a device path such as /dev/serial/by-id/..., or tcp://host:port", o.Address)
	}
	l.open = func(context.Context) (line, error) { return openSerial(o.Address, o.Profile.Line) }
	l.look = func() string { return lookAt(o.Address) }
	return l, nil
}

// Address returns the address that the line was made with.
func (l *Link) Address() string { return l.o.Address }

// Pending returns how many calls to open or close the device have not returned. More than
// one for longer than a few seconds means that an adapter is stuck.
func (l *Link) Pending() int { return int(l.pending.Load()) }

// Run keeps the line open until ctx ends and calls serve with each port that it
// opens; then it returns nil. Serve uses the port until it fails or its ctx ends; when
// serve returns, the port is closed and opened anew. State is told each change of the link state: absent
// with a reason, opening, identifying. Both are called from Run's goroutine, state never
// while serve runs. The
// Since of a link stays the same until its State changes.
func (l *Link) Run(ctx context.Context, serve func(ctx context.Context, p drivers.Port) error, state func(infusion.Link)) error {
	r := &runner{Link: l, tell: state}
	failures, fresh := 0, true // fresh: something changed, so this is no mere repetition
	for {
		if fresh {
			r.report(infusion.LinkOpening, "")
		}
		seen := l.look()
		ln, err := r.attempt(ctx)
		fresh = err == nil
		if err == nil {
			var lasted time.Duration
			if lasted, err = r.serve(ctx, ln, serve); lasted >= stableAfter {
				failures = 0
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		r.report(infusion.LinkAbsent, err.Error())
		if failures++; fresh && failures == 1 {
			continue // the first attempt after a good time is made at once
		}
		if l.wait(ctx, l.backoff(failures), seen) {
			failures, fresh = 0, true
		}
	}
}

// runner is the state of one Run.
type runner struct {
	*Link
	tell func(infusion.Link)
	last infusion.Link
}

func (r *runner) report(s infusion.LinkState, reason string) {
	next := infusion.Link{State: s, Reason: reason, Since: r.last.Since}
	if s == r.last.State && reason == r.last.Reason {
		return
	}
	if s != r.last.State {
		next.Since = r.o.Clock()
	}
	r.last = next
	r.o.Log.Info("link state", "address", r.o.Address, "state", string(s), "reason", reason)
	r.tell(next)
}

// serve runs one port from open to close. It returns how long that took and why it ended.
func (r *runner) serve(ctx context.Context, ln line, serve func(context.Context, drivers.Port) error) (time.Duration, error) {
	r.report(infusion.LinkIdentifying, "")
	opened := time.Now()
	ctx, cancel := context.WithCancel(ctx)
	p := newPort(ln, r.o, ctx.Done())
	err := serve(ctx, p)
	cancel()
	lasted := time.Since(opened)
	if err == nil {
		err = errors.New("closed to be opened anew")
	}
	p.capture.note("closed")
	r.closeLine(ln)
	if p.capture.err != nil {
		r.o.Log.Warn("capture stopped", "address", r.o.Address, "error", p.capture.err)
	}
	return lasted, err
}

// attempt opens the line aside, because opening some devices can hang. While one attempt
// hangs no second one is made.
func (r *runner) attempt(ctx context.Context) (line, error) {
	type result struct {
		ln  line
		err error
	}
	results := make(chan result)
	abandoned := make(chan struct{})
	defer close(abandoned)
	r.pending.Add(1)
	go func() {
		ln, err := r.open(ctx)
		r.pending.Add(-1)
		select {
		case results <- result{ln, err}:
		case <-abandoned:
			r.closeLine(ln)
		}
	}()
	slow := time.NewTimer(openLimit)
	defer slow.Stop()
	for {
		select {
		case got := <-results:
			if got.err == nil && ctx.Err() != nil {
				r.closeLine(got.ln)
				return nil, ctx.Err()
			}
			return got.ln, got.err
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-slow.C:
			r.report(infusion.LinkAbsent, fmt.Sprintf("open %s: the device has not answered for %v: unplug the adapter and plug it in again", r.o.Address, openLimit))
		}
	}
}

// closeLine closes aside, with a limit: the last close of a stuck adapter can take for ever.
func (l *Link) closeLine(ln line) {
	if ln == nil {
		return
	}
	ended := make(chan error, 1)
	l.pending.Add(1)
	go func() {
		err := ln.close()
		l.pending.Add(-1)
		ended <- err
	}()
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	select {
	case err := <-ended:
		if err != nil {
			l.o.Log.Debug("close failed", "address", l.o.Address, "error", err)
		}
	case <-limit.C:
		l.o.Log.Warn("close hangs, left behind", "address", l.o.Address, "pending", l.Pending())
	}
}

// backoff returns the pause after the n-th failure in a row: full jitter, at most maxBackoff.
func (l *Link) backoff(n int) time.Duration {
	limit := min(maxBackoff, firstBackoff<<min(n-1, 10))
	return time.Duration(l.o.Rand.Int64N(int64(limit))) + 1
}

// wait pauses for d, or until what the address leads to is no longer what was seen; then
// it returns true.
func (l *Link) wait(ctx context.Context, d time.Duration, seen string) bool {
	end := time.Now().Add(d)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
		}
		if l.look() != seen {
			return true
		}
		left := time.Until(end)
		if left <= 0 {
			return false
		}
		timer.Reset(min(left, lookEvery))
	}
}
