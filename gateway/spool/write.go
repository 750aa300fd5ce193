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

// writing is the state of the Run goroutine.
type writing struct {
	s      *Spool
	worker *worker
	keeper *worker            // of the checkpoints
	logged int                // bytes, about, written since the last one
	num    numbers            // of the present epoch
	saved  map[string]counter // of the durable epoch, as on disk; nil while detached
	// Of the time from memory:
	memory   bool
	unsaved  map[string][]byte // notes
	rejected []RejectedRecord
	holes    []hole
	undo     bool // a commit that was given up may have gone through
	condemn  error
	carried  []Record // from a damaged file, to be written before the memory
	base     int64    // behind this place of the file nothing of ours stands; -1: diskEnd counts
	attempt  *attempt
	old      *file // to be closed by the next job: another opening has taken its place
	tries    int
	retry    *time.Timer
	pause    time.Duration
	flush    *time.Timer
	flushing bool
	commits  uint64
	hook     func() error // of tests: runs before each transaction, on the worker
}

func newWriting(s *Spool, st *state) *writing {
	w := &writing{s: s, worker: newWorker(), keeper: newWorker(), base: -1, unsaved: map[string][]byte{}, num: numbers{counters: map[string]counter{}}}
	if st != nil {
		w.num = numbers{epoch: st.epoch, durable: true, pos: st.end, counters: maps.Clone(st.counters)}
		w.saved = maps.Clone(st.counters)
	}
	return w
}

// Run writes until ctx ends; then what was handed over is recorded, and from then on the answer is
// ErrClosed. It returns an error when records that are in memory only could not be brought to disk.
func (s *Spool) Run(ctx context.Context) error {
	w := s.writer
	base := context.WithoutCancel(ctx)
	var workers sync.WaitGroup
	workers.Go(func() { w.worker.run(base) })
	workers.Go(func() { w.keeper.run(base) })
	w.retry, w.flush = time.NewTimer(w.pause), time.NewTimer(0)
	defer w.retry.Stop()
	defer w.flush.Stop()
	w.flush.Stop()
	if !w.memory {
		w.retry.Stop()
	}
	w.loop(ctx)
	for _, r := range w.gather(nil) {
		w.carryOut([]*request{r})
	}
	err := w.finish()
	close(s.stopped)
	close(w.worker.jobs)
	close(w.keeper.jobs)
	if w.worker.busy || !w.kept() {
		s.mu.Lock()
		s.file = nil // closing it would wait for the disk
		s.mu.Unlock()
		return errors.Join(err, errors.New("the disk does not answer; a goroutine is left behind with it"))
	}
	workers.Wait()
	return err
}

// logSize is about how many bytes of log make a checkpoint worth while; each transaction also
// changes some pages of index and counters.
const (
	logSize       = 4 << 20
	logPerCommit  = 4 * 4096
	keeperPatient = 5 // times CommitLimit, at the end
)

// keep starts a checkpoint when it is time for one.
func (w *writing) keep(c *change, f *file) {
	w.logged += logPerCommit
	for i := range c.records {
		w.logged += len(c.records[i].Payload)
	}
	if w.logged >= logSize && !w.keeper.busy {
		w.logged = 0
		w.keeper.start(f.checkpoint)
	}
}

// kept waits for the last checkpoint.
func (w *writing) kept() bool {
	if !w.keeper.busy {
		return true
	}
	limit := time.NewTimer(keeperPatient * w.s.o.CommitLimit)
	defer limit.Stop()
	select {
	case err := <-w.keeper.results:
		_ = err // a checkpoint only tidies; damage shows at the next start
		return true
	case <-limit.C:
		return false
	}
}

// condemned gives up a file that was found damaged.
func (w *writing) condemned(damage error) {
	if !isDamage(damage) || w.condemn != nil {
		return // other errors of a checkpoint show in the commits too
	}
	w.condemn = damage
	if !w.memory {
		w.toMemory(damage.Error())
	}
}

func (w *writing) loop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-w.s.requests:
			w.carryOut(w.gather(r))
		case <-w.s.nudge:
			w.nudged()
		case <-w.flush.C:
			w.flushing = false
			w.flushCursors()
		case err := <-w.worker.results:
			w.worker.busy = false
			w.returned(err)
		case err := <-w.keeper.results:
			w.keeper.busy = false
			w.condemned(err)
		case <-w.retry.C:
			w.again()
		}
	}
}

// gather takes what else is waiting.
func (w *writing) gather(first *request) []*request {
	var all []*request
	n := 0
	if first != nil {
		all, n = append(all, first), len(first.batch.Drafts)
	}
	for n < groupRecords {
		select {
		case r := <-w.s.requests:
			all, n = append(all, r), n+1+len(r.batch.Drafts)
		default:
			return all
		}
	}
	return all
}

// carryOut answers requests: those that write share one transaction.
func (w *writing) carryOut(all []*request) {
	var group []*request
	for _, r := range all {
		if r.prune != nil {
			w.prune(r)
			close(r.done)
			continue
		}
		group = append(group, r)
	}
	if len(group) == 0 {
		return
	}
	if w.memory || !w.record(group) {
		w.remember(group)
	}
	for _, r := range group {
		close(r.done)
	}
}

// record writes requests in one transaction. False means that the disk does not work any more.
func (w *writing) record(group []*request) bool {
	c := &change{notes: map[string][]byte{}, counters: map[string]counter{}, now: w.s.o.Now()}
	for _, r := range group {
		if r.sink != "" {
			c.rejected = append(c.rejected, r.rejected...)
			continue
		}
		if r.records, r.err = w.num.batch(&r.batch); r.err != nil {
			continue
		}
		c.records = append(c.records, r.records...)
		maps.Copy(c.notes, r.batch.Notes)
	}
	for i := range c.records {
		stream := c.records[i].Stream
		c.counters[stream] = w.num.counters[stream]
	}
	return w.commit(c, group)
}

// commit writes a change, and with it the cursors, and makes it visible.
func (w *writing) commit(c *change, group []*request) bool {
	s := w.s
	s.mu.Lock()
	for _, r := range group {
		if r.sink != "" {
			s.move(r.sink, r.pos)
		}
	}
	c.cursors = s.takeMoved()
	f := s.file
	s.mu.Unlock()
	if len(c.records)+len(c.notes)+len(c.cursors)+len(c.rejected) == 0 {
		return true
	}
	if err := w.attemptCommit(f, c); err != nil {
		w.toMemory(err.Error())
		w.rejectedLater(c.rejected, c.cursors)
		for _, r := range group {
			r.rejected = nil // noted just now
		}
		return false
	}
	w.keep(c, f)
	maps.Copy(w.saved, c.counters)
	size := f.size()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visible(c, size)
	return true
}

func (w *writing) attemptCommit(f *file, c *change) error {
	err, inTime := w.worker.try(w.s.o.CommitLimit, w.writeJob(f, c))
	w.commits++
	switch {
	case !inTime:
		w.undo = true
		return fmt.Errorf("a commit took longer than %v", w.s.o.CommitLimit)
	case err != nil:
		// An error of the commit itself leaves open what is on disk.
		w.undo = true
		if isDamage(err) {
			w.condemn = err
		}
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// writeJob is the job that carries a change out.
func (w *writing) writeJob(f *file, c *change) func(context.Context) error {
	hook, afterFailure, old := w.hook, w.memory, w.old
	w.old = nil
	return func(ctx context.Context) error {
		if old != nil {
			_ = old.close() // it is broken; the new opening counts
		}
		if hook != nil {
			if err := hook(); err != nil {
				return err
			}
		}
		if afterFailure {
			if err := f.reload(ctx); err != nil {
				return err
			}
		}
		return f.apply(ctx, c)
	}
}

// takeMoved needs s.mu.
func (s *Spool) takeMoved() map[string]int64 {
	moved := map[string]int64{}
	for sink := range s.moved {
		moved[sink] = min(s.cursors[sink], s.diskEnd)
	}
	clear(s.moved)
	return moved
}

// visible shows what a commit brought; it needs s.mu.
func (s *Spool) visible(c *change, size uint64) {
	s.take(c.notes)
	s.bytes = size
	if len(c.records) == 0 {
		return
	}
	s.onDisk += uint64(len(c.records))
	s.end = c.records[len(c.records)-1].Pos
	s.diskEnd = s.end
	s.remind(c.records)
	s.announce()
}

// remind keeps the newest records for readers that are up to date; it needs s.mu.
func (s *Spool) remind(records []Record) {
	s.recent = append(s.recent, records...)
	if over := len(s.recent) - recentSize; over > recentSize {
		s.since = s.recent[over-1].Pos
		s.recent = append(make([]Record, 0, 2*recentSize+groupRecords), s.recent[over:]...)
	}
}

func (w *writing) nudged() {
	s := w.s
	s.mu.Lock()
	damage := s.damage
	s.damage = nil
	s.mu.Unlock()
	w.condemned(damage)
	if !w.flushing && !w.memory {
		w.flushing = true
		w.flush.Reset(s.o.CursorDelay)
	}
}

func (w *writing) flushCursors() {
	if !w.memory {
		w.commit(&change{now: w.s.o.Now()}, nil)
	}
}

func (w *writing) prune(r *request) {
	s := w.s
	if w.memory {
		return
	}
	s.mu.Lock()
	upTo := s.diskEnd
	for _, sink := range r.prune.sinks {
		upTo = min(upTo, s.cursors[sink])
	}
	c := &change{cursors: s.takeMoved(), counters: maps.Clone(w.num.counters)}
	f := s.file
	s.mu.Unlock()
	var gone map[string]uint64
	hook := w.hook
	err, inTime := w.worker.try(s.o.CommitLimit, func(ctx context.Context) (err error) {
		if hook != nil {
			if err := hook(); err != nil {
				return err
			}
		}
		if gone, err = f.prune(ctx, upTo, r.prune.before, c); err == nil && len(gone) > 0 {
			err = f.vacuum(ctx)
		}
		return err
	})
	if !inTime || err != nil {
		r.err = fmt.Errorf("prune: %w", errors.Join(err, errSlow(inTime)))
		w.undo = true
		if isDamage(err) {
			w.condemn = err
		}
		w.toMemory(r.err.Error())
		w.rejectedLater(nil, c.cursors)
		return
	}
	for stream, n := range gone {
		r.prune.gone += n
		count := w.num.counters[stream]
		count.records -= n
		w.num.counters[stream], w.saved[stream] = count, count
	}
	size := f.size()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onDisk -= r.prune.gone
	s.bytes = size
	if r.prune.gone > 0 {
		s.pruned = max(s.pruned, upTo)
		s.recent, s.since = nil, s.diskEnd // some of them may be gone
	}
}

func errSlow(inTime bool) error {
	if inTime {
		return nil
	}
	return errors.New("the disk took too long")
}

// toMemory goes on from memory under a new epoch.
func (w *writing) toMemory(reason string) {
	s := w.s
	w.memory, w.pause = true, s.o.RetryEvery
	if w.saved != nil {
		w.num.counters = maps.Clone(w.saved)
	}
	w.num.restart(s.o.NewEpoch(), false)
	s.mu.Lock()
	w.num.pos = s.end
	s.reason, s.epoch = reason, w.num.epoch
	s.announce()
	s.mu.Unlock()
	if w.retry != nil {
		w.retry.Reset(w.pause)
	}
	s.o.Log.Error("records go to memory only", slog.String("path", s.o.Path), slog.String("reason", reason))
}
