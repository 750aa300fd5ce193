package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// opened is what an attempt to use the disk gives.
type opened struct {
	file  *file
	state *state
	aside string   // where the damaged file went; empty: there was none
	why   error    // what was wrong with it
	saved []Record // read from it
}

// obtain opens the file; one that is damaged is set aside and a new one begun. Condemned says that
// it is known to be damaged although it may open.
func obtain(ctx context.Context, o *Options, l *lock, condemned error, keep span) (opened, error) {
	var out opened
	f, st, err := openFile(ctx, o.Path, l)
	switch {
	case err == nil && condemned == nil:
		out.file, out.state = f, st
		return out, nil
	case err == nil:
		out.why = condemned
		out.saved = f.salvage(ctx, keep, o.MemoryRecords)
		if err := f.close(); err != nil {
			out.why = errors.Join(out.why, err)
		}
	case isDamage(err), unusable(o.Path, err):
		out.why = err
	default:
		return out, err
	}
	if l != nil && l.users > 0 {
		// An opening of before would remove the new file's log when it is closed.
		return out, fmt.Errorf("%w while it is open", out.why)
	}
	aside, err := setAside(o.Path, o.Now())
	if err != nil {
		return out, errors.Join(out.why, err)
	}
	out.aside = aside
	out.file, out.state, err = openFile(ctx, o.Path, nil)
	if err != nil {
		return out, fmt.Errorf("begin a new record file: %w", err)
	}
	return out, nil
}

// unusable tells a file that can never be opened, such as a directory in its place, from a disk that
// does not work now.
func unusable(path string, err error) bool {
	if errors.Is(err, ErrNewer) || errors.Is(err, ErrInUse) {
		return false
	}
	info, statErr := os.Stat(path)
	if statErr != nil {
		return false
	}
	if !info.Mode().IsRegular() {
		return true
	}
	f, openErr := os.OpenFile(path, os.O_RDWR, 0)
	if openErr == nil {
		_ = f.Close() // nothing was written
		return false
	}
	return errors.Is(openErr, os.ErrPermission)
}

// setAside renames a damaged file and its companions. Nothing is deleted.
func setAside(path string, now time.Time) (string, error) {
	base := path + ".corrupt-" + strings.ReplaceAll(now.UTC().Format("20060102T150405.000"), ".", "")
	aside := base
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, os.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s-%d", base, n)
	}
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("set aside: %w", err))
		}
	}
	errs = append(errs, syncDir(path))
	return aside, errors.Join(errs...)
}

// span is a stretch of places: behind after, up to and including upTo.
type span struct{ after, upTo int64 }

// salvage reads the records that a sink still waits for, one by one, so that a damaged page
// takes only its own records with it.
func (f *file) salvage(ctx context.Context, s span, limit int) []Record {
	var out []Record
	for pos := s.after + 1; pos <= s.upTo && len(out) < limit; pos++ {
		rows, err := f.query(ctx, sqlAfter, pos-1, pos, 1)
		if err == nil && len(rows) == 1 && !rows[0].damaged { // another one is missing, which carry notes
			out = append(out, rows[0].Record)
		}
	}
	return out
}
