package line

import "time"

// Clock is the virtual time of one or more lines. Time that passes on one passes on all; it stops
// wherever a Pusher of any of them wants to be asked, so that what is pushed has its true time. It belongs to
// one goroutine.
type Clock struct {
	now     time.Duration
	advance func(time.Duration)
	lines   []*Memory
}

// NewClock returns a time without lines. advance is called with every bit of time that passes.
func NewClock(advance func(time.Duration)) *Clock { return &Clock{advance: advance} }

// Line adds a line to pump.
func (c *Clock) Line(pump Pump, pace Pace) *Memory {
	m := &Memory{clock: c, pump: pump, pace: pace, timeout: 500 * time.Millisecond, ask: never}
	c.lines = append(c.lines, m)
	return m
}

// Now returns the virtual time since the clock was made.
func (c *Clock) Now() time.Duration { return c.now }

// Pass lets time pass without traffic of the host.
func (c *Clock) Pass(d time.Duration) {
	for end := c.now + d; c.now < end; {
		c.step(end, nil)
	}
}

// step lets time pass up to end, or to the moment at which a pump has to be asked before it. The line
// that lets it pass is asked in any case.
func (c *Clock) step(end time.Duration, by *Memory) {
	for _, m := range c.lines {
		end = min(end, m.due())
	}
	if d := end - c.now; d > 0 {
		c.now = end
		c.advance(d)
	}
	for _, m := range c.lines {
		if m == by || m.ask <= c.now {
			m.listen()
		}
	}
}
