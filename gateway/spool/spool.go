package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"
)

// Options says where and how to record. Path, NewEpoch, Now and Log are required.
type Options struct {
	Path     string
	NewEpoch func() string    // makes an id that never comes again
	Now      func() time.Time // UTC wall clock
	Log      *slog.Logger
	// CommitLimit is how long a commit may take before the spool goes on from memory; 2 s when 0.
	CommitLimit time.Duration
	// RetryEvery is the pause between tries to use the disk again; 10 s when 0.
	RetryEvery time.Duration
	// MemoryRecords bounds what is held while the disk does not work; 50,000 when 0.
	MemoryRecords int
}

// ErrClosed says that the spool takes nothing any more.
var ErrClosed = errors.New("spool is closed")

// ErrNewer says that the file was written by a newer infusiond. Such a file is never set aside.
var ErrNewer = errors.New("record file was written by a newer infusiond")

// Loss is a range of records of one stream that no longer exist.
type Loss struct {
	Stream         string
	FromSeq, ToSeq uint64
	Reason         string
}

// Status is the spool's condition.
type Status struct {
	Durable bool
	Records uint64 // held, on disk and in memory
	Bytes   uint64 // of the file
	Reason  string // why it is not durable
}

// counts are the numbers given in one stream.
type counts struct {
	seq   uint64
	topic [4]uint64 // by Kind
}

// state is what the writer changes in one transaction.
type state struct {
	epoch  string
	pos    int64
	counts map[string]counts
}

func (s state) clone() state {
	s.counts = maps.Clone(s.counts)
	return s
}

// Spool is the record. Its methods may be called from several goroutines at once.
type Spool struct {
	o        Options
	requests chan *request
	stopped  chan struct{}

	mu       sync.Mutex // guards what follows
	disk     *disk      // nil while the disk does not work
	state    state
	visible  int64 // the last place on disk that readers may see
	memory   []Record
	notes    map[string][]byte // not yet on disk; nil value: deleted
	cursors  map[string]int64
	moved    bool // cursors are newer than on disk
	rejected []RejectedRecord
	reason   string
	losses   []Loss
	problems []string
	records  uint64
	changed  chan struct{}
}

// Open opens the record file, or sets a damaged one aside and begins a new one. When the disk
// cannot be used at all the spool works from memory and Status says why. The only errors are
// ErrNewer and an option that is missing.
func Open(ctx context.Context, o Options) (*Spool, error) {
	if o.Path == "" || o.NewEpoch == nil || o.Now == nil || o.Log == nil {
		return nil, errors.New("spool: Path, NewEpoch, Now and Log are required")
	}
	if o.CommitLimit == 0 {
		o.CommitLimit = 2 * time.Second
	}
	if o.RetryEvery == 0 {
		o.RetryEvery = 10 * time.Second
	}
	if o.MemoryRecords == 0 {
		o.MemoryRecords = 50_000
	}
	s := &Spool{
		o: o, requests: make(chan *request), stopped: make(chan struct{}), changed: make(chan struct{}),
		state: state{counts: map[string]counts{}}, notes: map[string][]byte{}, cursors: map[string]int64{},
	}
	d, err := openDisk(ctx, o.Path)
	if damaged, ok := errors.AsType[*damagedError](err); ok {
		aside, moveErr := setAside(o.Path, o.Now())
		if moveErr != nil {
			err = errors.Join(err, moveErr)
		} else {
			s.problems = append(s.problems, fmt.Sprintf("%s was damaged (%v) and set aside as %s", o.Path, damaged.err, aside))
			d, err = openDisk(ctx, o.Path)
		}
	}
	if errors.Is(err, ErrNewer) {
		return nil, err
	}
	if err == nil {
		err = s.load(ctx, d)
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}
	if err != nil {
		s.reason = err.Error()
		s.state.epoch = o.NewEpoch()
		o.Log.Error("records go to memory only", slog.String("path", o.Path), slog.Any("error", err))
	}
	return s, nil
}

// load takes over what the file holds.
func (s *Spool) load(ctx context.Context, d *disk) error {
	st, err := d.loadState(ctx)
	if err != nil {
		return err
	}
	if st.epoch == "" {
		st.epoch = s.o.NewEpoch()
	}
	cursors, err := d.loadCursors(ctx)
	if err != nil {
		return err
	}
	n, err := d.count(ctx)
	if err != nil {
		return err
	}
	s.disk, s.state, s.visible, s.cursors, s.records = d, st, st.pos, cursors, n
	return nil
}

// Close closes the file after Run has returned.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.disk == nil {
		return nil
	}
	d := s.disk
	s.disk = nil
	return d.close()
}

// Epoch is the epoch of the next record.
func (s *Spool) Epoch() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.epoch
}

// Status tells whether records reach the disk.
func (s *Spool) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Status{Durable: s.reason == "", Records: s.records, Bytes: fileSize(s.o.Path), Reason: s.reason}
}

// Problems are what happened at Open that a person should know, one line each.
func (s *Spool) Problems() []string { return s.problems }

// TakeLosses returns the losses since the last call.
func (s *Spool) TakeLosses() []Loss {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.losses
	s.losses = nil
	return l
}

// Changed returns a channel that is closed when the next record becomes visible. Take it before
// reading, or a record in between is missed.
func (s *Spool) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// announce needs s.mu.
func (s *Spool) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}
