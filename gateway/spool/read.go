package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"
)

func formatPos(pos int64) string { return strconv.FormatInt(pos, 10) }

const columns = "pos, stream, kind, at_ms, epoch, seq, topic_seq, durable, payload"

func scan(rows *sql.Rows) (Record, error) {
	var r Record
	var at int64
	err := rows.Scan(&r.Pos, &r.Stream, &r.Kind, &at, &r.Epoch, &r.Seq, &r.TopicSeq, &r.Durable, &r.Payload)
	r.At = time.UnixMilli(at).UTC()
	return r, err
}

// view is what a reader sees at one moment.
func (s *Spool) view() (d *disk, visible int64, memory []Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.disk, s.visible, append([]Record(nil), s.memory...)
}

// After returns up to limit records behind a place, in order.
func (s *Spool) After(ctx context.Context, pos int64, limit int) ([]Record, error) {
	d, visible, memory := s.view()
	var out []Record
	if d != nil && pos < visible {
		rows, err := d.read.QueryContext(ctx, "SELECT "+columns+" FROM record WHERE pos > ? AND pos <= ? ORDER BY pos LIMIT ?", pos, visible, limit)
		if err != nil {
			return nil, fmt.Errorf("read records: %w", err)
		}
		defer func() { _ = rows.Close() }() // rows.Err tells
		for rows.Next() {
			r, err := scan(rows)
			if err != nil {
				return nil, fmt.Errorf("read records: %w", err)
			}
			out = append(out, r)
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read records: %w", err)
		}
	}
	for _, r := range memory {
		if len(out) >= limit {
			break
		}
		if r.Pos > pos {
			out = append(out, r)
		}
	}
	return out, nil
}

// Cursor is the place up to which a sink has confirmed everything; 0 for a new sink.
func (s *Spool) Cursor(_ context.Context, sink string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursors[sink], nil
}

// Backlog counts the records that a sink has not confirmed, and gives the time of the oldest.
func (s *Spool) Backlog(ctx context.Context, sink string) (count uint64, oldest time.Time, err error) {
	pos, err := s.Cursor(ctx, sink)
	if err != nil {
		return 0, time.Time{}, err
	}
	d, visible, memory := s.view()
	if d != nil && pos < visible {
		var at sql.NullInt64
		err := d.read.QueryRowContext(ctx, `SELECT count(*), (SELECT at_ms FROM record WHERE pos > ? AND pos <= ? ORDER BY pos LIMIT 1)
			FROM record WHERE pos > ? AND pos <= ?`, pos, visible, pos, visible).Scan(&count, &at)
		if err != nil {
			return 0, time.Time{}, fmt.Errorf("count backlog: %w", err)
		}
		if at.Valid {
			oldest = time.UnixMilli(at.Int64).UTC()
		}
	}
	for _, r := range memory {
		if r.Pos > pos {
			if count == 0 {
				oldest = r.At
			}
			count++
		}
	}
	return count, oldest, nil
}

// Range calls fn for the records of a stream and kind with from <= at < to, by time. It stops at fn's
// first error and returns it.
func (s *Spool) Range(ctx context.Context, stream string, kind Kind, from, to time.Time, fn func(Record) error) error {
	d, visible, memory := s.view()
	if d != nil {
		rows, err := d.read.QueryContext(ctx, "SELECT "+columns+" FROM record WHERE stream = ? AND kind = ? AND at_ms >= ? AND at_ms < ? AND pos <= ? ORDER BY at_ms, pos",
			stream, kind, from.UnixMilli(), to.UnixMilli(), visible)
		if err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		defer func() { _ = rows.Close() }() // rows.Err tells
		for rows.Next() {
			r, err := scan(rows)
			if err != nil {
				return fmt.Errorf("read history: %w", err)
			}
			if err := fn(r); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("read history: %w", err)
		}
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

// Note returns a value stored with a batch, and whether there is one.
func (s *Spool) Note(ctx context.Context, key string) ([]byte, bool, error) {
	s.mu.Lock()
	value, fresh := s.notes[key]
	d := s.disk
	s.mu.Unlock()
	if fresh {
		return value, value != nil, nil
	}
	if d == nil {
		return nil, false, nil
	}
	err := d.read.QueryRowContext(ctx, "SELECT value FROM note WHERE key = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read note %s: %w", key, err)
	}
	return value, true, nil
}

// Rejected calls fn for every record that a sink refused for good, in order.
func (s *Spool) Rejected(ctx context.Context, fn func(RejectedRecord) error) error {
	d, _, _ := s.view()
	if d == nil {
		return nil
	}
	rows, err := d.read.QueryContext(ctx, "SELECT sink, pos, reason, payload FROM rejected ORDER BY pos")
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

// Prune lets observations go that every named sink has confirmed and that are older than a time.
// Events and alerts stay.
func (s *Spool) Prune(ctx context.Context, sinks []string, before time.Time) error {
	s.mu.Lock()
	d, durable, upTo := s.disk, s.reason == "", s.visible
	for _, sink := range sinks {
		upTo = min(upTo, s.cursors[sink])
	}
	s.mu.Unlock()
	if d == nil || !durable {
		return nil
	}
	for {
		// In small steps, so that no commit waits behind it for long.
		result, err := d.write.ExecContext(ctx, `DELETE FROM record WHERE pos IN
			(SELECT pos FROM record WHERE kind = ? AND at_ms < ? AND pos <= ? ORDER BY pos LIMIT 1000)`, Observation, before.UnixMilli(), upTo)
		if err != nil {
			return fmt.Errorf("prune: %w", err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return fmt.Errorf("prune: %w", err)
		}
		s.mu.Lock()
		s.records -= uint64(n)
		s.mu.Unlock()
		if n < 1000 {
			break
		}
	}
	if _, err := d.write.ExecContext(ctx, "PRAGMA incremental_vacuum"); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return nil
}
