package spool

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
)

// child is another process of the test program. Its job is in SPOOL_CHILD, the file in SPOOL_PATH.
func child(job string) int {
	var err error
	switch job {
	case "append":
		err = childAppend(os.Getenv("SPOOL_PATH"), os.Getenv("SPOOL_SEED"))
	case "limit":
		err = childLimit(os.Getenv("SPOOL_PATH"))
	default:
		err = fmt.Errorf("unknown job %q", job)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// childAppend appends until it is killed and prints the last key of every batch once Append has returned.
func childAppend(path, seedText string) error {
	seed, err := strconv.ParseUint(seedText, 10, 64)
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(seed, 2))
	s, err := Open(context.Background(), options(path))
	if err != nil {
		return err
	}
	ran := make(chan error, 1)
	go func() { ran <- s.Run(context.Background()) }()
	for n := 0; ; n++ {
		var b Batch
		for range 1 + rnd.IntN(8) {
			b.Drafts = append(b.Drafts, draft([]string{"a", "b", ""}[rnd.IntN(3)], Kind(1+rnd.IntN(3)), start()))
		}
		note := ""
		encode := b.Drafts[0].Encode
		b.Drafts[0].Encode = func(k Key) ([]byte, error) {
			note = fmt.Sprintf("%s %s %d", k.Epoch, k.Stream, k.Seq)
			b.Notes["first"] = []byte(note)
			return encode(k)
		}
		b.Notes = map[string][]byte{"first": nil}
		records, err := s.Append(context.Background(), b)
		if err != nil {
			return err
		}
		for _, r := range records {
			fmt.Printf("ack %d %s %q %d %d\n", r.Pos, r.Epoch, r.Stream, r.Seq, r.TopicSeq)
		}
		if rnd.IntN(4) == 0 {
			if err := s.Advance(context.Background(), "x", records[0].Pos, nil); err != nil {
				return err
			}
		}
	}
}

// childLimit meets a full disk: the kernel refuses to let any file grow beyond a limit. Then the
// limit goes away.
func childLimit(path string) error {
	signal.Ignore(syscall.SIGXFSZ) // the write fails with EFBIG
	s, err := Open(context.Background(), options(path))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 200 << 10, Max: before.Max}); err != nil {
		return err
	}
	memory := 0
	for range 20000 {
		records, err := s.Append(ctx, Batch{Drafts: []Draft{draft("a", Observation, start())}})
		if err != nil {
			return err
		}
		if !records[0].Durable {
			if memory == 0 {
				fmt.Printf("memory: durable=%t reason=%q\n", s.Status().Durable, s.Status().Reason)
			}
			if memory++; memory == 1000 {
				break
			}
		}
	}
	if memory != 1000 {
		return fmt.Errorf("%d records went to memory", memory)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	for changed := s.Changed(); !s.Status().Durable; changed = s.Changed() {
		<-changed
	}
	records, err := s.Append(ctx, Batch{Drafts: []Draft{draft("a", Observation, start())}})
	if err != nil {
		return err
	}
	fmt.Printf("recovered: durable=%t seq=%d pos=%d\n", records[0].Durable, records[0].Seq, records[0].Pos)
	stop()
	if err := <-ran; err != nil {
		return err
	}
	return s.Close()
}

// acks reads the child's acknowledgements until it ends.
func acks(t *testing.T, out *bufio.Scanner) []Record {
	t.Helper()
	var all []Record
	for out.Scan() {
		var r Record
		if n, err := fmt.Sscanf(out.Text(), "ack %d %s %q %d %d", &r.Pos, &r.Epoch, &r.Stream, &r.Seq, &r.TopicSeq); n != 5 {
			if err != nil {
				break // the line was cut off by the kill
			}
		}
		all = append(all, r)
	}
	return all
}
