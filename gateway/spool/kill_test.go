package spool

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKilledAtRandomNothingAcknowledgedIsLost kills a recording child process again and again.
func TestKilledAtRandomNothingAcknowledgedIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 5))
	acknowledged := map[string]bool{}
	for range 12 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRecordingChild$")
		child.Env = append(os.Environ(), "SPOOL_CHILD="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n, kill := 0, 1+rnd.IntN(60); lines.Scan(); {
			if key, ok := strings.CutPrefix(lines.Text(), "ack "); ok {
				acknowledged[key] = true
				if n++; n == kill {
					if err := child.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		_ = child.Wait() // killed
	}
	s, _ := open(t, options(path))
	seen := map[string]bool{}
	var last int64
	next := map[string]uint64{}
	for _, r := range everything(t, s) {
		key := fmt.Sprintf("%s %s %d", r.Epoch, r.Stream, r.Seq)
		if seen[key] || r.Pos <= last {
			t.Fatalf("doubled or out of order: %s at %d after %d", key, r.Pos, last)
		}
		stream := r.Epoch + r.Stream
		if next[stream]++; r.Seq != next[stream] {
			t.Fatalf("hole in %s: %d, want %d", stream, r.Seq, next[stream])
		}
		seen[key], last = true, r.Pos
	}
	for key := range acknowledged {
		if !seen[key] {
			t.Errorf("acknowledged and lost: %s", key)
		}
	}
	if len(acknowledged) < 12 || len(s.Problems()) != 0 {
		t.Errorf("%d acknowledged, problems %v", len(acknowledged), s.Problems())
	}
}

// TestRecordingChild is the process that the test above kills. By itself it does nothing.
func TestRecordingChild(t *testing.T) {
	path := os.Getenv("SPOOL_CHILD")
	if path == "" {
		return
	}
	s, _ := open(t, options(path))
	for i := 0; ; i++ {
		for _, r := range add(t, s, draft("blue", Observation, i), draft("red", Event, i)) {
			if _, err := fmt.Printf("ack %s %s %d\n", r.Epoch, r.Stream, r.Seq); err != nil {
				return
			}
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "spool.db")
			s, err := Open(b.Context(), options(path))
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- s.Run(ctx) }()
			body := []byte(strings.Repeat("x", 900))
			drafts := make([]Draft, size)
			for i := range drafts {
				drafts[i] = Draft{Stream: "blue", Kind: Observation, At: day, Encode: func(Key) ([]byte, error) { return body, nil }}
			}
			b.ResetTimer()
			n := 0
			for b.Loop() {
				if _, err := s.Append(ctx, Batch{Drafts: drafts}); err != nil {
					b.Fatal(err)
				}
				n += size
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(s.Status().Bytes)/float64(n), "bytes/record")
			cancel()
			if err := <-done; err != nil {
				b.Fatal(err)
			}
			_ = s.Close()
		})
	}
}
