package spool

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Covers GW-27.
func TestNumbersGoOnAfterReopen(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "spool.db"))
	epoch := ""
	for range 3 {
		s := openRunning(t, o)
		if epoch != "" && s.Epoch() != epoch {
			t.Fatalf("epoch %s after reopening, want %s", s.Epoch(), epoch)
		}
		epoch = s.Epoch()
		s.add(draft("a", Observation, start()), draft("a", Alert, start()), draft("", Event, start()))
		s.add(draft("b", Observation, start()))
		s.add(draft("a", Observation, start()))
		s.end()
	}
	s := open(t, o)
	defer s.Close()
	records := all(t, s, 0)
	if len(records) != 15 {
		t.Fatalf("%d records, want 15", len(records))
	}
	gapless(t, records)
	last := records[14]
	if last.Stream != "a" || last.Seq != 9 || last.TopicSeq != 6 || !last.Durable || !last.At.Equal(start()) {
		t.Fatalf("last record is %+v", last)
	}
	if st := s.Status(); !st.Durable || st.Records != 15 || st.Bytes == 0 || st.Reason != "" {
		t.Fatalf("status %+v", st)
	}
}

// Covers GW-27, GW-35.
func TestEncodingErrorUsesNoNumber(t *testing.T) {
	s := openRunning(t, options(filepath.Join(t.TempDir(), "spool.db")))
	s.observe("a", 1)
	bad := Draft{Stream: "b", Kind: Event, At: start(), Encode: func(Key) ([]byte, error) { return nil, errors.New("no") }}
	_, err := s.Append(t.Context(), Batch{Drafts: []Draft{draft("a", Event, start()), bad}, Notes: map[string][]byte{"n": {1}}})
	if err == nil {
		t.Fatal("no error")
	}
	if _, err := s.Append(t.Context(), Batch{Drafts: []Draft{draft("a", 9, start())}}); err == nil {
		t.Fatal("no error for an unknown kind")
	}
	s.add(draft("a", Event, start()), draft("b", Event, start()))
	records := all(t, s.Spool, 0)
	gapless(t, records)
	if len(records) != 3 {
		t.Fatalf("%d records, want 3", len(records))
	}
	if _, found, _ := s.Note(t.Context(), "n"); found {
		t.Fatal("the note of a refused batch is there")
	}
}

// Covers GW-35.
func TestNotesGoWithTheirBatch(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "spool.db"))
	s := openRunning(t, o)
	put := func(notes map[string][]byte) {
		t.Helper()
		if _, err := s.Append(t.Context(), Batch{Notes: notes}); err != nil {
			t.Fatal(err)
		}
	}
	put(map[string][]byte{"kept": []byte("1"), "gone": []byte("1"), "empty": {}})
	put(map[string][]byte{"kept": []byte("2"), "gone": nil})
	look := func(s *Spool) map[string]string {
		t.Helper()
		out := map[string]string{}
		for _, key := range []string{"kept", "gone", "empty", "never"} {
			value, found, err := s.Note(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if found {
				out[key] = string(value)
			}
		}
		return out
	}
	want := map[string]string{"kept": "2", "empty": ""}
	if diff := cmp.Diff(want, look(s.Spool)); diff != "" {
		t.Fatal(diff)
	}
	s.end()
	again := open(t, o)
	defer again.Close()
	if diff := cmp.Diff(want, look(again)); diff != "" {
		t.Fatal(diff)
	}
}

// Covers GW-40.
func TestCursorAndRejected(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "spool.db"))
	s := openRunning(t, o)
	records := s.observe("a", 5)
	for _, step := range []struct {
		name     string
		pos      int64
		rejected []RejectedRecord
		want     int64
		waiting  uint64
	}{
		{name: "forward", pos: records[1].Pos, want: records[1].Pos, waiting: 3},
		{name: "never back", pos: records[0].Pos, want: records[1].Pos, waiting: 3},
		{
			name: "with a rejected record", pos: records[3].Pos, want: records[3].Pos, waiting: 1,
			rejected: []RejectedRecord{{Sink: "x", Pos: records[2].Pos, Reason: "too large", Payload: records[2].Payload}},
		},
		{name: "not beyond the end", pos: records[4].Pos + 100, want: records[4].Pos, waiting: 0},
	} {
		if err := s.Advance(t.Context(), "x", step.pos, step.rejected); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if pos, _ := s.Cursor(t.Context(), "x"); pos != step.want {
			t.Fatalf("%s: cursor %d, want %d", step.name, pos, step.want)
		}
		n, oldest, err := s.Backlog(t.Context(), "x")
		if err != nil || n != step.waiting {
			t.Fatalf("%s: backlog %d, %v; want %d", step.name, n, err, step.waiting)
		}
		if n > 0 && !oldest.Equal(records[5-n].At) {
			t.Fatalf("%s: oldest %v, want %v", step.name, oldest, records[5-n].At)
		}
	}
	s.end()
	again := open(t, o)
	defer again.Close()
	if pos, _ := again.Cursor(t.Context(), "x"); pos != records[4].Pos {
		t.Fatalf("cursor %d after reopening, want %d", pos, records[4].Pos)
	}
	var got []RejectedRecord
	err := again.Rejected(t.Context(), func(r RejectedRecord) error { got = append(got, r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]RejectedRecord{{Sink: "x", Pos: records[2].Pos, Reason: "too large", Payload: records[2].Payload}}, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestRangeIsByTime(t *testing.T) {
	s := openRunning(t, options(filepath.Join(t.TempDir(), "spool.db")))
	want := []Record{}
	for i := range 1200 { // more than one page; many share a millisecond, and the clock steps back
		at := start().Add(time.Duration(i/3) * time.Millisecond)
		want = append(want, s.add(draft("a", Observation, at), draft("a", Event, at), draft("b", Observation, at))[0])
	}
	late := s.add(draft("a", Observation, start().Add(-time.Hour)))[0]
	read := func(from, to time.Time) []Record {
		t.Helper()
		got := []Record{}
		err := s.Range(t.Context(), "a", Observation, from, to, func(r Record) error { got = append(got, r); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff(want, read(start(), start().Add(time.Hour))); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]Record{late}, read(start().Add(-time.Hour), start())); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff(want[300:600], read(start().Add(100*time.Millisecond), start().Add(200*time.Millisecond))); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff(want[300:600], read(start().Add(100*time.Millisecond-time.Microsecond), start().Add(200*time.Millisecond-time.Microsecond))); diff != "" {
		t.Fatalf("between milliseconds: %s", diff)
	}
	stop := errors.New("enough")
	if err := s.Range(t.Context(), "a", Observation, start(), start().Add(time.Hour), func(Record) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("error %v", err)
	}
}

// Covers GW-41.
func TestPruneTakesConfirmedOldObservationsOnly(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "spool.db"))
	s := openRunning(t, o)
	for i := range 1200 {
		at := start().Add(time.Duration(i) * time.Second)
		s.add(draft("a", Observation, at), draft("a", Event, at), draft("b", Alert, at))
	}
	records := all(t, s.Spool, 0)
	advance := func(sink string, n int) {
		t.Helper()
		if err := s.Advance(t.Context(), sink, records[n-1].Pos, nil); err != nil {
			t.Fatal(err)
		}
	}
	advance("x", 3600)
	advance("y", 3000)
	before := s.Status().Records
	if err := s.Prune(t.Context(), []string{"x", "y"}, start().Add(1100*time.Second)); err != nil {
		t.Fatal(err)
	}
	if got := before - s.Status().Records; got != 1000 {
		t.Fatalf("%d records pruned, want the 1000 that y has confirmed", got)
	}
	advance("y", 3600)
	if err := s.Prune(t.Context(), []string{"x", "y"}, start().Add(1100*time.Second)); err != nil {
		t.Fatal(err)
	}
	var want []Record
	for _, r := range records {
		if r.Kind != Observation || !r.At.Before(start().Add(1100*time.Second)) {
			want = append(want, r)
		}
	}
	s.end()
	again := openRunning(t, o)
	if diff := cmp.Diff(want, all(t, again.Spool, 0)); diff != "" {
		t.Fatal(diff)
	}
	if got := again.Status().Records; got != uint64(len(want)) {
		t.Fatalf("status counts %d records, want %d", got, len(want))
	}
	n, oldest, err := again.Backlog(t.Context(), "new")
	if err != nil || n != uint64(len(want)) || !oldest.Equal(want[0].At) {
		t.Fatalf("backlog of a new sink is %d from %v, %v", n, oldest, err)
	}
	if r := again.observe("a", 1)[0]; r.Seq != 2401 || r.TopicSeq != 1201 {
		t.Fatalf("numbers after pruning: %+v", r.Key)
	}
}

// Covers GW-36.
func TestCallersShareTransactions(t *testing.T) {
	s := open(t, options(filepath.Join(t.TempDir(), "spool.db")))
	const callers = 64
	held := make(chan struct{})
	first := true
	s.writer.hook = func() error {
		if first {
			first = false
			<-held // until everybody waits
		}
		return nil
	}
	r := run(t, s)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() { r.observe("a", 1) })
	}
	// One is in its transaction; the writer takes the others when it is done, at the latest in
	// a second step for those that came after its look.
	close(held)
	wg.Wait()
	r.end()
	if s.writer.commits >= callers {
		t.Fatalf("%d transactions for %d callers", s.writer.commits, callers)
	}
	t.Logf("%d callers, %d transactions", callers, s.writer.commits)
}

func TestClosedSpool(t *testing.T) {
	s := openRunning(t, options(filepath.Join(t.TempDir(), "spool.db")))
	s.observe("a", 1)
	s.end()
	if _, err := s.Append(t.Context(), Batch{Drafts: []Draft{draft("a", Event, start())}}); !errors.Is(err, ErrClosed) {
		t.Fatalf("append: %v", err)
	}
	if err := s.Advance(t.Context(), "x", 1, nil); !errors.Is(err, ErrClosed) {
		t.Fatalf("advance: %v", err)
	}
	if err := s.Prune(t.Context(), nil, start()); !errors.Is(err, ErrClosed) {
		t.Fatalf("prune: %v", err)
	}
}

func TestAppendGivesUpBeforeRunRuns(t *testing.T) {
	s := open(t, options(filepath.Join(t.TempDir(), "spool.db")))
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Append(ctx, Batch{Drafts: []Draft{draft("a", Event, start())}}); !errors.Is(err, context.Canceled) {
		t.Fatalf("append: %v", err)
	}
}

func TestWait(t *testing.T) {
	s := openRunning(t, options(filepath.Join(t.TempDir(), "spool.db")))
	woken := make(chan error, 1)
	go func() { woken <- s.Wait(t.Context(), 1) }()
	s.observe("a", 1)
	select {
	case err := <-woken:
		t.Fatalf("woken with %v at place 1", err)
	default:
	}
	s.observe("a", 1)
	if err := <-woken; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Wait(ctx, 100); !errors.Is(err, context.Canceled) {
		t.Fatalf("wait: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := Open(t.Context(), Options{}); err == nil {
		t.Fatal("no error")
	}
}
