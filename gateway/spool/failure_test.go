package spool

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// broken makes the disk fail while it is set.
func broken(s *Spool) *atomic.Bool {
	var b atomic.Bool
	s.writer.hook = func() error {
		if b.Load() {
			return errors.New("input/output error")
		}
		return nil
	}
	return &b
}

// Covers GW-37.
func TestFailingDisk(t *testing.T) {
	for _, test := range []struct {
		name string
		n    int
	}{
		{name: "nothing happens meanwhile", n: 0},
		{name: "a few records", n: 5},
		{name: "more than the last step takes", n: 3000},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options(filepath.Join(t.TempDir(), "spool.db"))
			s := open(t, o)
			fail := broken(s)
			r := run(t, s)
			r.observe("a", 10)
			first := r.Epoch()
			fail.Store(true)
			one, err := r.Append(t.Context(), Batch{Drafts: []Draft{draft("a", Alert, start())}, Notes: map[string][]byte{"n": []byte("memory")}})
			if err != nil || one[0].Durable || one[0].Seq != 1 || one[0].Epoch == first || one[0].Pos != 11 {
				t.Fatalf("first record in memory: %+v, %v", one, err)
			}
			if st := r.Status(); st.Durable || st.Reason == "" || st.Records != 11 {
				t.Fatalf("status %+v", st)
			}
			for range test.n {
				r.add(draft("b", Observation, start()))
			}
			if err := r.Advance(t.Context(), "x", 11, nil); err != nil {
				t.Fatal(err)
			}
			if n, _, err := r.Backlog(t.Context(), "x"); err != nil || n != uint64(test.n) {
				t.Fatalf("backlog %d, %v", n, err)
			}
			gapless(t, all(t, s, 0))
			fail.Store(false)
			until(t, "the disk is used again", func() bool { return r.Status().Durable })
			last := r.observe("a", 1)[0]
			if !last.Durable || last.Seq != 1 || last.Epoch == first || last.Epoch == one[0].Epoch {
				t.Fatalf("first durable record: %+v", last.Key)
			}
			r.end()
			again := open(t, o)
			defer again.Close()
			records := all(t, again, 0)
			gapless(t, records)
			if len(records) != 12+test.n || again.Epoch() != last.Epoch {
				t.Fatalf("%d records in epoch %s", len(records), again.Epoch())
			}
			if note, _, _ := again.Note(t.Context(), "n"); string(note) != "memory" {
				t.Fatalf("note %q", note)
			}
			if pos, _ := again.Cursor(t.Context(), "x"); pos != 11 {
				t.Fatalf("cursor %d", pos)
			}
			if n, _, err := again.Backlog(t.Context(), "x"); err != nil || n != uint64(test.n)+1 {
				t.Fatalf("backlog %d, %v", n, err)
			}
			if n := again.Status().Records; n != uint64(len(records)) {
				t.Fatalf("status counts %d of %d", n, len(records))
			}
		})
	}
}

// TestHangingCommit: callers go on, and the commit that goes through late leaves no record under a second key.
// Covers GW-37.
func TestHangingCommit(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "spool.db"))
	o.CommitLimit = 20 * time.Millisecond
	s := open(t, o)
	release := make(chan struct{})
	var hang atomic.Bool
	s.writer.hook = func() error {
		if hang.Load() {
			<-release
		}
		return nil
	}
	r := run(t, s)
	until(t, "a commit in time", func() bool { return r.add(draft("a", Observation, start()))[0].Durable && r.Status().Durable })
	hang.Store(true)
	held := r.add(draft("a", Alert, start()))[0]
	if held.Durable || held.Seq != 1 {
		t.Fatalf("record %+v", held.Key)
	}
	for range 100 {
		if r.add(draft("a", Observation, start()))[0].Durable {
			t.Fatal("durable while the disk hangs")
		}
	}
	if err := r.Prune(t.Context(), nil, start()); err != nil {
		t.Fatal(err)
	}
	hang.Store(false)
	close(release)
	until(t, "the disk is used again", func() bool { return r.Status().Durable })
	r.end()
	again := open(t, options(o.Path))
	defer again.Close()
	records := all(t, again, 0)
	gapless(t, records)
	alerts := 0
	for _, rec := range records {
		if rec.Kind == Alert {
			alerts++
		}
	}
	if alerts != 1 {
		t.Fatalf("the alert is there %d times", alerts)
	}
}

// TestHangAtTheEnd: Run returns although the disk does not.
func TestHangAtTheEnd(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "spool.db"))
	o.CommitLimit = 10 * time.Millisecond
	s := open(t, o)
	release := make(chan struct{})
	defer close(release)
	s.writer.hook = func() error { <-release; return nil }
	r := run(t, s)
	r.observe("a", 3)
	r.stop()
	if err := <-r.done; err == nil {
		t.Fatal("no error although records were left behind")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// Covers GW-38.
func TestMemoryIsBounded(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "spool.db"))
	o.MemoryRecords = 128
	o.RetryEvery = time.Hour
	s := open(t, o)
	fail := broken(s)
	fail.Store(true)
	r := run(t, s)
	for range 100 {
		r.add(draft("a", Observation, start()), draft("a", Event, start()), draft("a", Alert, start()))
	}
	kinds := map[Kind]int{}
	for _, rec := range all(t, s, 0) {
		kinds[rec.Kind]++
	}
	if kinds[Alert] != 100 || kinds[Observation] != 0 || kinds[Event] == 0 || kinds[Event]+kinds[Alert] > 128 {
		t.Fatalf("left are %v", kinds)
	}
	st := r.Status()
	if st.Lost != uint64(300-kinds[Event]-kinds[Alert]) || st.Records != 300-st.Lost {
		t.Fatalf("status %+v", st)
	}
	var counted uint64
	for _, l := range r.TakeLosses() {
		if l.ToSeq-l.FromSeq+1 < l.Count || l.Stream != "a" || l.Epoch != r.Epoch() {
			t.Fatalf("loss %+v", l)
		}
		counted += l.Count
	}
	if counted != st.Lost || len(r.TakeLosses()) != 0 {
		t.Fatalf("losses tell %d of %d", counted, st.Lost)
	}
	if n, _, err := r.Backlog(t.Context(), "x"); err != nil || n != 300-st.Lost {
		t.Fatalf("backlog %d, %v", n, err)
	}
	fail.Store(false)
	left := all(t, s, 0)
	r.end() // brings the memory to disk
	again := open(t, o)
	defer again.Close()
	if got := all(t, again, 0); len(got) != len(left) {
		t.Fatalf("%d records on disk, %d in memory", len(got), len(left))
	}
	if n, _, err := again.Backlog(t.Context(), "x"); err != nil || n != uint64(len(left)) {
		t.Fatalf("backlog %d, %v", n, err)
	}
}

// TestNoDiskAtTheStart: the directory turns up later, with or without an older file in it. A sink goes
// ahead with the memory and comes back to what waits in the file.
// Covers GW-37, GW-40.
func TestNoDiskAtTheStart(t *testing.T) {
	for _, test := range []struct {
		name      string
		older     int
		confirmed int64
		want      int64 // cursor when the file has turned up, with two records of the memory confirmed
	}{
		{name: "a new file", want: 2},
		{name: "an older file, all confirmed", older: 10, confirmed: 10, want: 12},
		{name: "an older file with a backlog", older: 10, confirmed: 4, want: 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			o := options(filepath.Join(dir, "spool.db"))
			if test.older > 0 {
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				before := openRunning(t, o)
				before.observe("a", test.older)
				if err := before.Advance(t.Context(), "x", test.confirmed, nil); err != nil {
					t.Fatal(err)
				}
				before.end()
				if err := os.Rename(dir, dir+"-away"); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, o)
			if st := s.Status(); st.Durable || st.Reason == "" {
				t.Fatalf("status %+v", st)
			}
			r := run(t, s)
			r.observe("a", 3)
			pos, err := r.Cursor(t.Context(), "x")
			if err != nil {
				t.Fatal(err)
			}
			ahead, err := r.After(t.Context(), pos, 2)
			if err != nil || len(ahead) != 2 || ahead[0].Durable {
				t.Fatalf("records %+v, %v", ahead, err)
			}
			if err := r.Advance(t.Context(), "x", ahead[1].Pos, nil); err != nil {
				t.Fatal(err)
			}
			if n, _, err := r.Backlog(t.Context(), "x"); err != nil || n != 1 {
				t.Fatalf("backlog %d, %v", n, err)
			}
			if test.older > 0 {
				err = os.Rename(dir+"-away", dir)
			} else {
				err = os.Mkdir(dir, 0o700)
			}
			if err != nil {
				t.Fatal(err)
			}
			until(t, "the disk is used", func() bool { return r.Status().Durable })
			if _, err := r.After(t.Context(), ahead[1].Pos, 1); !errors.Is(err, ErrRewind) {
				t.Fatalf("after a place of the memory: %v", err)
			}
			if err := r.Advance(t.Context(), "x", ahead[1].Pos, nil); err != nil {
				t.Fatal(err)
			}
			if pos, _ := r.Cursor(t.Context(), "x"); pos != test.want {
				t.Fatalf("cursor %d, want %d", pos, test.want)
			}
			last := r.observe("a", 1)[0]
			records := all(t, s, 0)
			gapless(t, records)
			if len(records) != test.older+4 || !last.Durable || last.Seq != 1 {
				t.Fatalf("%d records, last %+v", len(records), last.Key)
			}
			if n, _, err := r.Backlog(t.Context(), "x"); err != nil || n != uint64(test.older)+4-uint64(test.want) {
				t.Fatalf("backlog %d, %v", n, err)
			}
		})
	}
}
