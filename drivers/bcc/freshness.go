package bcc

import "time"

// clock follows the device's uptime beside the driver's own clock, to tell how old a record is.
type clock struct {
	known  bool
	offset time.Duration // the device's time minus ours, at least
	at     time.Duration // when that was known
}

const (
	// resolution is what a record's time, whole seconds, hides.
	resolution = time.Second
	// collection is how far behind a device may be that looks at its pumps once a second (section 4).
	collection = time.Second
	// drift is by which share two clocks may part.
	drift = 1000
)

// hear takes the time of a block that was received now. A block may be on its way for a while, and then says too little: what
// counts is the greatest offset that was heard.
func (c *clock) hear(uptime uint64, now time.Duration) {
	offset := time.Duration(uptime)*time.Second - now
	if c.known {
		offset = max(offset, c.offset-(now-c.at)/drift)
	}
	*c = clock{known: true, offset: offset, at: now}
}

// old says whether a record with this time was surely made before begin.
func (c *clock) old(uptime uint64, begin time.Duration) bool {
	if !c.known {
		return false
	}
	least := begin + c.offset - max(0, begin-c.at)/drift
	return time.Duration(uptime)*time.Second+resolution+collection < least
}

// longest is the greatest uptime that is taken for one: ten years. A duration holds it.
const longest = 10 * 366 * 24 * 3600
