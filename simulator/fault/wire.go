// Package fault spoils what a simulated pump sends: noise, dropped bytes, wrong
// checksums, late, missing and misplaced answers. It is seeded, does no I/O
// and reads no clock; time is an argument. A Wire belongs to one goroutine.
package fault

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Kind is one way to spoil an answer.
type Kind string

// The kinds of wire faults. Rate is a share per byte for Noise and Drop and per
// answer for the others.
const (
	Noise    Kind = "noise"    // one bit of a byte is turned
	Drop     Kind = "lose"     // a byte is lost; "drop" as a command closes a TCP connection
	Checksum Kind = "checksum" // a digit before the end is another digit
	Late     Kind = "late"     // the answer comes after Delay
	Silence  Kind = "silence"  // no answer
	Stale    Kind = "stale"    // the answer to the query before
	Echo     Kind = "echo"     // the line returns the query before the answer
	Garbage  Kind = "garbage"  // random bytes stand before the answer
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{Noise, Drop, Checksum, Late, Silence, Stale, Echo, Garbage} }

// Fault is one fault that is put on the wire.
type Fault struct {
	Kind  Kind
	Rate  float64       // 0 to 1
	For   time.Duration // 0: until Clear
	Delay time.Duration // Late only
}

type active struct {
	Fault
	until time.Duration
}

// Wire spoils answers.
type Wire struct {
	rng    *rand.Rand
	faults []active
	last   []byte
}

// New returns a wire without faults.
func New(rng *rand.Rand) *Wire { return &Wire{rng: rng} }

// Add puts a fault on the wire from now on; a fault of the same kind is replaced.
func (w *Wire) Add(now time.Duration, f Fault) error {
	if !slices.Contains(Kinds(), f.Kind) {
		return fmt.Errorf("wire fault %q: known %s", f.Kind, names())
	}
	if !(f.Rate > 0 && f.Rate <= 1) {
		return fmt.Errorf("rate %v of %s: known above 0 to 1", f.Rate, f.Kind)
	}
	if f.For < 0 || f.Delay < 0 {
		return fmt.Errorf("%s for %v, delay %v: must not be negative", f.Kind, f.For, f.Delay)
	}
	a := active{Fault: f, until: -1}
	if f.For > 0 {
		a.until = now + f.For
	}
	w.faults = slices.DeleteFunc(w.faults, func(o active) bool { return o.Kind == f.Kind })
	w.faults = append(w.faults, a)
	return nil
}

func names() string {
	var s []string
	for _, k := range Kinds() {
		s = append(s, string(k))
	}
	return strings.Join(s, ", ")
}

// Clear takes all faults off the wire.
func (w *Wire) Clear() { w.faults = nil }

// Active returns the kinds that are on the wire at now.
func (w *Wire) Active(now time.Duration) []Kind {
	w.expire(now)
	var k []Kind
	for _, f := range w.faults {
		k = append(k, f.Kind)
	}
	return k
}

func (w *Wire) expire(now time.Duration) {
	w.faults = slices.DeleteFunc(w.faults, func(f active) bool { return f.until >= 0 && now >= f.until })
}

// Shape returns what becomes of an answer and how much later it is sent. The answer
// itself is not changed; without faults it is returned as it is.
func (w *Wire) Shape(now time.Duration, query, answer []byte) (out []byte, delay time.Duration) {
	w.expire(now)
	previous := w.last
	w.last = append([]byte(nil), answer...)
	if len(w.faults) == 0 {
		return answer, 0
	}
	out = append([]byte(nil), answer...)
	for _, f := range w.faults {
		switch f.Kind {
		case Noise, Drop:
			out = w.perByte(f.Fault, out)
			continue
		case Checksum, Late, Silence, Stale, Echo, Garbage:
		}
		if w.rng.Float64() >= f.Rate || len(answer) == 0 && f.Kind != Echo {
			continue
		}
		switch f.Kind {
		case Checksum:
			if n := len(out); n >= 2 {
				out[n-2] = "0123456789ABCDEF"[(strings.IndexByte("0123456789ABCDEF", out[n-2])+1+w.rng.IntN(15))%16]
			}
		case Late:
			delay = f.Delay
		case Silence:
			out = nil
		case Stale:
			out = append([]byte(nil), previous...)
		case Echo:
			out = append(append([]byte(nil), query...), out...)
		case Garbage:
			junk := make([]byte, 1+w.rng.IntN(12))
			for i := range junk {
				junk[i] = byte(w.rng.UintN(256))
			}
			out = append(junk, out...)
		case Noise, Drop:
		}
	}
	return out, delay
}

func (w *Wire) perByte(f Fault, in []byte) []byte {
	out := in[:0]
	for _, b := range in {
		if w.rng.Float64() < f.Rate {
			if f.Kind == Drop {
				continue
			}
			b ^= 1 << w.rng.UintN(8)
		}
		out = append(out, b)
	}
	return out
}
