package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"
)

// together bounds how many requests share a transaction.
const together = 256

// RejectedRecord is a record that a sink will never take; it is set aside with its reason.
type RejectedRecord struct {
	Sink    string
	Pos     int64
	Reason  string
	Payload []byte
}

// request is one call waiting for the writer: a batch to append, or a cursor to move.
type request struct {
	batch    Batch
	sink     string // of a cursor; empty for a batch
	pos      int64
	rejected []RejectedRecord

	records []Record
	err     error
	done    chan struct{}
}

// Append numbers and records a batch, all or nothing, and returns its records once they are on
// disk; or, while the disk does not work, once they are in memory, with Durable false. It works while
// Run runs. An error is an encoding error of the batch, ErrClosed, or ctx's.
func (s *Spool) Append(ctx context.Context, b Batch) ([]Record, error) {
	r := &request{batch: b, done: make(chan struct{})}
	if err := s.hand(ctx, r); err != nil {
		return nil, err
	}
	return r.records, r.err
}

// Advance moves a sink's cursor and sets rejected records aside, in one transaction. A crash before it
// is on disk leads to repeats, never to a loss. The cursor never moves backwards.
func (s *Spool) Advance(ctx context.Context, sink string, pos int64, rejected []RejectedRecord) error {
	r := &request{sink: sink, pos: pos, rejected: rejected, done: make(chan struct{})}
	if err := s.hand(ctx, r); err != nil {
		return err
	}
	return r.err
}

// hand gives a request to the writer and waits for it. Once handed over it is carried out, whatever
// becomes of ctx.
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

// Run writes until ctx ends; then what was handed over is recorded and Append returns ErrClosed.
func (s *Spool) Run(ctx context.Context) error {
	defer close(s.stopped)
	base := context.WithoutCancel(ctx)
	retry := time.NewTicker(s.o.RetryEvery)
	defer retry.Stop()
	var stuck *pending // a commit that did not return in time
	for {
		select {
		case <-ctx.Done():
			if stuck == nil {
				s.recover(base)
			}
			return nil
		case r := <-s.requests:
			if p := s.carryOut(base, s.gather(r)); p != nil {
				stuck = p
			}
		case <-retry.C:
			if stuck != nil && !stuck.settled(base, s.o.Log) {
				continue
			}
			stuck = nil
			s.recover(base)
		}
	}
}

// gather takes what else is waiting.
func (s *Spool) gather(first *request) []*request {
	all := []*request{first}
	for len(all) < together {
		select {
		case r := <-s.requests:
			all = append(all, r)
		default:
			return all
		}
	}
	return all
}

// carryOut records requests on disk, or in memory when the disk does not work.
func (s *Spool) carryOut(ctx context.Context, all []*request) (stuck *pending) {
	defer func() {
		for _, r := range all {
			close(r.done)
		}
	}()
	s.mu.Lock()
	d, durable, st := s.disk, s.reason == "", s.state.clone()
	s.mu.Unlock()
	if d == nil || !durable {
		s.remember(all)
		return nil
	}
	number(&st, all, true, s.o.NewEpoch)
	p := d.commit(ctx, st, all)
	select {
	case err := <-p.result:
		if err == nil {
			s.settle(st, all)
			return nil
		}
		s.giveUp(fmt.Sprintf("record: %v", err))
	case <-time.After(s.o.CommitLimit):
		s.giveUp(fmt.Sprintf("a commit took longer than %v", s.o.CommitLimit))
		stuck = p
	}
	s.remember(all)
	return stuck
}

// number gives keys and encodes. A batch that cannot be encoded takes no numbers.
func number(st *state, all []*request, durable bool, newEpoch func() string) {
	if st.epoch == "" {
		st.epoch = newEpoch()
	}
	for _, r := range all {
		r.records, r.err = nil, nil
		if r.sink != "" {
			continue
		}
		try := st.clone()
		for _, draft := range r.batch.Drafts {
			record, err := try.number(draft, durable)
			if err != nil {
				r.records, r.err = nil, err
				break
			}
			r.records = append(r.records, record)
		}
		if r.err == nil {
			*st = try
		}
	}
}

func (s *state) number(d Draft, durable bool) (Record, error) {
	if d.Kind < Observation || d.Kind > Alert {
		return Record{}, fmt.Errorf("record of unknown kind %d", d.Kind)
	}
	c := s.counts[d.Stream]
	c.seq++
	c.topic[d.Kind]++
	key := Key{Epoch: s.epoch, Stream: d.Stream, Seq: c.seq, TopicSeq: c.topic[d.Kind], Durable: durable}
	payload, err := d.Encode(key)
	if err != nil {
		return Record{}, fmt.Errorf("encode record: %w", err)
	}
	s.counts[d.Stream] = c
	s.pos++
	return Record{Key: key, Pos: s.pos, Kind: d.Kind, At: d.At.UTC(), Payload: payload}, nil
}

// settle makes what is on disk visible.
func (s *Spool) settle(st state, all []*request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.visible = st, st.pos
	for _, r := range all {
		s.records += uint64(len(r.records))
		s.move(r)
	}
	s.announce()
}

// move needs s.mu.
func (s *Spool) move(r *request) {
	if r.sink != "" && r.pos > s.cursors[r.sink] {
		s.cursors[r.sink] = r.pos
	}
}

// giveUp turns to memory under a new epoch.
func (s *Spool) giveUp(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason = reason
	s.state.epoch = s.o.NewEpoch()
	s.state.counts = map[string]counts{}
	s.o.Log.Error("records go to memory only", slog.String("reason", reason))
}

// remember records in memory.
func (s *Spool) remember(all []*request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number(&s.state, all, false, s.o.NewEpoch)
	for _, r := range all {
		if r.sink != "" {
			s.move(r)
			s.moved = true
			s.rejected = append(s.rejected, r.rejected...)
			continue
		}
		if r.err != nil {
			continue
		}
		s.memory = append(s.memory, r.records...)
		s.records += uint64(len(r.records))
		maps.Copy(s.notes, r.batch.Notes)
	}
	for len(s.memory) > s.o.MemoryRecords {
		s.forget()
	}
	if over := len(s.rejected) - s.o.MemoryRecords; over > 0 {
		s.rejected = s.rejected[over:]
	}
	s.announce()
}

// forget drops the oldest observation, or with none left the oldest record, and notes the loss. It
// needs s.mu.
func (s *Spool) forget() {
	i := 0
	for j, r := range s.memory {
		if r.Kind == Observation {
			i = j
			break
		}
	}
	gone := s.memory[i]
	s.memory = append(s.memory[:i], s.memory[i+1:]...)
	s.records--
	last := len(s.losses) - 1
	if last >= 0 && s.losses[last].Stream == gone.Stream && s.losses[last].ToSeq+1 == gone.Seq {
		s.losses[last].ToSeq = gone.Seq
		return
	}
	s.losses = append(s.losses, Loss{Stream: gone.Stream, FromSeq: gone.Seq, ToSeq: gone.Seq, Reason: "memory full while the disk did not work"})
}

// pending is a commit under way.
type pending struct {
	disk   *disk
	from   int64 // first place of the batch
	result chan error
}

// settled says whether a commit that took too long has returned. If it went through after all, its
// records are removed: they were recorded again in memory and nobody has seen them.
func (p *pending) settled(ctx context.Context, log *slog.Logger) bool {
	select {
	case err := <-p.result:
		if err != nil {
			return true
		}
	default:
		return false
	}
	if _, err := p.disk.write.ExecContext(ctx, "DELETE FROM record WHERE pos >= ?", p.from); err != nil {
		log.Error("late records were not removed", slog.Any("error", err))
	}
	return true
}

// commit writes requests in one transaction, in a goroutine that may hang with the disk.
func (d *disk) commit(ctx context.Context, st state, all []*request) *pending {
	p := &pending{disk: d, from: st.pos + 1, result: make(chan error, 1)}
	for _, r := range all {
		if len(r.records) > 0 {
			p.from = min(p.from, r.records[0].Pos)
		}
	}
	// A copy: when the commit hangs, the requests get other keys meanwhile.
	work := make([]request, len(all))
	for i, r := range all {
		work[i] = *r
	}
	go func() { p.result <- d.inOne(ctx, st, work) }()
	return p
}

func (d *disk) inOne(ctx context.Context, st state, work []request) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := transact(ctx, tx, st, work); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func transact(ctx context.Context, tx *sql.Tx, st state, work []request) error {
	w := writer{ctx: ctx, tx: tx}
	streams := map[string]bool{}
	for _, r := range work {
		if r.err != nil {
			continue
		}
		for _, rec := range r.records {
			w.exec("INSERT INTO record (pos, stream, kind, at_ms, epoch, seq, topic_seq, durable, payload) VALUES (?,?,?,?,?,?,?,?,?)",
				rec.Pos, rec.Stream, rec.Kind, rec.At.UnixMilli(), rec.Epoch, rec.Seq, rec.TopicSeq, rec.Durable, rec.Payload)
			streams[rec.Stream] = true
		}
		w.notes(r.batch.Notes)
		if r.sink != "" {
			w.cursor(r.sink, r.pos)
		}
		w.reject(r.rejected)
	}
	for stream := range streams {
		w.counts(stream, st.counts[stream])
	}
	if len(streams) > 0 {
		w.meta("epoch", st.epoch)
		w.meta("pos", fmt.Sprint(st.pos))
	}
	return w.err
}

// writer executes statements until one fails.
type writer struct {
	ctx context.Context //nolint:containedctx // lives within one call of transact
	tx  *sql.Tx
	err error
}

func (w *writer) exec(query string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.ExecContext(w.ctx, query, args...)
	}
}

func (w *writer) notes(notes map[string][]byte) {
	for key, value := range notes {
		if value == nil {
			w.exec("DELETE FROM note WHERE key = ?", key)
		} else {
			w.exec("INSERT INTO note (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
		}
	}
}

func (w *writer) cursor(sink string, pos int64) {
	w.exec("INSERT INTO cursor (sink, pos) VALUES (?, ?) ON CONFLICT (sink) DO UPDATE SET pos = max(pos, excluded.pos)", sink, pos)
}

func (w *writer) reject(rejected []RejectedRecord) {
	for _, j := range rejected {
		w.exec("INSERT INTO rejected (sink, pos, at_ms, reason, payload) VALUES (?, ?, ?, ?, ?)", j.Sink, j.Pos, time.Now().UnixMilli(), j.Reason, j.Payload)
	}
}

func (w *writer) counts(stream string, c counts) {
	w.counter(stream, 0, c.seq)
	for kind := Observation; kind <= Alert; kind++ {
		w.counter(stream, int(kind), c.topic[kind])
	}
}

func (w *writer) counter(stream string, kind int, n uint64) {
	w.exec("INSERT INTO counter (stream, kind, n) VALUES (?, ?, ?) ON CONFLICT (stream, kind) DO UPDATE SET n = excluded.n", stream, kind, n)
}

func (w *writer) meta(key, value string) {
	w.exec("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
}
