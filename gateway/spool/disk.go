package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// version is the schema of the file (user_version).
const version = 1

const schema = `
CREATE TABLE record (
	pos INTEGER PRIMARY KEY,
	stream TEXT NOT NULL, kind INTEGER NOT NULL, at_ms INTEGER NOT NULL,
	epoch TEXT NOT NULL, seq INTEGER NOT NULL, topic_seq INTEGER NOT NULL, durable INTEGER NOT NULL,
	payload BLOB NOT NULL
) STRICT;
CREATE INDEX record_time ON record (stream, kind, at_ms);
CREATE TABLE note (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE cursor (sink TEXT PRIMARY KEY, pos INTEGER NOT NULL) STRICT;
CREATE TABLE counter (stream TEXT NOT NULL, kind INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (stream, kind)) STRICT;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE rejected (sink TEXT NOT NULL, pos INTEGER NOT NULL, at_ms INTEGER NOT NULL, reason TEXT NOT NULL, payload BLOB NOT NULL) STRICT;
`

// disk is the SQLite file: one connection that writes, a few that read.
type disk struct {
	write, read *sql.DB
}

// damagedError says that the file is no usable database.
type damagedError struct{ err error }

func (e *damagedError) Error() string { return "record file is damaged: " + e.err.Error() }

func (e *damagedError) Unwrap() error { return e.err }

// The primary result codes of SQLite that mean that the content is damaged.
const (
	sqliteCorrupt = 11
	sqliteNotADB  = 26
)

func damage(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		if code := e.Code() & 0xff; code == sqliteCorrupt || code == sqliteNotADB {
			return &damagedError{err: err}
		}
	}
	return err
}

func dsn(path string, pragmas ...string) string {
	q := url.Values{}
	for _, p := range append([]string{"busy_timeout(5000)"}, pragmas...) {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// looksAtAll refuses a file that SQLite would silently begin anew.
func looksAtAll(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	err = errors.Join(ignoreShort(err), f.Close())
	if err == nil && n > 0 && string(head[:n]) != "SQLite format 3\x00" {
		return &damagedError{err: errors.New("it does not begin like a database")}
	}
	return err
}

func ignoreShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func openDisk(ctx context.Context, path string) (*disk, error) {
	if err := looksAtAll(path); err != nil {
		return nil, err
	}
	w, err := sql.Open("sqlite", dsn(path, "auto_vacuum(incremental)", "journal_mode(wal)", "synchronous(full)"))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	w.SetMaxOpenConns(1)
	r, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), w.Close())
	}
	r.SetMaxOpenConns(4)
	d := &disk{write: w, read: r}
	if err := d.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, damage(err)), d.close())
	}
	return d, nil
}

// prepare makes the tables of a new file and looks whether an old one is whole.
func (d *disk) prepare(ctx context.Context) error {
	var have int
	if err := d.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	switch {
	case have > version:
		return fmt.Errorf("%w (schema %d, this one knows %d): use that version, or move the file away", ErrNewer, have, version)
	case have == 0:
		tx, err := d.write.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d;", version))
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	}
	var verdict string
	if err := d.write.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return &damagedError{err: errors.New(verdict)}
	}
	return nil
}

func (d *disk) close() error { return errors.Join(d.read.Close(), d.write.Close()) }

// setAside renames a damaged file and its companions.
func setAside(path string, now time.Time) (string, error) {
	aside := path + ".corrupt-" + strings.ReplaceAll(now.UTC().Format("20060102T150405.000"), ".", "")
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("set aside: %w", err))
		}
	}
	return aside, errors.Join(errs...)
}

func fileSize(path string) uint64 {
	var sum uint64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(path + suffix); err == nil {
			sum += uint64(info.Size())
		}
	}
	return sum
}

func (d *disk) loadState(ctx context.Context) (state, error) {
	st := state{counts: map[string]counts{}}
	err := d.read.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'epoch'").Scan(&st.epoch)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return st, fmt.Errorf("read epoch: %w", err)
	}
	// The last place also counts what was pruned.
	if err := d.read.QueryRowContext(ctx, `SELECT max(coalesce((SELECT max(pos) FROM record), 0), coalesce((SELECT max(pos) FROM cursor), 0),
		coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'pos'), 0))`).Scan(&st.pos); err != nil {
		return st, fmt.Errorf("read last place: %w", err)
	}
	rows, err := d.read.QueryContext(ctx, "SELECT stream, kind, n FROM counter")
	if err != nil {
		return st, fmt.Errorf("read counters: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		var stream string
		var kind int
		var n uint64
		if err := rows.Scan(&stream, &kind, &n); err != nil {
			return st, fmt.Errorf("read counters: %w", err)
		}
		c := st.counts[stream]
		if kind == 0 {
			c.seq = n
		} else if kind < len(c.topic) {
			c.topic[kind] = n
		}
		st.counts[stream] = c
	}
	return st, rows.Err()
}

func (d *disk) loadCursors(ctx context.Context) (map[string]int64, error) {
	rows, err := d.read.QueryContext(ctx, "SELECT sink, pos FROM cursor")
	if err != nil {
		return nil, fmt.Errorf("read cursors: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	out := map[string]int64{}
	for rows.Next() {
		var sink string
		var pos int64
		if err := rows.Scan(&sink, &pos); err != nil {
			return nil, fmt.Errorf("read cursors: %w", err)
		}
		out[sink] = pos
	}
	return out, rows.Err()
}

func (d *disk) count(ctx context.Context) (uint64, error) {
	var n uint64
	if err := d.read.QueryRowContext(ctx, "SELECT count(*) FROM record").Scan(&n); err != nil {
		return 0, fmt.Errorf("count records: %w", err)
	}
	return n, nil
}
