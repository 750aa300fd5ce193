package spool

import (
	"context"
	"time"
)

// request is one call waiting for the writer: a batch to append, rejected records to set aside with a
// cursor, or a step of pruning.
type request struct {
	batch    Batch
	sink     string // of a cursor; empty for a batch
	pos      int64
	rejected []RejectedRecord
	prune    *pruning

	records []Record
	err     error
	done    chan struct{}
}

type pruning struct {
	sinks  []string
	before time.Time
	gone   uint64
}

// Append numbers and records a batch, all or nothing, and returns its records once they are on
// disk; or, while the disk does not work, once they are in memory, with Durable false. It works while
// Run runs. An error is an encoding error of the batch, ErrClosed, or ctx's before the batch was handed over.
func (s *Spool) Append(ctx context.Context, b Batch) ([]Record, error) {
	r := &request{batch: b, done: make(chan struct{})}
	if err := s.hand(ctx, r); err != nil {
		return nil, err
	}
	return r.records, r.err
}

// hand gives a request to the writer and waits for it. Once handed over it is carried out, whatever
// becomes of ctx; the writer answers within CommitLimit.
func (s *Spool) hand(ctx context.Context, r *request) error {
	select {
	case s.requests <- r:
	case <-s.stopped:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	<-r.done
	return nil
}

// Advance moves a sink's cursor and sets rejected records aside, in one transaction. With rejected
// records it returns after the commit; without them the cursor goes to disk with the next commit, or
// after CursorDelay: a crash before that leads to repeats, never to a loss. The cursor never moves backwards.
func (s *Spool) Advance(ctx context.Context, sink string, pos int64, rejected []RejectedRecord) error {
	if len(rejected) > 0 {
		r := &request{sink: sink, pos: pos, rejected: rejected, done: make(chan struct{})}
		if err := s.hand(ctx, r); err != nil {
			return err
		}
		return r.err
	}
	select {
	case <-s.stopped:
		return ErrClosed
	default:
	}
	s.mu.Lock()
	s.move(sink, pos)
	s.mu.Unlock()
	s.wake()
	return nil
}

// move needs s.mu.
func (s *Spool) move(sink string, pos int64) {
	if pos >= detachedBase && !s.detached || s.rewind[sink] {
		return // a place from before the disk worked again: the sink begins again at its cursor
	}
	pos = min(pos, s.end)
	switch {
	case s.skipping && pos > s.diskEnd && s.cursors[sink] < s.diskEnd:
		s.jumps[sink] = max(s.jumps[sink], pos)
	case pos > s.cursors[sink]:
		s.cursors[sink] = pos
		s.moved[sink] = true
	}
}

// Prune lets observations go that every named sink has confirmed and that are older than a time.
// Events and alerts stay. It works in small transactions, between which others have their turn, and
// does nothing while the disk does not work.
func (s *Spool) Prune(ctx context.Context, sinks []string, before time.Time) error {
	for {
		p := &pruning{sinks: sinks, before: before}
		r := &request{prune: p, done: make(chan struct{})}
		if err := s.hand(ctx, r); err != nil {
			return err
		}
		if r.err != nil || p.gone < pruneStep {
			return r.err
		}
	}
}
