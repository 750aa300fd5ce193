// Package fault spoils what a simulated pump sends: noise, dropped bytes, wrong
// checksums, late, missing, cut, joined and misplaced answers, bytes that nobody asked for. It is seeded, does
// no I/O and reads no clock; time is an argument. A Wire belongs to one goroutine.
package fault

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Fault is one fault that is put on the wire.
type Fault struct {
	Kind  Kind
	Rate  float64       // 0 to 1
	For   time.Duration // 0: until Clear
	Delay time.Duration // Late and Split only
}

type active struct {
	Fault
	until time.Duration
	spoil func(w *Wire, f *active, x *exchange)
}

// Wire spoils answers.
type Wire struct {
	rng    *rand.Rand
	now    time.Duration
	faults []active
	last   []byte       // the answer before
	before []byte       // the one before it
	kept   [64]answered // the newest answers with their queries
	next   int          // of kept
	// What is held back of earlier answers, and until when; before zero: until the next answer.
	held      []byte
	heldUntil time.Duration
	babbled   time.Duration
}

// babbleTime is how often a babbling device sends.
const babbleTime = 100 * time.Millisecond

// answered is a query with its answer.
type answered struct{ query, answer []byte }

// New returns a wire without faults.
func New(rng *rand.Rand) *Wire { return &Wire{rng: rng} }

// Add puts a fault on the wire from now on; a fault of the same kind is replaced.
func (w *Wire) Add(now time.Duration, f Fault) error {
	rows := Rows()
	i := slices.IndexFunc(rows, func(r Row) bool { return r.Kind == f.Kind })
	if i < 0 {
		return fmt.Errorf("wire fault %q: known %s", f.Kind, names())
	}
	if !(f.Rate > 0 && f.Rate <= 1) {
		return fmt.Errorf("rate %v of %s: known above 0 to 1", f.Rate, f.Kind)
	}
	if f.For < 0 || f.Delay < 0 {
		return fmt.Errorf("%s for %v, delay %v: must not be negative", f.Kind, f.For, f.Delay)
	}
	a := active{Fault: f, until: -1, spoil: rows[i].spoil}
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

// Clear takes all faults off the wire, and what they hold back.
func (w *Wire) Clear() { w.faults, w.held = nil, nil }

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
	w.now = now
	if len(w.faults) > 0 {
		w.faults = slices.DeleteFunc(w.faults, func(f active) bool { return f.until >= 0 && now >= f.until })
	}
}

// Shape returns what becomes of an answer and how much later it is sent. The answer
// itself is not changed; without faults it is returned as it is.
func (w *Wire) Shape(now time.Duration, query, answer []byte) (out []byte, delay time.Duration) {
	w.expire(now)
	w.last, w.before = append(w.before[:0], answer...), w.last
	if len(answer) > 0 {
		k := &w.kept[w.next]
		k.query, k.answer = append(k.query[:0], query...), append(k.answer[:0], answer...)
		w.next = (w.next + 1) % len(w.kept)
	}
	return w.spoil(query, answer)
}

// Unasked returns what arrives at now although nobody asked: what the pumps push, spoiled, the rest of
// a split answer, and babble.
func (w *Wire) Unasked(now time.Duration, pushed []byte) []byte {
	w.expire(now)
	out := pushed
	if len(pushed) > 0 {
		w.last, w.before = append(w.before[:0], pushed...), w.last
		out, _ = w.spoil(nil, pushed)
	} else if len(w.held) > 0 && w.heldUntil >= 0 && now >= w.heldUntil {
		out, w.held = w.held, nil
	}
	if f := w.find(Babble); f != nil && now >= w.babbled+babbleTime {
		w.babbled = now
		if w.rng.Float64() < f.Rate {
			out = append(slices.Clone(out), w.junk()...)
		}
	}
	return out
}

// Every returns how often Unasked has to be asked because of faults; 0: not at all.
func (w *Wire) Every() time.Duration {
	switch {
	case w.find(Babble) != nil:
		return babbleTime
	case len(w.held) > 0 && w.heldUntil >= 0:
		return max(10*time.Millisecond, w.heldUntil-w.now)
	}
	return 0
}

func (w *Wire) find(k Kind) *active {
	for i := range w.faults {
		if w.faults[i].Kind == k {
			return &w.faults[i]
		}
	}
	return nil
}

func (w *Wire) spoil(query, answer []byte) (out []byte, delay time.Duration) {
	kept := w.held
	if len(kept) > 0 {
		w.held = nil
	} else if len(w.faults) == 0 {
		return answer, 0
	}
	late := false
	x := exchange{query: query, previous: w.before, out: slices.Clone(answer), held: len(kept) > 0, late: &late}
	for i := range w.faults {
		f := &w.faults[i]
		perAnswer := f.Kind != Noise && f.Kind != Drop
		if f.spoil == nil || perAnswer && (w.rng.Float64() >= f.Rate || len(answer) == 0 && f.Kind != Echo) {
			continue
		}
		if f.spoil(w, f, &x); late {
			delay, late = f.Delay, false
		}
	}
	return append(kept, x.out...), delay
}

func (w *Wire) junk() []byte {
	junk := make([]byte, 1+w.rng.IntN(12))
	for i := range junk {
		junk[i] = byte(w.rng.UintN(256))
	}
	return junk
}
