package drivertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"infusiond/drivers"
)

// silence lets the pump fall silent for good at each point: the next cycle must fail as
// silent, and when the pump is back, all is read again.
func (s Suite) silence(t *testing.T, ref reference) {
	for at := range ref.starts[2] {
		r := s.newRun(s.Pump())
		r.port.SetTamper(func(n int, query, reply []byte) []Piece {
			if n >= at {
				return nil
			}
			return Clean(n, query, reply)
		})
		where := fmt.Sprintf("silent from exchange %d", at)
		var last error
		for range 3 {
			reports, err := r.poll(t.Context())
			ref.check(t, reports, where)
			last = err
		}
		if !errors.Is(last, drivers.ErrSilent) {
			t.Errorf("%s: %v, want ErrSilent", where, last)
		}
		r.recovers(t, ref, where)
	}
}

// hangUp lets the line go away at each point.
func (s Suite) hangUp(t *testing.T, ref reference) {
	for at := range ref.starts[2] {
		r := s.newRun(s.Pump())
		r.port.SetTamper(func(n int, query, reply []byte) []Piece {
			if n == at {
				return []Piece{{Err: errLost}}
			}
			return Clean(n, query, reply)
		})
		where := fmt.Sprintf("hang-up at exchange %d", at)
		var last error
		for range 3 {
			reports, err := r.poll(t.Context())
			ref.check(t, reports, where)
			s.beside(t, reports, err, where)
			last = err
		}
		if !errors.Is(last, errLost) || errors.Is(last, drivers.ErrSilent) {
			t.Errorf("%s: %v, want the port's own error", where, last)
		}
	}
}

// cancel cancels at each point: the driver returns the context's error and
// writes nothing more.
func (s Suite) cancel(t *testing.T, ref reference) {
	for at := range ref.starts[2] {
		r := s.newRun(s.Pump())
		ctx, cancel := context.WithCancel(t.Context())
		written := -1
		r.port.SetTamper(func(n int, query, reply []byte) []Piece {
			if n == at {
				cancel()
				written = len(r.port.writes)
			}
			return Clean(n, query, reply)
		})
		where := fmt.Sprintf("cancelled at exchange %d", at)
		var last error
		for range 3 { // a cycle whose last query needs no answer may still end well
			var reports []drivers.Report
			if reports, last = r.poll(ctx); last != nil {
				s.beside(t, reports, last, where)
				break
			}
		}
		cancel()
		if !errors.Is(last, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", where, last)
		}
		if extra := len(r.port.writes) - written; extra != 0 {
			t.Errorf("%s: %d queries written afterwards", where, extra)
		}
		r.recovers(t, ref, where)
	}
}

// alwaysLate delays every answer by the same time, from punctual to far too late.
func (s Suite) alwaysLate(t *testing.T, ref reference) {
	for delay := 100 * time.Millisecond; delay <= 3*time.Second; delay += 100 * time.Millisecond {
		r := s.newRun(s.Pump())
		r.port.SetTamper(func(_ int, _, reply []byte) []Piece { return []Piece{{After: delay, Bytes: reply}} })
		where := fmt.Sprintf("every answer %v late", delay)
		for range runCycles {
			reports, err := r.poll(t.Context())
			ref.check(t, reports, where)
			s.beside(t, reports, err, where)
		}
		r.port.Advance(10 * time.Minute) // what was found unavailable lapses
		r.recovers(t, ref, where)
	}
}

// stall lets the pump pause at each point, and then answer all that it was asked
// meanwhile, in order.
func (s Suite) stall(t *testing.T, ref reference) {
	for _, pause := range []time.Duration{400 * time.Millisecond, 600 * time.Millisecond, 1200 * time.Millisecond, 1700 * time.Millisecond, 2500 * time.Millisecond, 4 * time.Second} {
		for at := range ref.starts[2] {
			r := s.newRun(s.Pump())
			var until time.Duration
			r.port.SetTamper(func(n int, query, reply []byte) []Piece {
				if n == at {
					until = r.port.Now() + pause
				}
				if n >= at && r.port.Now() < until {
					return []Piece{{After: until - r.port.Now(), Bytes: reply}}
				}
				return Clean(n, query, reply)
			})
			where := fmt.Sprintf("the pump pauses for %v at exchange %d", pause, at)
			for range 2 {
				reports, err := r.poll(t.Context())
				ref.check(t, reports, where)
				s.beside(t, reports, err, where)
			}
			r.port.Advance(10 * time.Minute)
			r.recovers(t, ref, where)
		}
	}
}

// overtakenAtAnyTime lets each answer come late, after others, at a time that falls into each of
// the waits that follow: it must not pass as the answer to another query.
func (s Suite) overtakenAtAnyTime(t *testing.T, ref reference) {
	for after := 510 * time.Millisecond; after < 1500*time.Millisecond; after += answerDelay * 3 / 4 {
		for at := range ref.starts[1] {
			r := s.newRun(s.Pump())
			r.port.SetTamper(func(n int, query, reply []byte) []Piece {
				if n == at {
					return []Piece{{After: after, Bytes: reply, Loose: true}}
				}
				return Clean(n, query, reply)
			})
			where := fmt.Sprintf("the answer of exchange %d comes after %v, overtaken", at, after)
			for range 2 {
				reports, err := r.poll(t.Context())
				ref.check(t, reports, where)
				s.beside(t, reports, err, where)
			}
		}
	}
}

// random mixes all faults.
func (s Suite) random(t *testing.T, ref reference) {
	all := faults()
	for i := range randomRuns {
		rng := rand.New(rand.NewPCG(s.Seed, uint64(1_000_000+i)))
		r := s.newRun(s.Pump())
		r.port.SetChunk(rng.IntN(12))
		var previous []byte
		struck := 0
		r.port.SetTamper(func(n int, query, reply []byte) []Piece {
			pieces := Clean(n, query, reply)
			if rng.IntN(faultChance) == 0 {
				struck++
				f := all[rng.IntN(len(all))]
				pieces = f.strike(event{n: rng.IntN(2), query: query, reply: reply, previous: previous, rng: rng})
			}
			previous = reply
			return pieces
		})
		where := fmt.Sprintf("random run %d (seed %d)", i, s.Seed)
		for range runCycles {
			reports, err := r.poll(t.Context())
			ref.check(t, reports, where)
			s.beside(t, reports, err, where)
		}
		r.port.Advance(10 * time.Minute)
		r.recovers(t, ref, where)
	}
}

// swap moves the cable to another pump at each point, without a hang-up. No report may mix
// the two, and a change within a session must be said.
func (s Suite) swap(t *testing.T, ref reference) {
	other := s.reference(t, s.Other)
	both := reference{merged: make(map[string]drivers.Report), log: make(map[string][]string)}
	for _, from := range []reference{ref, other} {
		maps.Copy(both.merged, from.merged)
		maps.Copy(both.log, from.log)
	}
	for at := 1; at < ref.starts[2]; at++ {
		r := s.newRun(s.Pump())
		r.port.SetTamper(func(n int, query, reply []byte) []Piece {
			if n == at-1 {
				r.port.SetPump(s.Other())
			}
			return Clean(n, query, reply)
		})
		where := fmt.Sprintf("another pump from exchange %d on", at)
		said := false
		for range 3 {
			reports, err := r.poll(t.Context())
			both.check(t, reports, where)
			said = said || errors.Is(err, drivers.ErrIdentity)
			// A pump that only pushes, and only to whom it heard, is silent first: the session ended with that.
			said = said || s.PushEvery > 0 && errors.Is(err, drivers.ErrSilent)
			s.beside(t, reports, err, where)
		}
		if !said && at > ref.identified { // before that nobody knew who answered
			t.Errorf("%s: no cycle ended with ErrIdentity", where)
		}
		r.recovers(t, both, where)
	}
}
