package main

import (
	"math"
	"slices"
	"time"
)

// times are measured durations.
type times []time.Duration

// at is the percentile p, 0 < p <= 100, by nearest rank: a duration that was measured. With fewer than
// a hundred of them the 99th is the longest.
func (ts times) at(p float64) time.Duration {
	if len(ts) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(ts))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
