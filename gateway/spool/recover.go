package spool

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// attempt is one try to use the disk again. It runs on the worker, while the Run goroutine goes on
// from memory.
type attempt struct {
	got     *opened // the file was opened anew
	copying *change
	upTo    int64 // last place that is being copied
}

// small is how many records may be left for the last step, which holds up the callers.
const small = 256

// again begins an attempt.
func (w *writing) again() {
	if !w.memory || w.attempt != nil {
		return
	}
	if w.worker.busy || w.keeper.busy { // their late return comes first
		w.retry.Reset(w.pause)
		return
	}
	w.attempt = &attempt{}
	w.tries++
	// Usually the file at hand works again; one that stays broken is opened anew.
	if w.s.held() != nil && w.condemn == nil && w.tries%3 != 0 {
		w.copyMemory()
		return
	}
	w.worker.start(w.reopening(w.attempt))
}

func (s *Spool) held() *file {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file
}

// reopening is the job that opens the file anew. A damaged one is closed before; otherwise readers go
// on with the opening at hand.
func (w *writing) reopening(a *attempt) func(context.Context) error {
	s := w.s
	s.mu.Lock()
	old, o, condemn, keep := s.file, s.o, w.condemn, span{after: s.leastCursor(), upTo: s.diskEnd}
	if condemn != nil {
		s.file = nil
	}
	s.mu.Unlock()
	return func(ctx context.Context) error {
		var l *lock
		switch {
		case old != nil && condemn != nil:
			_ = old.close() // it is broken, and opened anew below
		case old != nil:
			l = old.lock
		}
		got, err := obtain(ctx, &o, l, condemn, keep)
		if err != nil {
			return err
		}
		a.got = &got
		return nil
	}
}

// leastCursor is the place behind which some sink still waits for records; it needs s.mu.
func (s *Spool) leastCursor() int64 {
	least := s.diskEnd
	for _, pos := range s.cursors {
		least = min(least, pos)
	}
	return least
}

// returned takes the result of a job that nobody waited for.
func (w *writing) returned(err error) {
	a := w.attempt
	if a == nil { // a commit that was given up
		if w.memory {
			w.retry.Reset(0)
		}
		return
	}
	w.attempt = nil
	switch {
	case err != nil:
		w.failed(a, err)
	case a.got != nil:
		w.reattach(a.got)
		w.attempt = &attempt{}
		w.copyMemory()
	default:
		w.copied(a)
		w.attempt = &attempt{}
		w.copyMemory()
	}
}

// failed gives an attempt up until later.
func (w *writing) failed(a *attempt, err error) {
	s := w.s
	if a.copying != nil {
		w.undo = true
		notes := maps.Clone(a.copying.notes) // a job that hangs may still read the map
		maps.Copy(notes, w.unsaved)
		w.unsaved = notes
		w.rejectedLater(nil, a.copying.cursors)
		w.rejected = append(a.copying.rejected, w.rejected...)
		w.holes = sorted(w.holes, a.copying.holes)
	}
	if isDamage(err) && w.condemn == nil {
		w.condemn = err
	}
	s.mu.Lock()
	s.reason = err.Error()
	s.skipping = s.skipping || s.file == nil
	s.announce()
	s.mu.Unlock()
	w.pause = min(2*w.pause, longestRetry*s.o.RetryEvery)
	w.retry.Reset(w.pause)
}

// copyMemory writes what is in memory in one transaction, together with the notes of the same moment.
// When little is left it is the last step, and a new durable epoch begins with it.
func (w *writing) copyMemory() {
	s := w.s
	s.mu.Lock()
	memory := slices.Clone(s.memory)
	s.mu.Unlock()
	c := w.snapshot(memory)
	if len(memory) <= small {
		w.attempt = nil
		w.settle(c)
		return
	}
	w.attempt.copying, w.attempt.upTo = c, memory[len(memory)-1].Pos
	w.worker.start(w.writeJob(s.held(), c))
}

// snapshot is the change that brings memory to disk. The durable epoch's counters go with it as they
// were, since a commit that was given up may have changed them.
func (w *writing) snapshot(memory []Record) *change {
	s := w.s
	c := &change{
		undo: w.undo, counters: maps.Clone(w.saved), notes: w.unsaved, rejected: w.rejected, holes: w.holes, now: s.o.Now(),
		records: slices.Concat(w.carried, memory),
	}
	w.unsaved, w.rejected, w.holes = map[string][]byte{}, nil, nil
	for i := range c.records {
		n := c.counters[c.records[i].Stream]
		n.records++
		n.pos = c.records[i].Pos
		c.counters[c.records[i].Stream] = n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.end = s.diskEnd
	if w.base >= 0 {
		c.end = w.base
	}
	upTo := s.diskEnd
	if len(memory) > 0 {
		upTo = memory[len(memory)-1].Pos
	}
	c.cursors = map[string]int64{}
	for sink, pos := range s.cursors {
		c.cursors[sink] = min(pos, upTo)
	}
	clear(s.moved)
	return c
}

// copied shows what an attempt brought to disk.
func (w *writing) copied(a *attempt) {
	s := w.s
	w.undo, w.carried, w.base = false, nil, -1
	maps.Copy(w.saved, a.copying.counters)
	size := s.held().size()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onDisk, s.bytes = rows(w.saved), size
	s.holes = append(s.holes, a.copying.holes...)
	n := 0
	for n < len(s.memory) && s.memory[n].Pos <= a.upTo {
		n++
	}
	if n > 0 {
		s.diskEnd = s.memory[n-1].Pos
		s.remind(s.memory[:n])
		s.memory = slices.Clone(s.memory[n:])
	}
	if len(s.memory) == 0 {
		s.diskEnd = s.end // behind the last record there are only holes
	}
	for sink, pos := range s.cursors {
		if pos > s.diskEnd {
			s.moved[sink] = true
		}
	}
}

// settle is the last step: the rest of the memory and a new durable epoch in one transaction.
func (w *writing) settle(c *change) {
	s := w.s
	next := numbers{epoch: s.o.NewEpoch(), durable: true, pos: w.num.pos, counters: maps.Clone(c.counters)}
	next.restart(next.epoch, true)
	c.epoch, c.durable, c.counters = next.epoch, true, next.counters
	a := &attempt{copying: c, upTo: w.num.pos}
	f := s.held()
	if err := w.attemptCommit(f, c); err != nil {
		w.failed(a, err)
		return
	}
	next.counters = maps.Clone(next.counters)
	w.copied(a)
	w.num, w.memory, w.tries = next, false, 0
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch, s.reason = next.epoch, ""
	s.skipping, s.detached = false, false
	s.rewindAll()
	s.announce()
	s.o.Log.Info("records go to disk again", slog.String("path", s.o.Path))
}

// rewindAll makes sinks that went ahead begin again at their cursors; it needs s.mu.
func (s *Spool) rewindAll() {
	for sink := range s.jumps {
		s.rewind[sink] = true
	}
	clear(s.jumps)
}

// reattach takes over a file that was opened anew.
func (w *writing) reattach(got *opened) {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	w.old, s.file = s.file, got.file
	s.setAside(*got)
	w.condemn = nil
	switch {
	case s.detached:
		w.attach(got.state)
	case got.state.end < s.diskEnd:
		w.carry(got)
	}
}

// attach gives the memory's records their places behind those of the file; it needs s.mu.
func (w *writing) attach(st *state) {
	s := w.s
	by := st.end - detachedBase
	s.memory = slices.Clone(s.memory)
	for i := range s.memory {
		s.memory[i].Pos += by
	}
	for i := range w.holes {
		w.holes[i].first, w.holes[i].last = w.holes[i].first+by, w.holes[i].last+by
	}
	w.num.pos += by
	s.end, s.diskEnd, s.since, s.recent = s.end+by, st.end, st.end, nil
	s.detached, s.skipping = false, false
	s.holes, s.pruned = slices.Clone(st.holes), st.pruned
	w.saved = maps.Clone(st.counters)
	notes := maps.Clone(st.notes)
	for key, value := range w.unsaved {
		if value == nil {
			delete(notes, key)
		} else {
			notes[key] = value
		}
	}
	s.notes = notes
	cursors := maps.Clone(st.cursors)
	for sink, pos := range s.jumps {
		if cursors[sink] == st.end { // nothing on disk waited for this sink
			cursors[sink] = pos + by
		}
	}
	s.rewindAll()
	s.cursors = cursors
	s.onDisk = rows(st.counters)
}

// carry brings into a file that lacks them the records that a sink still waits for: from the damaged file,
// and from the newest records, which readers are given from memory. It needs s.mu.
func (w *writing) carry(got *opened) {
	s := w.s
	least := max(s.leastCursor(), got.state.end)
	have := map[int64]Record{}
	for _, r := range got.saved {
		have[r.Pos] = r
	}
	for _, r := range s.recent {
		if r.Pos > least && r.Pos <= s.diskEnd {
			have[r.Pos] = r
		}
	}
	w.carried = w.carried[:0:0]
	var missing []hole
	for pos := least + 1; pos <= s.diskEnd; pos++ {
		if r, ok := have[pos]; ok {
			w.carried = append(w.carried, r)
		} else if !inHoles(s.holes, pos) {
			missing = widen(missing, pos)
		}
	}
	s.loseMissing(w.carried, missing)
	w.holes = sorted(w.holes, missing)
	w.base, w.undo = got.state.end, true
	for stream, n := range w.saved {
		n.records = got.state.counters[stream].records
		w.saved[stream] = n
	}
	notes := maps.Clone(s.notes)
	maps.Copy(notes, w.unsaved)
	w.unsaved = notes
	s.pruned = got.state.pruned
	s.onDisk = rows(w.saved)
	s.since = min(s.since, s.diskEnd)
	clear(s.faulty)
}

func sorted(a, b []hole) []hole {
	out := slices.Concat(a, b)
	slices.SortFunc(out, func(x, y hole) int { return cmp.Compare(x.first, y.first) })
	return out
}

func inHoles(holes []hole, pos int64) bool {
	for _, h := range holes {
		if h.first <= pos && pos <= h.last {
			return true
		}
	}
	return false
}

// loseMissing tells which numbers are missing among the records that were carried over. Where the
// neighbours do not tell, the range is empty and the count alone is known. It needs s.mu.
func (s *Spool) loseMissing(carried []Record, missing []hole) {
	var total, told uint64
	for _, h := range missing {
		total += uint64(h.last - h.first + 1)
	}
	last := map[string]Record{}
	for _, r := range carried {
		before, known := last[r.Stream]
		if known && before.Epoch == r.Epoch && r.Seq > before.Seq+1 && told < total {
			n := min(r.Seq-before.Seq-1, total-told)
			told += n
			s.lose(Loss{Epoch: r.Epoch, Stream: r.Stream, FromSeq: before.Seq + 1, ToSeq: r.Seq - 1, Count: n, Reason: reasonDamaged})
		}
		last[r.Stream] = r
	}
	if told < total {
		s.lose(Loss{Count: total - told, Reason: fmt.Sprintf("%s, their numbers cannot be read", reasonDamaged)})
	}
}

// finish brings to disk what is in memory only, at the end of Run.
func (w *writing) finish() error {
	if !w.memory {
		w.flushCursors()
		if !w.memory {
			return nil
		}
	}
	s := w.s
	limit := time.NewTimer(5 * s.o.CommitLimit)
	defer limit.Stop()
	w.tries = 1 // first the file at hand, then a new opening
	for left := 2; w.memory && (left > 0 || w.worker.busy || w.keeper.busy); {
		if !w.worker.busy && !w.keeper.busy {
			left--
			w.again()
			continue
		}
		select {
		case err := <-w.worker.results:
			w.worker.busy = false
			w.returned(err)
		case err := <-w.keeper.results:
			w.keeper.busy = false
			w.condemned(err)
		case <-limit.C:
			return w.leftBehind()
		}
	}
	if w.memory {
		return w.leftBehind()
	}
	return nil
}

func (w *writing) leftBehind() error {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.memory) == 0 {
		return nil
	}
	return fmt.Errorf("%d records are in memory only and end with this process: %s", len(s.memory), s.reason)
}
