package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"infusiond/gateway/spool"
)

// Spool is the record that a relay reads. *spool.Spool is the real one.
type Spool interface {
	After(ctx context.Context, pos int64, limit int) ([]spool.Record, error)
	Changed() <-chan struct{}
	Cursor(ctx context.Context, sink string) (int64, error)
	Advance(ctx context.Context, sink string, pos int64, rejected []spool.RejectedRecord) error
}

// The pauses between tries.
const (
	firstPause  = 500 * time.Millisecond
	longPause   = 30 * time.Second
	refusePause = 60 * time.Second // when trying again soon cannot help
	stable      = 10 * time.Second // of success, before the pauses begin anew
	batchSize   = 500
	lookAgain   = 30 * time.Second // at the spool, should a wake-up ever be missed
	readAgain   = 5 * time.Second  // after a failed reading of the spool
)

// Options is what a relay is made of. Spool, Sink, Log, Report and Now are required.
type Options struct {
	Spool  Spool
	Sink   Sink
	Log    *slog.Logger
	Report func(code, subject, detail, hint string) // a condition; empty detail ends it
	Now    func() time.Time                         // UTC wall clock
	Rand   rand.Source                              // of the jitter; nil seeds one at random
	Batch  int                                      // records per delivery; 500 when 0
}

// Status is the state of one sink.
type Status struct {
	Name        string
	State       string // StateDelivering or StateWaiting
	Since       time.Time
	Reason      string // why it waits
	Delivered   uint64 // since the start of this process
	Retried     uint64 // deliveries that failed and were tried again
	Rejected    uint64
	Undelivered uint64    // known to wait
	Oldest      time.Time // ts of the oldest that waits; zero when none does
}

// The states of a sink.
const (
	StateDelivering = "delivering"
	StateWaiting    = "waiting"
)

// ErrContract says that a sink counted wrongly. Its answer is not believed.
var ErrContract = errors.New("sink broke its contract")

// Relay drives one sink. Make it with New.
type Relay struct {
	o    Options
	rand *rand.Rand // of Run's goroutine, like the next two
	// Tries counts failures; it begins anew only after deliveries have gone well for a while, so that
	// a sink that takes a little and fails again is not pressed.
	tries int
	good  time.Time // since when deliveries go well; zero after a failure

	mu       sync.Mutex // guards what follows
	status   Status
	cursor   int64
	code     string        // of the condition that is reported
	advanced chan struct{} // closed when the cursor moves
}

// New returns a relay that Run starts.
func New(o Options) *Relay {
	if o.Rand == nil {
		o.Rand = rand.NewPCG(rand.Uint64(), rand.Uint64())
	}
	if o.Batch == 0 {
		o.Batch = batchSize
	}
	return &Relay{
		o: o, rand: rand.New(o.Rand), advanced: make(chan struct{}),
		status: Status{Name: o.Sink.Name(), State: StateDelivering, Since: o.Now()},
	}
}

// Status tells how far the sink is.
func (r *Relay) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Run delivers until ctx ends. It returns nil then; another error means that the spool cannot be read.
func (r *Relay) Run(ctx context.Context) error {
	for {
		err := r.pass(ctx)
		if !errors.Is(err, spool.ErrRewind) || ctx.Err() != nil {
			return err
		}
	}
}

// pass delivers from the cursor on. ErrRewind sends it back there: while the record file could not be read the
// sink was given what was in memory, and now it gets what it was not given.
func (r *Relay) pass(ctx context.Context) error {
	cursor, err := r.o.Spool.Cursor(ctx, r.status.Name)
	if err != nil {
		return fmt.Errorf("read cursor: %w", err)
	}
	r.mu.Lock()
	r.cursor = cursor
	r.mu.Unlock()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan []spool.Record) // one is read ahead while another is delivered
	read := make(chan error, 1)
	go func() {
		read <- r.read(inner, cursor, batches)
		close(batches)
	}()
	for batch := range batches {
		if err = r.deliver(ctx, batch); err != nil {
			break
		}
	}
	cancel()
	for range batches { // let the reader go
	}
	err = errors.Join(err, <-read)
	if ctx.Err() != nil || errors.Is(err, spool.ErrClosed) {
		return nil
	}
	return err
}

// read hands over the records behind the cursor in order.
func (r *Relay) read(ctx context.Context, pos int64, out chan<- []spool.Record) error {
	for {
		changed := r.o.Spool.Changed()
		batch, err := r.o.Spool.After(ctx, pos, r.o.Batch)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end is no failure
		}
		if errors.Is(err, spool.ErrRewind) {
			return err
		}
		if err != nil {
			// The disk may come back.
			r.o.Log.Error("spool cannot be read", slog.String("sink", r.status.Name), slog.Any("error", err))
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(readAgain):
			}
			continue
		}
		if len(batch) == 0 {
			select {
			case <-ctx.Done():
				return nil
			case <-changed:
			case <-time.After(lookAgain):
			}
			continue
		}
		select {
		case out <- batch:
			pos = batch[len(batch)-1].Pos
		case <-ctx.Done():
			return nil
		}
	}
}

// deliver sends one batch, again and again, until all of it is dealt with. An error says that ctx or
// the spool ended before, or that the spool sends the sink back: then nothing that comes later may be
// delivered either.
func (r *Relay) deliver(ctx context.Context, batch []spool.Record) error {
	for len(batch) > 0 {
		out, err := r.o.Sink.Deliver(ctx, batch)
		if out.Accepted < 0 || out.Accepted > len(batch) || !inside(out) {
			out, err = Outcome{}, fmt.Errorf("%w: %d of %d records, %d rejected", ErrContract, out.Accepted, len(batch), len(out.Rejected))
		}
		if out.Accepted > 0 {
			if err := r.advance(ctx, batch[:out.Accepted], out.Rejected); err != nil {
				return err
			}
			batch = batch[out.Accepted:]
		}
		if err == nil && len(batch) > 0 && out.Accepted == 0 {
			err = fmt.Errorf("%w: nothing accepted and no error", ErrContract)
		}
		if err == nil {
			r.delivering()
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.waiting(err)
		if !r.wait(ctx, r.limit(err)) {
			return ctx.Err()
		}
	}
	return ctx.Err()
}

func inside(o Outcome) bool {
	for _, j := range o.Rejected {
		if j.Index < 0 || j.Index >= o.Accepted {
			return false
		}
	}
	return true
}

// advance moves the cursor over records that are dealt with. When the spool is closed, what was confirmed is
// sent again after a restart, and the receiver knows a repeat by its key. Another failure is covered
// by the next advance. ErrRewind says that the cursor did not move although the spool works: begin again there.
func (r *Relay) advance(ctx context.Context, done []spool.Record, rejected []Reject) error {
	name := r.status.Name
	var aside []spool.RejectedRecord
	for _, j := range rejected {
		rec := done[j.Index]
		aside = append(aside, spool.RejectedRecord{Sink: name, Pos: rec.Pos, Reason: j.Reason, Payload: rec.Payload})
		r.o.Log.Error("record refused for good and set aside", slog.String("sink", name), slog.String("stream", rec.Stream),
			slog.Uint64("seq", rec.Seq), slog.String("reason", j.Reason))
		r.o.Report("records_rejected", name, j.Reason, "")
	}
	last := done[len(done)-1].Pos
	// The confirmation is there; recording it must not be cut short by the end of ctx.
	whole := context.WithoutCancel(ctx)
	if err := r.o.Spool.Advance(whole, name, last, aside); errors.Is(err, spool.ErrClosed) {
		return err
	} else if err != nil {
		r.o.Log.Error("cursor cannot be moved", slog.String("sink", name), slog.Any("error", err))
	} else if cursor, err := r.o.Spool.Cursor(whole, name); err == nil && cursor < last {
		return spool.ErrRewind
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cursor = last
	close(r.advanced)
	r.advanced = make(chan struct{})
	r.status.Delivered += uint64(len(done) - len(rejected))
	r.status.Rejected += uint64(len(rejected))
	return nil
}

// limit is the longest pause after a failure.
func (r *Relay) limit(err error) time.Duration {
	if f, ok := errors.AsType[*Failure](err); ok && f.Refuse {
		return refusePause
	}
	return min(longPause, firstPause<<min(r.tries-1, 10))
}

// wait pauses for a random part of limit: full jitter, so that gateways do not come back together.
func (r *Relay) wait(ctx context.Context, limit time.Duration) bool {
	timer := time.NewTimer(time.Duration(r.rand.Int64N(int64(limit))) + time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (r *Relay) delivering() {
	if r.good.IsZero() {
		r.good = time.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.State != StateDelivering {
		r.status.State, r.status.Since, r.status.Reason = StateDelivering, r.o.Now(), ""
	}
	if r.code != "" {
		r.o.Report(r.code, r.subject(), "", "")
		r.code = ""
	}
}

func (r *Relay) waiting(err error) {
	if !r.good.IsZero() && time.Since(r.good) >= stable {
		r.tries = 0
	}
	r.tries++
	r.good = time.Time{}
	code, hint := "delivery_failed", ""
	if f, ok := errors.AsType[*Failure](err); ok {
		code, hint = f.Code, f.Hint
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Retried++
	if r.status.State != StateWaiting {
		r.status.State, r.status.Since = StateWaiting, r.o.Now()
	}
	r.status.Reason = err.Error()
	if r.code != "" && r.code != code {
		r.o.Report(r.code, r.subject(), "", "")
	}
	r.code = code
	r.o.Report(code, r.subject(), err.Error(), hint)
}

// subject tells the relay's conditions from those that a sink reports of its connection.
func (r *Relay) subject() string { return r.status.Name + " delivery" }
