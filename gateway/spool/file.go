package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"modernc.org/sqlite"
)

// file is the SQLite file: one connection that writes, a few that read, and the numbers that stand for
// names in it. The writing side belongs to the worker goroutine.
type file struct {
	path  string
	lock  *lock
	write *sql.DB
	conn  *sql.Conn
	read  *sql.DB
	check *sql.DB              // of the checkpoints
	stmts map[string]*sql.Stmt // of conn, by text

	mu    sync.RWMutex // guards the names, which readers look up
	names names
}

// names are the numbers that stand for epochs and streams.
type names struct {
	epochs    map[int64]epoch
	epochID   map[string]int64
	streams   map[int64]string
	streamIDs map[string]int64
}

type epoch struct {
	name    string
	durable bool
}

func newNames() names {
	return names{epochs: map[int64]epoch{}, epochID: map[string]int64{}, streams: map[int64]string{}, streamIDs: map[string]int64{}}
}

// damagedError says that the content of the file cannot be trusted.
type damagedError struct{ err error }

func (e *damagedError) Error() string { return "record file is damaged: " + e.err.Error() }

func (e *damagedError) Unwrap() error { return e.err }

func isDamage(err error) bool {
	_, ok := errors.AsType[*damagedError](err)
	return ok
}

// The primary result codes of SQLite that mean that the content is damaged, and the one for a
// file that cannot be opened.
const (
	sqliteError    = 1 // here: a table or column is missing
	sqliteCantOpen = 14
	sqliteCorrupt  = 11
	sqliteMismatch = 20
	sqliteNotADB   = 26
)

// judge marks errors that mean damage.
func judge(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && !isDamage(err) {
		switch e.Code() & 0xff {
		case sqliteCorrupt, sqliteNotADB, sqliteError, sqliteMismatch:
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

// openFile opens or makes the file and reads its state. The lock is taken over from an earlier opening, if
// there is one. The errors are ErrNewer, ErrInUse, a *damagedError, or one of the disk.
func openFile(ctx context.Context, path string, lock *lock) (*file, *state, error) {
	f := &file{path: path, lock: lock, stmts: map[string]*sql.Stmt{}, names: newNames()}
	st, err := f.open(ctx)
	if err != nil {
		err = fmt.Errorf("open %s: %w", path, judge(err))
		if closeErr := f.close(); closeErr != nil && !isDamage(err) {
			err = errors.Join(err, closeErr)
		}
		return nil, nil, err
	}
	return f, st, nil
}

func (f *file) open(ctx context.Context) (*state, error) {
	if err := f.claim(); err != nil {
		f.lock = nil
		return nil, err
	}
	_, statErr := os.Stat(f.path)
	err := looksRight(f.path)
	if err != nil {
		return nil, err
	}
	if f.write, err = sql.Open("sqlite", dsn(f.path, "auto_vacuum(incremental)", "journal_mode(wal)", "synchronous(full)", autoCheckpoint)); err != nil {
		return nil, err
	}
	if f.conn, err = f.write.Conn(ctx); err != nil {
		return nil, err
	}
	if err := f.prepare(ctx); err != nil {
		return nil, err
	}
	if errors.Is(statErr, os.ErrNotExist) {
		// SQLite makes its log's entry in the directory durable, the new file's own it does not.
		if err := syncDir(f.path); err != nil {
			return nil, err
		}
	}
	if f.read, err = sql.Open("sqlite", dsn(f.path, "query_only(1)")); err != nil {
		return nil, err
	}
	f.read.SetMaxOpenConns(4)
	if f.check, err = sql.Open("sqlite", dsn(f.path, "synchronous(full)")); err != nil {
		return nil, err
	}
	f.check.SetMaxOpenConns(1)
	return f.load(ctx)
}

// looksRight refuses a short file that is no database: SQLite would begin it anew without a word.
func looksRight(path string) error {
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	f, err := os.Open(path)
	if err != nil {
		return nil //nolint:nilerr // SQLite will say better what is wrong
	}
	n, err := io.ReadFull(f, head)
	if closeErr := f.Close(); closeErr != nil {
		return closeErr
	}
	if n == 0 || string(head) == magic {
		return nil // a file without content is a new one
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read: %w", err)
	}
	return &damagedError{err: errors.New("it does not begin like a database")}
}

// lock keeps a second gateway away from the file. It ends with the process at the latest, and is shared by
// two openings of the file in one process.
type lock struct {
	*os.File
	users int
}

// claim takes the lock, or another share of the one that this process has.
func (f *file) claim() error {
	name := f.path + ".lock"
	if have := f.lock; have != nil {
		if here, err := os.Stat(name); err == nil {
			if ours, err := have.Stat(); err == nil && os.SameFile(here, ours) {
				have.users++
				return nil
			}
		}
		f.lock = nil // another disk
	}
	l, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(l.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return errors.Join(fmt.Errorf("lock: %w", err), l.Close())
	}
	f.lock = &lock{File: l, users: 1}
	return nil
}

func (f *file) unclaim() error {
	if f.lock == nil {
		return nil
	}
	if f.lock.users--; f.lock.users > 0 {
		return nil
	}
	return f.lock.Close()
}

// prepare makes the tables of a new file and looks whether this program knows those of an old one.
func (f *file) prepare(ctx context.Context) error {
	var have, id int
	err := f.conn.QueryRowContext(ctx, "SELECT user_version, application_id FROM pragma_user_version, pragma_application_id").Scan(&have, &id)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have != 0 && id != mark|have&0xff {
		return &damagedError{err: fmt.Errorf("schema version %d does not fit application id %#x", have, id)}
	}
	if have > version {
		return fmt.Errorf("%w (schema %d, this one knows %d): use that version, or move the file away", ErrNewer, have, version)
	}
	if have == 0 {
		_, err := f.conn.ExecContext(ctx, "BEGIN IMMEDIATE;"+schema+fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d; COMMIT", version, mark|version))
		if err != nil {
			return fmt.Errorf("make tables: %w", err)
		}
	}
	return nil
}

func (f *file) close() error {
	var errs []error
	for _, stmt := range f.stmts {
		errs = append(errs, stmt.Close())
	}
	if f.read != nil {
		errs = append(errs, f.read.Close())
	}
	if f.check != nil {
		errs = append(errs, f.check.Close())
	}
	if f.conn != nil {
		errs = append(errs, f.conn.Close())
	}
	if f.write != nil {
		errs = append(errs, f.write.Close())
	}
	return errors.Join(append(errs, f.unclaim())...)
}

// autoCheckpoint bounds the write-ahead log should the checkpoints beside the commits not come about: 64 MiB.
const autoCheckpoint = "wal_autocheckpoint(16384)"

// checkpoint brings the write-ahead log into the file. It waits for nobody and nobody waits for it; a
// commit that does it itself, as SQLite would have it, takes seconds on a card.
func (f *file) checkpoint(ctx context.Context) error {
	var busy, inLog, done int
	if err := f.check.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &inLog, &done); err != nil {
		return fmt.Errorf("checkpoint: %w", judge(err))
	}
	return nil
}

func (f *file) size() uint64 {
	var sum uint64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(f.path + suffix); err == nil {
			sum += uint64(info.Size())
		}
	}
	return sum
}

func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	if err := dir.Sync(); err != nil {
		return errors.Join(fmt.Errorf("sync directory: %w", err), dir.Close())
	}
	return dir.Close()
}
