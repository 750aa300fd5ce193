//go:build linux

// Package clock is the gateway's real clock: wall time for labels, boot time
// for ages and timers, and whether the wall clock can be trusted.
//
// Boot time is CLOCK_BOOTTIME: it counts from the start of the machine, goes
// on while the machine sleeps and is never stepped (design section 4). Go's own
// monotonic clock stands still during suspend, so an age taken from it is too
// small after a lid was closed.
//
// The wall clock is trusted when the kernel says that a time server disciplines
// it: adjtimex neither returns TIME_ERROR nor sets STA_UNSYNC. chrony,
// systemd-timesyncd and ntpd all set this. The kernel sets STA_UNSYNC again when
// nobody has confirmed the time for about a day.
//
// The package starts no goroutine. It carries the requirement that no sample is
// aged by a clock that can be stepped.
package clock

import (
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix" // the Go project's own; the standard library has neither CLOCK_BOOTTIME nor adjtimex

	"infusiond/gateway/infusion"
)

// syncAge is for how long an answer of adjtimex is used again.
const syncAge = time.Second

// System is the clock of this machine. Its methods may be called from several
// goroutines at once.
type System struct {
	boot     func() (time.Duration, error)
	adjtimex func(*unix.Timex) (int, error)
	offset   time.Duration // boot time minus Go's monotonic time since start, for a failing boot clock
	start    time.Time
	synced   atomic.Bool
	asked    atomic.Int64 // boot time in ns of the last adjtimex, 0 for never
}

// New returns the machine's clock, or an error when the kernel has no boot clock.
func New() (*System, error) {
	s := &System{boot: boottime, adjtimex: unix.Adjtimex, start: time.Now()}
	b, err := s.boot()
	if err != nil {
		return nil, err
	}
	s.offset = b
	return s, nil
}

// Now returns the present. It is an infusion.Clock as a method value.
func (s *System) Now() infusion.Instant {
	wall := time.Now()
	b, err := s.boot()
	if err != nil {
		// The clock answered at start and cannot fail later; if it does, monotonic time is the
		// next best, and it only misses what the machine slept.
		b = s.offset + wall.Sub(s.start)
	}
	return infusion.Instant{UTC: wall.UTC().Round(0), Boot: b, Synced: s.sync(b)}
}

// sync asks the kernel at most once a second whether the wall clock is disciplined.
func (s *System) sync(now time.Duration) bool {
	last := time.Duration(s.asked.Load())
	if last != 0 && now-last < syncAge {
		return s.synced.Load()
	}
	var t unix.Timex
	state, err := s.adjtimex(&t)
	ok := err == nil && disciplined(state, int64(t.Status))
	s.synced.Store(ok)
	s.asked.Store(int64(now))
	return ok
}

// disciplined reads the answer of adjtimex. Not known counts as not synced.
func disciplined(state int, status int64) bool {
	return state != unix.TIME_ERROR && status&unix.STA_UNSYNC == 0
}

func boottime() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0, fmt.Errorf("read the boot clock: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}
