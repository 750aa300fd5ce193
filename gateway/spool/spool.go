package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
)

// detachedBase is the first place given while no file could be read, so that the file's own places
// cannot be told. Such records get places behind the file's when it turns up.
const detachedBase int64 = 1 << 61

// Spool is the record. Its methods may be called from several goroutines at once.
type Spool struct {
	o        Options
	requests chan *request
	nudge    chan struct{} // a cursor moved, or the file was found damaged; room for one
	stopped  chan struct{}
	writer   *writing // of the Run goroutine

	mu       sync.Mutex // guards what follows: what readers see
	file     *file      // nil while it cannot be used
	epoch    string
	detached bool
	end      int64 // last visible place
	diskEnd  int64 // last visible place on disk; the places behind it are in memory
	recent   []Record
	since    int64    // recent holds everything visible behind this place, up to diskEnd
	memory   []Record // not on disk
	cursors  map[string]int64
	jumps    map[string]int64 // places confirmed beyond records that could not be read
	moved    map[string]bool  // cursors newer than on disk
	rewind   map[string]bool  // sinks that went ahead and must ask for their cursor
	skipping bool             // the records on disk cannot be read: After goes on with the memory
	notes    map[string][]byte
	holes    []hole
	pruned   int64
	onDisk   uint64
	bytes    uint64
	reason   string // why it is not durable
	damage   error  // found by a reader
	faulty   map[int64]bool
	losses   []Loss
	lost     uint64
	problems []string
	changed  chan struct{}
}

// Open opens the record file, or sets a damaged one aside and begins a new one (Problems tells). When the
// disk cannot be used at all the spool works from memory and Status says why. The only errors are
// ErrNewer, ErrInUse and an option that is missing.
func Open(ctx context.Context, o Options) (*Spool, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Spool{
		o: o, requests: make(chan *request), nudge: make(chan struct{}, 1), stopped: make(chan struct{}), changed: make(chan struct{}),
		cursors: map[string]int64{}, jumps: map[string]int64{}, moved: map[string]bool{}, rewind: map[string]bool{}, notes: map[string][]byte{}, faulty: map[int64]bool{},
	}
	got, err := obtain(ctx, &o, nil, nil, span{})
	if errors.Is(err, ErrNewer) || errors.Is(err, ErrInUse) {
		return nil, err
	}
	if err == nil && got.state.epoch == "" {
		got.state.epoch = o.NewEpoch()
		if err = got.file.apply(ctx, &change{epoch: got.state.epoch, durable: true}); err != nil {
			err = errors.Join(fmt.Errorf("begin epoch: %w", err), got.file.close())
		}
	}
	s.setAside(got)
	if err != nil {
		s.writer = newWriting(s, nil)
		s.detached, s.skipping, s.end, s.diskEnd, s.since = true, true, detachedBase, detachedBase, detachedBase
		s.writer.toMemory(err.Error())
		return s, nil
	}
	s.writer = newWriting(s, got.state)
	s.adopt(got)
	return s, nil
}

// setAside makes known that a file was damaged.
func (s *Spool) setAside(got opened) {
	if got.aside == "" {
		return
	}
	s.problems = append(s.problems, fmt.Sprintf("%s could not be used (%v) and was set aside as %s", s.o.Path, got.why, got.aside))
	s.o.Log.Error("record file set aside", slog.String("path", s.o.Path), slog.String("as", got.aside), slog.Any("error", got.why))
}

// adopt takes over what a file says, at the start.
func (s *Spool) adopt(got opened) {
	st := got.state
	s.file, s.epoch, s.end, s.diskEnd, s.since = got.file, st.epoch, st.end, st.end, st.end
	s.cursors, s.notes, s.holes, s.pruned = maps.Clone(st.cursors), maps.Clone(st.notes), slices.Clone(st.holes), st.pruned
	s.onDisk, s.bytes = rows(st.counters), got.file.size()
}

func rows(counters map[string]counter) (n uint64) {
	for _, c := range counters {
		n += c.records
	}
	return n
}

// Close closes the file after Run has returned.
func (s *Spool) Close() error {
	s.mu.Lock()
	f := s.file
	s.file = nil
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	if err := f.close(); err != nil {
		return fmt.Errorf("close %s: %w", s.o.Path, err)
	}
	return nil
}

// Epoch is the epoch of the next record.
func (s *Spool) Epoch() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// Status tells whether records reach the disk.
func (s *Spool) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Status{
		Durable: s.reason == "", Records: s.onDisk + uint64(len(s.memory)), Bytes: s.bytes, Reason: s.reason,
		Lost: s.lost, Losses: slices.Clone(s.losses),
	}
}

// Problems are what happened since Open that a person should know, one line each: files set aside.
func (s *Spool) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// TakeLosses returns the losses since the last call.
func (s *Spool) TakeLosses() []Loss {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.losses
	s.losses = nil
	return l
}

// maxLosses bounds the list of losses; further ones widen the last range of their stream.
const maxLosses = 1000

// lose notes a loss; it needs s.mu.
func (s *Spool) lose(l Loss) {
	s.lost += l.Count
	for i := len(s.losses) - 1; i >= 0; i-- {
		have := &s.losses[i]
		if have.Stream != l.Stream || have.Epoch != l.Epoch || have.Reason != l.Reason {
			continue
		}
		if have.ToSeq+1 == l.FromSeq || len(s.losses) >= maxLosses {
			have.FromSeq, have.ToSeq, have.Count = min(have.FromSeq, l.FromSeq), max(have.ToSeq, l.ToSeq), have.Count+l.Count
			return
		}
		break
	}
	s.losses = append(s.losses, l)
}

// Changed returns a channel that is closed when the next record becomes visible. Take it before
// reading, or a record in between is missed.
func (s *Spool) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Wait returns when there is a record behind a place, or with ctx's error.
func (s *Spool) Wait(ctx context.Context, pos int64) error {
	for {
		s.mu.Lock()
		end, changed := s.end, s.changed
		s.mu.Unlock()
		if end > pos {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// announce needs s.mu.
func (s *Spool) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Spool) wake() {
	select {
	case s.nudge <- struct{}{}:
	default:
	}
}
