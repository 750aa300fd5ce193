package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"infusiond/gateway/spool"
)

// realSpool opens and runs a spool on disk; the returned function stops and closes it.
func realSpool(t *testing.T, path string) (*spool.Spool, func()) {
	t.Helper()
	var epochs atomic.Int64
	s, err := spool.Open(t.Context(), spool.Options{
		Path: path, Log: slog.New(slog.DiscardHandler), Now: time.Now, RetryEvery: time.Millisecond,
		NewEpoch: func() string { return fmt.Sprintf("e%d-%d", epochs.Add(1), rand.Uint64()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, func() {
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Error(err)
		}
	}
}

func put(t *testing.T, s *spool.Spool, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		_, err := s.Append(t.Context(), spool.Batch{Drafts: []spool.Draft{{
			Stream: "blue", Kind: spool.Event, At: time.Now(), Encode: func(spool.Key) ([]byte, error) { return fmt.Append(nil, n), nil },
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// listener confirms everything and keeps the payloads and keys.
type listener struct {
	got chan spool.Record
}

func (*listener) Name() string { return "test" }

func (l *listener) Deliver(ctx context.Context, batch []spool.Record) (Outcome, error) {
	for i, r := range batch {
		select {
		case l.got <- r:
		case <-ctx.Done():
			return Outcome{Accepted: i}, ctx.Err()
		}
	}
	return Outcome{Accepted: len(batch)}, nil
}

// TestAFileThatTurnsUpLateIsDeliveredToo: the record file was away at the start. What happened since goes out
// at once, from memory; when the file is there, its backlog follows, and nothing is left out.
// Covers GW-37, GW-40, GW-50.
func TestAFileThatTurnsUpLateIsDeliveredToo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "spool.db")
	before, stop := realSpool(t, path)
	put(t, before, 1, 20)
	if err := before.Advance(t.Context(), "test", 5, nil); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}

	s, stop := realSpool(t, path)
	defer stop()
	l := &listener{got: make(chan spool.Record)}
	r := New(Options{Spool: s, Sink: l, Log: slog.New(slog.DiscardHandler), Report: func(_, _, _, _ string) {}, Now: time.Now, Batch: 3})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	put(t, s, 21, 25)
	seen, keys := map[string]bool{}, map[string]spool.Key{}
	hear := func() string {
		t.Helper()
		select {
		case rec := <-l.got:
			text := string(rec.Payload)
			if key, twice := keys[text]; twice && key != rec.Key {
				t.Fatalf("record %s goes out as %+v and as %+v", text, key, rec.Key)
			}
			seen[text], keys[text] = true, rec.Key
			return text
		case <-t.Context().Done():
			t.Fatal("nothing more goes out")
		}
		return ""
	}
	for n := 21; n <= 25; n++ {
		if got := hear(); got != fmt.Sprint(n) {
			t.Fatalf("record %s went out, want %d", got, n)
		}
	}
	if err := os.Rename(dir+"-away", dir); err != nil {
		t.Fatal(err)
	}
	for changed := s.Changed(); !s.Status().Durable; changed = s.Changed() {
		<-changed
	}
	put(t, s, 26, 26)
	for !seen["26"] {
		hear()
	}
	for n := 6; n <= 26; n++ {
		if !seen[fmt.Sprint(n)] {
			t.Errorf("record %d was left out", n)
		}
	}
	if err := r.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _, err := s.Backlog(t.Context(), "test"); err != nil || n != 0 {
		t.Fatalf("backlog %d, %v", n, err)
	}
}

// TestPausesGrowAlthoughALittleGoesThrough: a sink that takes one record and fails again is left alone for
// longer and longer, until it has worked for a while.
func TestPausesGrowAlthoughALittleGoesThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const records = 200
		sp, s := newRecord(records), &sink{}
		var at []time.Time
		s.answer = func([]spool.Record) (Outcome, error) {
			at = append(at, time.Now())
			return Outcome{Accepted: 1}, errors.New("cut")
		}
		_, _, stop := start(t, sp, s, 10)
		time.Sleep(10 * time.Minute)
		s.mu.Lock()
		early, late := time.Duration(0), time.Duration(0)
		for i := range 5 {
			early += at[i+1].Sub(at[i])
			late += at[len(at)-1-i].Sub(at[len(at)-2-i])
		}
		if len(at) > 120 || late < 2*early || late > 5*longPause {
			t.Errorf("%d tries in ten minutes, the first five pauses %v, the last %v", len(at), early, late)
		}
		s.answer = all
		s.mu.Unlock()
		time.Sleep(time.Minute) // all is delivered, and it goes well for longer than stable
		s.mu.Lock()
		if !slices.Equal(s.confirmed, upTo(records)) {
			t.Errorf("confirmed %v", s.confirmed)
		}
		at = nil
		s.answer = func([]spool.Record) (Outcome, error) {
			at = append(at, time.Now())
			return Outcome{}, errors.New("cut")
		}
		s.mu.Unlock()
		sp.add(1)
		time.Sleep(5 * time.Second)
		stop()
		if len(at) < 2 || at[1].Sub(at[0]) > firstPause+time.Millisecond {
			t.Errorf("tries at %v", at)
		}
	})
}
