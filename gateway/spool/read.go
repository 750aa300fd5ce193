package spool

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"
)

// ErrRewind says that a place is of no use any more: begin again at Cursor.
var ErrRewind = errors.New("the place is from a time without the record file: begin again at the cursor")

// errNoFile says that records on disk cannot be read now.
var errNoFile = errors.New("the record file cannot be read now")

// After returns up to limit records behind a place, in order. While the disk cannot be read it goes on
// with the records in memory: what a sink confirms of them does not move its cursor over those it was
// not given, and when the disk works again Cursor tells the sink to begin there. ErrRewind says that the
// place came from such a time and means nothing now.
func (s *Spool) After(ctx context.Context, pos int64, limit int) ([]Record, error) {
	for {
		s.mu.Lock()
		if pos >= detachedBase && !s.detached {
			s.mu.Unlock()
			return nil, ErrRewind
		}
		if pos >= s.end || limit <= 0 {
			s.mu.Unlock()
			return nil, nil
		}
		if pos >= s.since || s.skipping {
			out := s.newest(pos, limit)
			s.mu.Unlock()
			return out, nil
		}
		f, upTo := s.file, s.diskEnd
		s.mu.Unlock()
		rows, err := s.onFile(f, func() ([]row, error) { return f.after(ctx, pos, upTo, limit) })
		if err != nil {
			if s.held() != f || s.skip(ctx, err) {
				continue
			}
			return nil, err
		}
		out := s.whole(rows)
		if len(rows) == 0 {
			pos = upTo // holes only, up to what is in memory
			continue
		}
		if len(out) > 0 {
			return out, nil
		}
		pos = rows[len(rows)-1].Pos
	}
}

// newest reads from memory; it needs s.mu.
func (s *Spool) newest(pos int64, limit int) []Record {
	var out []Record
	for _, part := range [][]Record{s.recent, s.memory} {
		from := sort.Search(len(part), func(i int) bool { return part[i].Pos > pos })
		part = part[from:]
		out = append(out, part[:min(len(part), limit-len(out))]...)
	}
	return out
}

// onFile reads from the file; what shows that it is damaged is handed to the writer.
func (s *Spool) onFile(f *file, read func() ([]row, error)) ([]row, error) {
	if f == nil {
		return nil, errNoFile
	}
	rows, err := read()
	if isDamage(err) {
		s.mu.Lock()
		s.damage = err
		s.mu.Unlock()
		s.wake()
	}
	return rows, err
}

// skip lets readers go on with the memory when the disk fails for reading too.
func (s *Spool) skip(ctx context.Context, err error) bool {
	if ctx.Err() != nil || isDamage(err) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason == "" || len(s.memory) == 0 || s.file == nil {
		return false // while a damaged file is set aside there is none; failed turns to skipping
	}
	s.skipping = true
	return true
}

// whole leaves damaged records out and notes their loss.
func (s *Spool) whole(rows []row) []Record {
	out := make([]Record, 0, len(rows))
	for _, r := range rows {
		if !r.damaged {
			out = append(out, r.Record)
			continue
		}
		s.mu.Lock()
		if !s.faulty[r.Pos] {
			s.faulty[r.Pos] = true
			s.lose(Loss{Epoch: r.Epoch, Stream: r.Stream, FromSeq: r.Seq, ToSeq: r.Seq, Count: 1, Reason: reasonDamaged})
		}
		s.mu.Unlock()
	}
	return out
}

// Cursor is the place up to which a sink has confirmed everything; 0 for a new sink. It can lie before the
// place of the last Advance, when the disk had failed: then the sink begins there again.
func (s *Spool) Cursor(_ context.Context, sink string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pos, known := s.cursors[sink]
	if !known {
		s.cursors[sink] = 0
	}
	delete(s.rewind, sink)
	return max(pos, s.jumps[sink]), nil
}

// Backlog counts the records that a sink has not confirmed, and gives the time of the oldest.
func (s *Spool) Backlog(ctx context.Context, sink string) (count uint64, oldest time.Time, err error) {
	s.mu.Lock()
	cursor, jump := s.cursors[sink], s.jumps[sink]
	f, diskEnd, counted := s.file, s.diskEnd, cursor >= s.pruned
	if s.detached {
		cursor = diskEnd
	}
	onDisk := uint64(max(diskEnd-cursor, 0))
	for _, h := range s.holes {
		if h.last > cursor {
			onDisk -= uint64(max(min(h.last, diskEnd)-max(h.first, cursor+1)+1, 0))
		}
	}
	inMemory := s.memory[sort.Search(len(s.memory), func(i int) bool { return s.memory[i].Pos > max(cursor, jump) }):]
	count = uint64(len(inMemory))
	if len(inMemory) > 0 {
		oldest = inMemory[0].At
	}
	s.mu.Unlock()
	if onDisk == 0 {
		return count, oldest, nil
	}
	if !counted { // rare: a sink that is new or was disabled while observations were pruned
		if f == nil {
			return 0, time.Time{}, errNoFile
		}
		if onDisk, err = f.count(ctx, cursor, diskEnd); err != nil {
			return 0, time.Time{}, err
		}
	}
	first, err := s.After(ctx, cursor, 1)
	if err != nil {
		return 0, time.Time{}, err
	}
	if len(first) > 0 {
		oldest = first[0].At
	}
	return count + onDisk, oldest, nil
}

const rangePage = 1000

// Range calls fn for the records of a stream and kind with from <= at < to: those on disk by time, then those
// that are in memory only. It stops at fn's first error and returns it. No transaction is open while fn runs.
func (s *Spool) Range(ctx context.Context, stream string, kind Kind, from, to time.Time, fn func(Record) error) error {
	s.mu.Lock()
	upTo := s.diskEnd
	memory := slices.Clone(s.memory)
	s.mu.Unlock()
	if err := s.rangeOnDisk(ctx, stream, []any{nil, kind, ceilMilli(from) - 1, int64(math.MaxInt64), ceilMilli(to), upTo, rangePage}, fn); err != nil {
		return err
	}
	for _, r := range memory {
		if r.Stream == stream && r.Kind == kind && !r.At.Before(from) && r.At.Before(to) {
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// ceilMilli is the first whole millisecond that is not before t.
func ceilMilli(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

func (s *Spool) rangeOnDisk(ctx context.Context, stream string, args []any, fn func(Record) error) error {
	for {
		f := s.held()
		if f == nil {
			return nil // what is in memory is all there is to show
		}
		id, known := f.streamID(stream)
		if !known {
			return nil
		}
		args[0] = id
		rows, err := s.onFile(f, func() ([]row, error) { return f.query(ctx, sqlRange, args...) })
		if err != nil && s.held() != f {
			continue
		}
		if err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		for _, r := range s.whole(rows) {
			if err := fn(r); err != nil {
				return err
			}
		}
		if len(rows) < rangePage {
			return nil
		}
		last := rows[len(rows)-1]
		args[2], args[3] = last.At.UnixMilli(), last.Pos
	}
}

// Note returns a value stored with a batch, and whether there is one. It is the value of the newest
// batch whose Append has returned.
func (s *Spool) Note(_ context.Context, key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.notes[key]
	return slices.Clone(value), ok, nil
}

// Rejected calls fn for every record that a sink refused for good, in order. While the disk does not work
// it gives those that were on disk before.
func (s *Spool) Rejected(ctx context.Context, fn func(RejectedRecord) error) error {
	f := s.held()
	if f == nil {
		return errNoFile
	}
	rows, err := f.read.QueryContext(ctx, "SELECT sink, pos, reason, payload FROM rejected ORDER BY id")
	if err != nil {
		return fmt.Errorf("read rejected records: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		var r RejectedRecord
		if err := rows.Scan(&r.Sink, &r.Pos, &r.Reason, &r.Payload); err != nil {
			return fmt.Errorf("read rejected records: %w", err)
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return rows.Err()
}
