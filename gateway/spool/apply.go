package spool

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// change is what one transaction does.
type change struct {
	undo     bool  // first remove what stands behind place end: a commit that was given up but went through
	end      int64 // see undo
	epoch    string
	durable  bool // see epoch, the one that begins with this change; empty: none
	records  []Record
	counters map[string]counter
	notes    map[string][]byte
	cursors  map[string]int64
	rejected []RejectedRecord
	holes    []hole
	now      time.Time
}

// apply carries a change out: all or nothing, and durable when it returns nil.
func (f *file) apply(ctx context.Context, c *change) error {
	return f.transaction(ctx, func() error {
		w := writer{file: f, exec: func(query string, args ...any) error { return f.exec(ctx, query, args...) }}
		return w.change(c)
	})
}

func (f *file) transaction(ctx context.Context, fn func() error) error {
	if err := f.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", judge(err))
	}
	err := fn()
	if err == nil {
		if err = f.exec(ctx, "COMMIT"); err == nil {
			return nil
		}
		err = fmt.Errorf("commit: %w", err)
	}
	// SQLite has rolled back by itself after some errors; then this fails, and says nothing new.
	_ = f.exec(ctx, "ROLLBACK")
	return judge(err)
}

// exec runs a statement on the writing connection; its text is prepared once.
func (f *file) exec(ctx context.Context, query string, args ...any) error {
	stmt, err := f.stmt(ctx, query)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(ctx, args...)
	return err
}

func (f *file) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := f.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := f.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	f.stmts[query] = stmt
	return stmt, nil
}

// writer carries out the parts of a change.
type writer struct {
	file *file
	exec func(query string, args ...any) error
}

func (w writer) change(c *change) error {
	if c.undo {
		if err := w.exec(sqlDeleteAfter, c.end); err != nil {
			return fmt.Errorf("remove a late commit: %w", err)
		}
	}
	if c.epoch != "" {
		if _, err := w.epochID(c.epoch, c.durable); err != nil {
			return err
		}
	}
	for i := range c.records {
		if err := w.record(&c.records[i]); err != nil {
			return err
		}
	}
	for name, n := range c.counters {
		if err := w.put(sqlPutStream, w.streamID(name), name, n.seq, n.topic[Observation], n.topic[Event], n.topic[Alert], n.records, n.pos); err != nil {
			return fmt.Errorf("write counters: %w", err)
		}
	}
	return w.rest(c)
}

func (w writer) rest(c *change) error {
	var errs []error
	for key, value := range c.notes {
		if value == nil {
			errs = append(errs, w.exec(sqlDeleteNote, key))
		} else {
			errs = append(errs, w.put(sqlPutNote, key, value))
		}
	}
	for sink, pos := range c.cursors {
		errs = append(errs, w.put(sqlPutCursor, sink, pos))
	}
	for _, h := range c.holes {
		errs = append(errs, w.exec(sqlPutHole, h.first, h.last))
	}
	for _, r := range c.rejected {
		errs = append(errs, w.exec(sqlPutReject, r.Sink, r.Pos, c.now.UnixMilli(), r.Reason, nonNil(r.Payload)))
	}
	return errors.Join(errs...)
}

func (w writer) record(r *Record) error {
	epochID, err := w.epochID(r.Epoch, r.Durable)
	if err != nil {
		return err
	}
	streamID := w.streamID(r.Stream)
	sum := checksum(r, epochID, streamID, r.At.UnixMilli())
	err = w.exec(sqlInsertRecord, r.Pos, epochID, streamID, r.Kind, r.Seq, r.TopicSeq, r.At.UnixMilli(), sum, nonNil(r.Payload))
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}

// epochID gives the number of an epoch. A number that a failed transaction took is never used again: after a
// failure the file is opened anew.
func (w writer) epochID(name string, durable bool) (int64, error) {
	f := w.file
	f.mu.RLock()
	id, ok := f.names.epochID[name]
	next := int64(len(f.names.epochs) + 1)
	f.mu.RUnlock()
	if ok {
		return id, nil
	}
	if err := w.put(sqlPutEpoch, next, name, durable); err != nil {
		return 0, fmt.Errorf("write epoch: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names.epochID[name], f.names.epochs[next] = next, epoch{name: name, durable: durable}
	return next, nil
}

func (w writer) streamID(name string) int64 {
	f := w.file
	f.mu.Lock()
	defer f.mu.Unlock()
	id, ok := f.names.streamIDs[name]
	if !ok {
		id = int64(len(f.names.streams) + 1)
		f.names.streamIDs[name], f.names.streams[id] = id, name
	}
	return id
}

// put writes a row whose last column is the checksum of the others.
func (w writer) put(query string, values ...any) error {
	return w.exec(query, append(values, sum(values...))...)
}

// sum is the checksum of a row of a small table.
func sum(values ...any) uint32 {
	return crc32.Checksum(fmt.Appendf(nil, "%v", values), crc32.MakeTable(crc32.Castagnoli))
}

// checksum covers a record's row, without much work.
func checksum(r *Record, epochID, streamID, at int64) uint32 {
	var head [7 * 8]byte
	for i, v := range [...]uint64{uint64(r.Pos), uint64(epochID), uint64(streamID), uint64(r.Kind), r.Seq, r.TopicSeq, uint64(at)} {
		binary.LittleEndian.PutUint64(head[i*8:], v)
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(head[:], table), table, r.Payload)
}

// nonNil keeps an empty payload from becoming NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
