package spool

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkAppend measures durable records per second on the disk of the temporary folder, and what a
// record of 900 bytes takes there.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s, drafts, stop := benchSpool(b, size)
			n := 0
			for b.Loop() {
				if _, err := s.Append(b.Context(), Batch{Drafts: drafts}); err != nil {
					b.Fatal(err)
				}
				n += size
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
			stop()
			if err := s.Close(); err != nil { // brings the log into the file
				b.Fatal(err)
			}
			f := &file{path: s.o.Path}
			b.ReportMetric(float64(f.size())/float64(n), "bytes/record")
		})
	}
}

// BenchmarkAfter measures the draining of a backlog from disk, 500 records at a time.
func BenchmarkAfter(b *testing.B) {
	s, drafts, stop := benchSpool(b, 1000)
	const total = 100_000
	for range total / len(drafts) {
		if _, err := s.Append(b.Context(), Batch{Drafts: drafts}); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		for pos := int64(0); pos < total-2*recentSize; {
			records, err := s.After(b.Context(), pos, 500)
			if err != nil {
				b.Fatal(err)
			}
			n += len(records)
			pos = records[len(records)-1].Pos
			if err := s.Advance(b.Context(), "x", pos, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
	stop()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

func benchSpool(b *testing.B, size int) (*Spool, []Draft, func()) {
	b.Helper()
	o := options(filepath.Join(b.TempDir(), "spool.db"))
	s, err := Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	body := []byte(strings.Repeat("x", 900))
	drafts := make([]Draft, size)
	for i := range drafts {
		drafts[i] = Draft{Stream: "blue", Kind: Observation, At: start(), Encode: func(Key) ([]byte, error) { return body, nil }}
	}
	return s, drafts, func() {
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}
