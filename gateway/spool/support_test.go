package spool

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if job := os.Getenv("SPOOL_CHILD"); job != "" {
		os.Exit(child(job))
	}
	os.Exit(m.Run())
}

// start is a time at which every test begins.
func start() time.Time { return time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC) }

// epochs makes ids that are known in advance.
func epochs(prefix string) func() string {
	n := 0
	return func() string {
		n++
		return fmt.Sprintf("%s-%d", prefix, n)
	}
}

func options(path string) Options {
	return Options{
		Path: path, NewEpoch: epochs(filepath.Base(filepath.Dir(path)) + "-" + strconv.Itoa(os.Getpid())), Now: start,
		Log: slog.New(slog.DiscardHandler), CommitLimit: time.Minute, RetryEvery: time.Millisecond, CursorDelay: time.Millisecond,
	}
}

// running is a spool whose Run runs.
type running struct {
	*Spool
	t    *testing.T
	stop context.CancelFunc
	done chan error
}

func open(t *testing.T, o Options) *Spool {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

func run(t *testing.T, s *Spool) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{Spool: s, t: t, stop: stop, done: make(chan error, 1)}
	go func() { r.done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-r.stopped
		_ = r.Close() // the test may have closed it
	})
	return r
}

func openRunning(t *testing.T, o Options) *running { return run(t, open(t, o)) }

// end stops Run and closes the file.
func (r *running) end() {
	r.t.Helper()
	r.stop()
	if err := <-r.done; err != nil {
		r.t.Fatalf("run: %v", err)
	}
	if err := r.Close(); err != nil {
		r.t.Fatalf("close: %v", err)
	}
}

// draft is a record whose payload names its key.
func draft(stream string, kind Kind, at time.Time) Draft {
	return Draft{Stream: stream, Kind: kind, At: at, Encode: func(k Key) ([]byte, error) { return payload(k, kind), nil }}
}

func payload(k Key, kind Kind) []byte {
	return fmt.Appendf(nil, `{"epoch":%q,"stream":%q,"kind":%d,"seq":%d,"topic_seq":%d,"durable":%t}`, k.Epoch, k.Stream, kind, k.Seq, k.TopicSeq, k.Durable)
}

func (r *running) add(drafts ...Draft) []Record {
	r.t.Helper()
	records, err := r.Append(r.t.Context(), Batch{Drafts: drafts})
	if err != nil {
		r.t.Fatalf("append: %v", err)
	}
	return records
}

func (r *running) observe(stream string, n int) []Record {
	r.t.Helper()
	var all []Record
	for i := range n {
		all = append(all, r.add(draft(stream, Observation, start().Add(time.Duration(i)*time.Second)))...)
	}
	return all
}

// all reads everything behind a place.
func all(t *testing.T, s *Spool, pos int64) []Record {
	t.Helper()
	var out []Record
	for {
		records, err := s.After(t.Context(), pos, 97)
		if err != nil {
			t.Fatalf("after %d: %v", pos, err)
		}
		if len(records) == 0 {
			return out
		}
		out = append(out, records...)
		pos = records[len(records)-1].Pos
	}
}

// gapless looks at numbers, order and payloads of a whole spool without losses.
func gapless(t *testing.T, records []Record) {
	t.Helper()
	type key struct {
		epoch, stream string
		kind          Kind
	}
	seq := map[key]uint64{}
	var pos int64
	for i, r := range records {
		if r.Pos <= pos {
			t.Fatalf("record %d stands at place %d, behind %d", i, r.Pos, pos)
		}
		pos = r.Pos
		for kind, n := range map[Kind]uint64{0: r.Seq, r.Kind: r.TopicSeq} {
			k := key{r.Epoch, r.Stream, kind}
			seq[k]++
			if n != seq[k] {
				t.Fatalf("record %d of stream %q epoch %s kind %d has number %d, want %d", i, r.Stream, r.Epoch, kind, n, seq[k])
			}
		}
		if want := string(payload(r.Key, r.Kind)); string(r.Payload) != want {
			t.Fatalf("record %d has payload %s, want %s", i, r.Payload, want)
		}
	}
}

// until waits for a condition that another goroutine brings about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("still waiting: %s", what)
		}
	}
}

// seeded gives a random source and prints its seed.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("SEED: %v", err)
		}
	}
	t.Logf("SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}
