package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// counter holds the numbers given in one stream.
type counter struct {
	seq     uint64
	topic   [Alert + 1]uint64 // by Kind
	records uint64            // rows on disk
	pos     int64             // last place on disk
}

// hole is a stretch of places without a record.
type hole struct{ first, last int64 }

// state is what a file says at its opening.
type state struct {
	epoch    string // newest durable one; empty in a new file
	end      int64  // last place ever given
	pruned   int64  // behind this place nothing was pruned
	counters map[string]counter
	cursors  map[string]int64
	notes    map[string][]byte
	holes    []hole
}

// load reads everything but the records. It is also the check at opening: the whole file is not read,
// which would hold up the start for minutes on a card; a damaged row is found by its checksum when it is read.
func (f *file) load(ctx context.Context) (*state, error) {
	st := &state{counters: map[string]counter{}, cursors: map[string]int64{}, notes: map[string][]byte{}}
	err := errors.Join(
		f.loadNames(ctx, st),
		f.each(ctx, "SELECT sink, pos, crc FROM cursor", func(r *sql.Rows) error {
			var sink string
			var pos int64
			var crc uint32
			err := r.Scan(&sink, &pos, &crc)
			st.cursors[sink] = pos
			return whole(err, crc, sink, pos)
		}),
		f.each(ctx, "SELECT key, value, crc FROM note", func(r *sql.Rows) error {
			var key string
			var value []byte
			var crc uint32
			err := r.Scan(&key, &value, &crc)
			st.notes[key] = value
			return whole(err, crc, key, value)
		}),
		f.each(ctx, "SELECT first, last FROM hole ORDER BY first", func(r *sql.Rows) error {
			var h hole
			err := r.Scan(&h.first, &h.last)
			st.holes = append(st.holes, h)
			return err
		}),
		f.each(ctx, "SELECT pos FROM pruned", func(r *sql.Rows) error { return r.Scan(&st.pruned) }),
	)
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	return st, f.consistent(ctx, st)
}

// whole compares a row of a small table with its checksum.
func whole(err error, crc uint32, values ...any) error {
	if err == nil && crc != sum(values...) {
		return fmt.Errorf("the row of %v does not match its checksum", values[0])
	}
	return err
}

// reload forgets the names that a failed transaction gave.
func (f *file) reload(ctx context.Context) error {
	return f.loadNames(ctx, &state{counters: map[string]counter{}})
}

func (f *file) loadNames(ctx context.Context, st *state) error {
	n := newNames()
	err := errors.Join(
		f.each(ctx, "SELECT id, name, durable, crc FROM epoch ORDER BY id", func(r *sql.Rows) error {
			var id int64
			var e epoch
			var crc uint32
			err := r.Scan(&id, &e.name, &e.durable, &crc)
			n.epochs[id], n.epochID[e.name] = e, id
			if e.durable {
				st.epoch = e.name
			}
			return whole(err, crc, id, e.name, e.durable)
		}),
		f.each(ctx, "SELECT id, name, seq, observations, events, alerts, records, pos, crc FROM stream", func(r *sql.Rows) error {
			var id int64
			var name string
			var c counter
			var crc uint32
			err := r.Scan(&id, &name, &c.seq, &c.topic[Observation], &c.topic[Event], &c.topic[Alert], &c.records, &c.pos, &crc)
			n.streams[id], n.streamIDs[name] = name, id
			st.counters[name] = c
			st.end = max(st.end, c.pos)
			return whole(err, crc, id, name, c.seq, c.topic[Observation], c.topic[Event], c.topic[Alert], c.records, c.pos)
		}),
	)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names = n
	return nil
}

// consistent compares the state with the last record.
func (f *file) consistent(ctx context.Context, st *state) error {
	var last sql.NullInt64
	if err := f.read.QueryRowContext(ctx, "SELECT max(pos) FROM record").Scan(&last); err != nil {
		return fmt.Errorf("read last place: %w", err)
	}
	if last.Int64 > st.end {
		return &damagedError{err: fmt.Errorf("a record stands at place %d, behind the last one counted, %d", last.Int64, st.end)}
	}
	for sink, pos := range st.cursors {
		if pos > st.end || pos < 0 {
			return &damagedError{err: fmt.Errorf("the cursor of %s stands at %d of %d", sink, pos, st.end)}
		}
	}
	if st.epoch == "" && st.end > 0 {
		return &damagedError{err: errors.New("there are records and no epoch")}
	}
	return nil
}

func (f *file) each(ctx context.Context, query string, fn func(*sql.Rows) error) error {
	rows, err := f.read.QueryContext(ctx, query)
	if err != nil {
		return judge(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		if err := fn(rows); err != nil {
			return &damagedError{err: err}
		}
	}
	return judge(rows.Err())
}
