package drivertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// babbleRuns is how many pumps say whatever they like.
const babbleRuns = 200

// babble reads pumps that answer with bytes of any kind: nothing, noise, true answers spoiled, old ones, several at
// once. What such a pump says cannot be told from lies, so only the driver is judged: it ends every
// cycle, does not panic, and writes what it may.
func (s Suite) babble(t *testing.T) {
	for i := range babbleRuns {
		rng := rand.New(rand.NewPCG(s.Seed, uint64(2_000_000+i)))
		pump := s.Pump()
		var said [][]byte
		truth := rng.IntN(4) // 0: never, and more often from 1 to 3
		r := s.newRun(func(query []byte) []byte {
			reply := pump(query)
			if len(reply) > 0 {
				said = append(said, slices.Clone(reply))
			}
			if rng.IntN(4) < truth {
				return reply
			}
			return anything(rng, query, reply, said)
		})
		for range 3 {
			if _, err := r.poll(t.Context()); err == nil && truth == 0 && len(r.port.writes) == 0 {
				t.Errorf("babble %d (seed %d): a cycle without a query", i, s.Seed)
			}
		}
	}
}

// anything is one thing that a broken pump may say.
func anything(rng *rand.Rand, query, reply []byte, said [][]byte) []byte {
	old := reply
	if len(said) > 0 {
		old = said[rng.IntN(len(said))]
	}
	switch rng.IntN(7) {
	case 0:
		return nil
	case 1:
		return noise(rng, 1+rng.IntN(300))
	case 2:
		return old
	case 3:
		return slices.Concat(old, reply, query)
	case 4:
		return query
	}
	return spoil(rng, rng.IntN(len(spoilers)), reply, old)
}

// spoiler is one way in which a line spoils a stream.
type spoiler struct {
	name  string
	spoil func(rng *rand.Rand, b, other []byte) []byte
}

// spoilers are the kinds of corruption. Each gets a copy that it may change, of at least two bytes.
var spoilers = []spoiler{
	{"bits", func(rng *rand.Rand, b, _ []byte) []byte {
		for range 1 + rng.IntN(8) {
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		}
		return b
	}},
	{"substituted", func(rng *rand.Rand, b, _ []byte) []byte {
		for range 1 + rng.IntN(4) {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		return b
	}},
	{"alike", func(rng *rand.Rand, b, _ []byte) []byte { // characters of the same kind: what noise seldom does and a form cannot see
		for range 2 + rng.IntN(5) {
			at := rng.IntN(len(b))
			switch c := b[at]; {
			case c >= '0' && c <= '9':
				b[at] = byte('0' + rng.IntN(10))
			case c >= 'A' && c <= 'Z':
				b[at] = byte('A' + rng.IntN(26))
			}
		}
		return b
	}},
	{"inserted", func(rng *rand.Rand, b, _ []byte) []byte {
		at := rng.IntN(len(b) + 1)
		return slices.Insert(b, at, noise(rng, 1+rng.IntN(3))...)
	}},
	{"doubled", func(rng *rand.Rand, b, _ []byte) []byte {
		at := rng.IntN(len(b))
		return slices.Insert(b, at, b[at])
	}},
	{"deleted", func(rng *rand.Rand, b, _ []byte) []byte {
		at := rng.IntN(len(b))
		return slices.Delete(b, at, min(len(b), at+1+rng.IntN(3)))
	}},
	{"transposed", func(rng *rand.Rand, b, _ []byte) []byte {
		at := rng.IntN(len(b) - 1)
		b[at], b[at+1] = b[at+1], b[at]
		return b
	}},
	{"truncated", func(rng *rand.Rand, b, other []byte) []byte { // and the next follows
		return append(b[:rng.IntN(len(b))], other...)
	}},
	{"joined", func(rng *rand.Rand, b, other []byte) []byte { // the head of one, the tail of another
		return append(b[:rng.IntN(len(b))], other[rng.IntN(len(other)):]...)
	}},
	{"burst", func(rng *rand.Rand, b, _ []byte) []byte {
		at := rng.IntN(len(b))
		copy(b[at:], noise(rng, 2+rng.IntN(15)))
		return b
	}},
}

// spoil corrupts a copy of b in the way of spoilers[kind].
func spoil(rng *rand.Rand, kind int, b, other []byte) []byte {
	if len(b) < 2 || len(other) == 0 {
		return noise(rng, 8)
	}
	return spoilers[kind].spoil(rng, slices.Clone(b), other)
}

func (s Suite) seeded(i int) string { return fmt.Sprintf("run %d (seed %d)", i, s.Seed) }
