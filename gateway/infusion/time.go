package infusion

import "time"

// Instant is one moment on two clocks: UTC for labels, Boot for ages and
// timers. Boot counts from the start of the machine, goes on during suspend
// and never jumps.
type Instant struct {
	UTC    time.Time // without a monotonic part, location UTC
	Boot   time.Duration
	Synced bool // the wall clock is known to be set by a time server
}

// Since returns how much time passed from earlier to i.
func (i Instant) Since(earlier Instant) time.Duration { return i.Boot - earlier.Boot }

// Add returns the instant d later on both clocks.
func (i Instant) Add(d time.Duration) Instant {
	return Instant{UTC: i.UTC.Add(d), Boot: i.Boot + d, Synced: i.Synced}
}

// Clock tells the present.
type Clock func() Instant
