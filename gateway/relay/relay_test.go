package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"infusiond/gateway/spool"
)

// record is a spool in memory.
type record struct {
	mu       sync.Mutex
	all      []spool.Record
	cursors  map[string]int64
	rejected []spool.RejectedRecord
	changed  chan struct{}
	fail     error // of the next Advance
}

func newRecord(n int) *record {
	r := &record{cursors: map[string]int64{}, changed: make(chan struct{})}
	r.add(n)
	return r
}

func (r *record) add(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range n {
		pos := int64(len(r.all) + 1)
		r.all = append(r.all, spool.Record{Pos: pos, Kind: spool.Event, Key: spool.Key{Epoch: "e", Stream: "blue", Seq: uint64(pos)}, Payload: fmt.Append(nil, pos)})
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *record) After(_ context.Context, pos int64, limit int) ([]spool.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rest := r.all[min(int(pos), len(r.all)):]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

func (r *record) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

func (r *record) Cursor(_ context.Context, sink string) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cursors[sink], nil
}

func (r *record) Advance(_ context.Context, sink string, pos int64, rejected []spool.RejectedRecord) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.fail; err != nil {
		r.fail = nil
		return err
	}
	r.cursors[sink] = pos
	r.rejected = append(r.rejected, rejected...)
	return nil
}

// sink answers by a script and keeps what it confirmed, in order.
type sink struct {
	mu        sync.Mutex
	confirmed []int64
	answer    func(batch []spool.Record) (Outcome, error)
}

func (s *sink) Name() string { return "test" }

func (s *sink) Deliver(_ context.Context, batch []spool.Record) (Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := s.answer(batch)
	for i := range batch[:min(max(out.Accepted, 0), len(batch))] {
		if !slices.ContainsFunc(out.Rejected, func(j Reject) bool { return j.Index == i }) {
			s.confirmed = append(s.confirmed, batch[i].Pos)
		}
	}
	return out, err
}

type reports struct {
	mu   sync.Mutex
	open map[string]string
	seen []string
}

func (r *reports) report(code, _, detail, _ string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if detail == "" {
		delete(r.open, code)
		return
	}
	if _, twice := r.open[code]; !twice {
		r.seen = append(r.seen, code)
	}
	r.open[code] = detail
}

func start(t *testing.T, sp Spool, s *sink, batch int) (*Relay, *reports, func()) {
	t.Helper()
	rep := &reports{open: map[string]string{}}
	r := New(Options{
		Spool: sp, Sink: s, Log: slog.New(slog.DiscardHandler), Report: rep.report, Now: time.Now, Rand: rand.NewPCG(1, 2), Batch: batch,
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return r, rep, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func upTo(n int64) []int64 {
	var out []int64
	for i := range n {
		out = append(out, i+1)
	}
	return out
}

func all(batch []spool.Record) (Outcome, error) { return Outcome{Accepted: len(batch)}, nil }

// Covers GW-50.
func TestEverythingGoesOutInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp, s := newRecord(1234), &sink{answer: all}
		r, _, stop := start(t, sp, s, 100)
		synctest.Wait()
		sp.add(7)
		synctest.Wait()
		stop()
		if !slices.Equal(s.confirmed, upTo(1241)) || sp.cursors["test"] != 1241 || r.Status().Delivered != 1241 {
			t.Errorf("%d confirmed, cursor %d, status %+v", len(s.confirmed), sp.cursors["test"], r.Status())
		}
	})
}

// Covers GW-51.
func TestAnOutageIsAConditionAndThenEverythingFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp := newRecord(10)
		down := true
		s := &sink{}
		s.answer = func(batch []spool.Record) (Outcome, error) {
			if down {
				return Outcome{}, &Failure{Code: "broker_refused", Hint: "look", Err: errors.New("connection refused")}
			}
			return all(batch)
		}
		r, rep, stop := start(t, sp, s, 4)
		time.Sleep(time.Hour) // of the bubble's clock
		synctest.Wait()
		if st := r.Status(); st.State != StateWaiting || st.Reason != "connection refused" || sp.cursors["test"] != 0 || rep.open["broker_refused"] == "" {
			t.Errorf("in the outage: %+v, cursor %d, conditions %v", st, sp.cursors["test"], rep.open)
		}
		// Full jitter up to 30 s: an hour holds some 240 tries, surely between 120 and 1000.
		if st := r.Status(); st.Retried < 120 || st.Retried > 1000 {
			t.Errorf("%d tries in an hour", st.Retried)
		}
		s.mu.Lock()
		down = false
		s.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		if st := r.Status(); st.State != StateDelivering || st.Reason != "" || len(rep.open) != 0 || !slices.Equal(s.confirmed, upTo(10)) {
			t.Errorf("after the outage: %+v, conditions %v, confirmed %v", st, rep.open, s.confirmed)
		}
	})
}

// Covers GW-59.
func TestAPoisonedRecordIsSetAsideAndBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp, s := newRecord(9), &sink{}
		s.answer = func(batch []spool.Record) (Outcome, error) {
			out := Outcome{Accepted: len(batch)}
			for i, rec := range batch {
				if rec.Pos == 5 {
					out.Rejected = append(out.Rejected, Reject{Index: i, Reason: "field type conflict"})
				}
			}
			return out, nil
		}
		r, rep, stop := start(t, sp, s, 4)
		synctest.Wait()
		stop()
		if len(s.confirmed) != 8 || slices.Contains(s.confirmed, 5) || sp.cursors["test"] != 9 {
			t.Errorf("confirmed %v, cursor %d", s.confirmed, sp.cursors["test"])
		}
		if len(sp.rejected) != 1 || sp.rejected[0].Pos != 5 || sp.rejected[0].Reason != "field type conflict" || string(sp.rejected[0].Payload) != "5" {
			t.Errorf("set aside %+v", sp.rejected)
		}
		if r.Status().Rejected != 1 || rep.open["records_rejected"] == "" {
			t.Errorf("%+v %v", r.Status(), rep.open)
		}
	})
}

// Covers GW-40.
func TestASinkThatCountsWronglyIsNotBelieved(t *testing.T) {
	for name, wrong := range map[string]Outcome{
		"more than there are": {Accepted: 99}, "less than nothing": {Accepted: -1}, "nothing and no error": {},
		"reject outside": {Accepted: 2, Rejected: []Reject{{Index: 2}}}, "reject before": {Accepted: 2, Rejected: []Reject{{Index: -1}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sp, s := newRecord(3), &sink{answer: func([]spool.Record) (Outcome, error) { return wrong, nil }}
				r, _, stop := start(t, sp, s, 10)
				time.Sleep(time.Minute)
				synctest.Wait()
				stop()
				if sp.cursors["test"] != 0 || r.Status().State != StateWaiting {
					t.Errorf("cursor %d, %+v", sp.cursors["test"], r.Status())
				}
			})
		})
	}
}

// Covers GW-40.
func TestACursorThatCannotBeMovedLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp, s := newRecord(6), &sink{answer: func([]spool.Record) (Outcome, error) { return Outcome{Accepted: 1}, nil }}
		sp.fail = errors.New("disk full")
		_, _, stop := start(t, sp, s, 3)
		synctest.Wait()
		stop()
		if !slices.Equal(s.confirmed, upTo(6)) || sp.cursors["test"] != 6 {
			t.Errorf("confirmed %v, cursor %d", s.confirmed, sp.cursors["test"])
		}
	})
}

func TestNothingIsDeliveredBehindAClosedSpool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp, s := newRecord(6), &sink{answer: func([]spool.Record) (Outcome, error) { return Outcome{Accepted: 1}, nil }}
		sp.fail = spool.ErrClosed
		_, _, stop := start(t, sp, s, 3)
		synctest.Wait()
		stop()
		if len(s.confirmed) != 1 || sp.cursors["test"] != 0 {
			t.Errorf("confirmed %v, cursor %d", s.confirmed, sp.cursors["test"])
		}
	})
}

func TestDrainWaitsForWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp, s := newRecord(5), &sink{}
		slow := errors.New("not yet")
		s.answer = func([]spool.Record) (Outcome, error) { return Outcome{}, slow }
		r, _, stop := start(t, sp, s, 10)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Drain(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drained although nothing went out: %v", err)
		}
		s.mu.Lock()
		s.answer = all
		s.mu.Unlock()
		if err := r.Drain(t.Context()); err != nil || len(s.confirmed) != 5 {
			t.Errorf("%v, confirmed %v", err, s.confirmed)
		}
		stop()
	})
}

// TestRandomHistories lets sinks fail at random, restarts the relay at random, and holds that first
// occurrences are in order, nothing is missing, and the cursor never passes what was not confirmed.
// Covers GW-40, GW-50.
func TestRandomHistories(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 3))
	for range 30 {
		synctest.Test(t, func(t *testing.T) {
			sp, s := newRecord(rnd.IntN(50)), &sink{}
			cuts := rand.New(rand.NewPCG(rnd.Uint64(), 4)) // used under the sink's lock only
			s.answer = func(batch []spool.Record) (Outcome, error) {
				n := cuts.IntN(len(batch) + 1)
				if n == len(batch) {
					return Outcome{Accepted: n}, nil
				}
				return Outcome{Accepted: n}, errors.New("cut")
			}
			for range 5 {
				_, _, stop := start(t, sp, s, 1+rnd.IntN(20))
				time.Sleep(time.Duration(rnd.IntN(60)) * time.Second)
				sp.add(rnd.IntN(30))
				synctest.Wait()
				if rnd.IntN(2) == 0 { // a crash between confirmation and cursor
					sp.mu.Lock()
					sp.cursors["test"] = max(0, sp.cursors["test"]-int64(rnd.IntN(10)))
					sp.mu.Unlock()
				}
				stop()
			}
			s.mu.Lock()
			s.answer = all
			s.mu.Unlock()
			_, _, stop := start(t, sp, s, 10)
			time.Sleep(time.Minute)
			synctest.Wait()
			stop()
			seen := map[int64]bool{}
			var first []int64
			for _, pos := range s.confirmed {
				if !seen[pos] {
					first = append(first, pos)
				}
				seen[pos] = true
			}
			if !slices.Equal(first, upTo(int64(len(sp.all)))) {
				t.Errorf("seed %d: first occurrences %v of %d", seed, first, len(sp.all))
			}
		})
	}
}
