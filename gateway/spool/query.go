package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"
)

// row is a record as it stands on disk. A damaged one does not match its checksum.
type row struct {
	Record
	damaged bool
}

// query reads rows. It holds no read transaction when it returns.
func (f *file) query(ctx context.Context, query string, args ...any) ([]row, error) {
	rows, err := f.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", judge(err))
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var out []row
	for rows.Next() {
		r, err := f.scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read records: %w", judge(err))
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read records: %w", judge(err))
	}
	return out, nil
}

// errDisorder says that a damaged tree gives records out of their order; SQLite does not always notice that.
var errDisorder = errors.New("records come out of their order")

// after reads records behind a place. They come in order and within bounds, or the file is damaged.
func (f *file) after(ctx context.Context, pos, upTo int64, limit int) ([]row, error) {
	rows, err := f.query(ctx, sqlAfter, pos, upTo, limit)
	for _, r := range rows {
		if r.Pos <= pos || r.Pos > upTo {
			return nil, fmt.Errorf("read records: %w", &damagedError{err: errDisorder})
		}
		pos = r.Pos
	}
	return rows, err
}

func (f *file) scan(rows *sql.Rows) (row, error) {
	var r row
	var epochID, streamID, at int64
	var sum uint32
	if err := rows.Scan(&r.Pos, &epochID, &streamID, &r.Kind, &r.Seq, &r.TopicSeq, &at, &sum, &r.Payload); err != nil {
		return row{}, &damagedError{err: err}
	}
	f.mu.RLock()
	e, epochKnown := f.names.epochs[epochID]
	stream, streamKnown := f.names.streams[streamID]
	f.mu.RUnlock()
	r.Epoch, r.Durable, r.Stream, r.At = e.name, e.durable, stream, time.UnixMilli(at).UTC()
	r.damaged = !epochKnown || !streamKnown || sum != checksum(&r.Record, epochID, streamID, at)
	return r, nil
}

func (f *file) streamID(name string) (int64, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	id, ok := f.names.streamIDs[name]
	return id, ok
}

func (f *file) count(ctx context.Context, after, upTo int64) (uint64, error) {
	var n uint64
	if err := f.read.QueryRowContext(ctx, sqlCount, after, upTo).Scan(&n); err != nil {
		return 0, fmt.Errorf("count records: %w", judge(err))
	}
	return n, nil
}

// pruneStep is how many rows one transaction removes, so that no commit waits for it for long;
// vacuumPages is how many free pages it gives back.
const (
	pruneStep   = 500
	vacuumPages = 200
)

// prune removes some observations of each stream and returns how many of which.
func (f *file) prune(ctx context.Context, upTo int64, before time.Time, c *change) (map[string]uint64, error) {
	gone := map[string]uint64{}
	f.mu.RLock()
	streams := maps.Clone(f.names.streamIDs)
	f.mu.RUnlock()
	left := pruneStep
	err := f.transaction(ctx, func() error {
		for name, id := range streams {
			if left == 0 {
				break
			}
			stmt, err := f.stmt(ctx, "DELETE FROM record WHERE pos IN ("+sqlPrunable+")")
			if err != nil {
				return err
			}
			result, err := stmt.ExecContext(ctx, id, Observation, before.UnixMilli(), upTo, left)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			if n > 0 {
				gone[name] = uint64(n)
				left -= int(n)
				count := c.counters[name]
				count.records -= uint64(n)
				c.counters[name] = count
			}
		}
		for name := range c.counters {
			if gone[name] == 0 {
				delete(c.counters, name)
			}
		}
		if len(gone) > 0 {
			if err := f.exec(ctx, "UPDATE pruned SET pos = max(pos, ?)", upTo); err != nil {
				return err
			}
		}
		w := writer{file: f, exec: func(query string, args ...any) error { return f.exec(ctx, query, args...) }}
		return w.change(c)
	})
	if err != nil {
		return nil, fmt.Errorf("prune: %w", err)
	}
	return gone, nil
}

// vacuum gives some free pages back to the file system.
func (f *file) vacuum(ctx context.Context) error {
	rows, err := f.conn.QueryContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages))
	if err != nil {
		return fmt.Errorf("vacuum: %w", judge(err))
	}
	for rows.Next() { // a page is freed per step
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close() // the error above says why
		return fmt.Errorf("vacuum: %w", judge(err))
	}
	return rows.Close()
}
