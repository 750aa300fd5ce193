package drivertest

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"time"
)

// event is one exchange that a fault strikes.
type event struct {
	n                      int // 0 for the first exchange that is struck
	query, reply, previous []byte
	rng                    *rand.Rand
}

// fault is something that a line does to one or two exchanges.
type fault struct {
	name   string
	spread int // how many exchanges it strikes; 0 is one
	strike func(e event) []Piece
}

func (f fault) length() int { return max(1, f.spread) }

func now(b ...[]byte) []Piece { return []Piece{{After: answerDelay, Bytes: bytes.Join(b, nil)}} }

// late is longer than any reply timeout of one second or less.
const late = 1100 * time.Millisecond

// faults are all that strike at one point.
func faults() []fault {
	return []fault{
		{name: "silence", strike: func(event) []Piece { return nil }},
		{name: "silence_twice", spread: 2, strike: func(event) []Piece { return nil }},
		{name: "split", strike: split},
		{name: "doubled", strike: func(e event) []Piece { return now(e.reply, e.reply) }},
		{name: "previous_reply_first", strike: func(e event) []Piece { return now(e.previous, e.reply) }},
		{name: "previous_reply_only", strike: func(e event) []Piece { return now(e.previous) }},
		{name: "noise_before", strike: func(e event) []Piece { return now(noise(e.rng, 20), e.reply) }},
		{name: "noise_after", strike: func(e event) []Piece { return now(e.reply, noise(e.rng, 20)) }},
		{name: "noise_inside", strike: inside},
		{name: "noise_only", strike: func(e event) []Piece { return now(noise(e.rng, 300)) }},
		{name: "bit_error", strike: bitError},
		{name: "byte_lost", strike: byteLost},
		{name: "cut_short", strike: func(e event) []Piece { return now(e.reply[:len(e.reply)/2]) }},
		{name: "late", strike: func(e event) []Piece { return []Piece{{After: 700 * time.Millisecond, Bytes: e.reply}} }},
		{name: "very_late", strike: func(e event) []Piece { return []Piece{{After: late, Bytes: e.reply}} }},
		{name: "overtaken_randomly", strike: func(e event) []Piece {
			return overtaken(e, 500*time.Millisecond+time.Duration(e.rng.Int64N(int64(6*time.Second))))
		}},
		{name: "late_with_next", spread: 2, strike: lateWithNext},
		{name: "echo_first", strike: func(e event) []Piece { return now(e.query, e.reply) }},
		{name: "echo_only", strike: func(e event) []Piece { return now(e.query) }},
	}
}

// overtaken holds an answer back; those behind it do not wait.
func overtaken(e event, after time.Duration) []Piece {
	return []Piece{{After: after, Bytes: e.reply, Loose: true}}
}

// noise is n random bytes.
func noise(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func split(e event) []Piece {
	half := len(e.reply) / 2
	return []Piece{{After: answerDelay, Bytes: e.reply[:half]}, {After: 150 * time.Millisecond, Bytes: e.reply[half:]}}
}

func inside(e event) []Piece {
	half := len(e.reply) / 2
	return now(e.reply[:half], noise(e.rng, 1+e.rng.IntN(5)), e.reply[half:])
}

func bitError(e event) []Piece {
	if len(e.reply) == 0 {
		return nil
	}
	b := slices.Clone(e.reply)
	b[e.rng.IntN(len(b))] ^= 1 << e.rng.IntN(8)
	return now(b)
}

func byteLost(e event) []Piece {
	if len(e.reply) == 0 {
		return nil
	}
	at := e.rng.IntN(len(e.reply))
	return now(slices.Delete(slices.Clone(e.reply), at, at+1))
}

// lateWithNext holds the first answer back until the next query, whose answer follows it.
func lateWithNext(e event) []Piece {
	if e.n == 0 {
		return nil
	}
	return now(e.previous, e.reply)
}
