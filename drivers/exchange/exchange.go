// Package exchange is what the drivers' conversations have in common: writing one query, and
// reading until a deadline of the driver's own clock. It keeps no opinion about frames,
// starts no goroutine and reads no clock but the one that it is given.
package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"infusiond/drivers"
)

// Line is a port as a conversation uses it. It belongs to one goroutine.
type Line struct {
	port drivers.Port
	now  func() time.Duration
	in   [1024]byte
}

// New returns the line of a port. now is drivers.OpenOptions.Now.
func New(port drivers.Port, now func() time.Duration) *Line { return &Line{port: port, now: now} }

// Now is the time of the driver's clock.
func (l *Line) Now() time.Duration { return l.now() }

// Drain drops what was received and not read, so that it cannot answer the next query.
func (l *Line) Drain() error {
	if err := l.port.ResetInputBuffer(); err != nil {
		return fmt.Errorf("empty the input: %w", err)
	}
	return nil
}

// Send writes one query, unless ctx has ended.
func (l *Line) Send(ctx context.Context, query []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := l.port.Write(query); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// Read waits for bytes until the deadline; silence is os.ErrDeadlineExceeded. The result is a view
// that is valid until the next call.
func (l *Line) Read(ctx context.Context, deadline time.Duration) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	left := deadline - l.now()
	if left <= 0 {
		return nil, os.ErrDeadlineExceeded
	}
	if err := l.port.SetReadTimeout(left); err != nil {
		return nil, fmt.Errorf("set read timeout: %w", err)
	}
	n, err := l.port.Read(l.in[:])
	if n > 0 {
		return l.in[:n], nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return nil, err
}

// Silent says whether an error of Read is mere silence.
func Silent(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// Settings reads a driver's settings: every key must stand in allowed, with one of its values. What
// is not said gets the first value. The error names everything that is wrong.
func Settings(driver string, given map[string]string, allowed map[string][]string) (map[string]string, error) {
	out := make(map[string]string, len(allowed))
	known := slices.Sorted(maps.Keys(allowed))
	for _, key := range known {
		out[key] = allowed[key][0]
	}
	var wrong []error
	for _, key := range slices.Sorted(maps.Keys(given)) {
		values, ok := allowed[key]
		switch {
		case !ok && len(known) == 0:
			wrong = append(wrong, fmt.Errorf("%s: %q is not a setting; there are none", driver, key))
		case !ok:
			wrong = append(wrong, fmt.Errorf("%s: %q is not a setting; known are %s", driver, key, strings.Join(known, ", ")))
		case !slices.Contains(values, given[key]):
			wrong = append(wrong, fmt.Errorf("%s: %s: %q is not one of %s", driver, key, given[key], strings.Join(values, ", ")))
		default:
			out[key] = given[key]
		}
	}
	return out, errors.Join(wrong...)
}

// Baud turns a setting into a speed; the values that Settings let pass are numbers.
func Baud(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// Text turns bytes of a pump into text for people: control characters and broken UTF-8 become "?".
func Text(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7F || r == '\uFFFD' {
			return '?'
		}
		return r
	}, string(b))
}
