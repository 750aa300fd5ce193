//go:build linux

package link

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/creack/pty" // the usual way to a pty in Go; no dependencies, tests only
	"golang.org/x/sys/unix"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// patience is how long a test waits for something that must happen.
const patience = 30 * time.Second

var errDone = errors.New("the test is done with this port")

func testClock() infusion.Clock {
	start := time.Now()
	return func() infusion.Instant {
		now := time.Now()
		return infusion.Instant{UTC: now.UTC(), Boot: now.Sub(start), Synced: true}
	}
}

func testProfile() drivers.Profile {
	return drivers.Profile{
		Name: "fake",
		Line: drivers.LineSettings{Baud: 115200, DataBits: 8, StopBits: 1, DTR: true, RTS: true},
		Allow: drivers.AllowList{
			{Name: "status", Exact: []byte("Q1\r")},
			{Name: "serial", Exact: []byte("RN\r")},
			{Name: "record", Form: regexp.MustCompile(`^RE[0-9A-F]{8}\r$`), ReplyBytes: 8},
		},
	}
}

func newTestLink(t testing.TB, address string, change func(*Options)) *Link {
	t.Helper()
	const seed = 1
	o := Options{
		Address: address, Profile: testProfile(), Clock: testClock(),
		Log: slog.New(slog.DiscardHandler), Rand: rand.New(rand.NewPCG(seed, seed)),
	}
	if change != nil {
		change(&o)
	}
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// openPty returns a pty whose slave stays open, so that the master never sees a hang-up by itself.
func openPty(t testing.TB) (master *os.File, path string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close(); _ = slave.Close() })
	// The library leaves the master blocking, and then Close would wait for a pending read.
	if err := unix.SetNonblock(int(master.Fd()), true); err != nil {
		t.Fatal(err)
	}
	return master, slave.Name()
}

// withPort runs body once with a port on a new pty.
func withPort(t testing.TB, change func(*Options), body func(p drivers.Port, master *os.File)) {
	t.Helper()
	master, path := openPty(t)
	serveOnce(t, newTestLink(t, path, change), func(p drivers.Port) { body(p, master) })
}

// serveOnce runs l until body was called once, which must happen.
func serveOnce(t testing.TB, l *Link, body func(p drivers.Port)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	served := false
	var last infusion.Link
	err := l.Run(ctx, func(_ context.Context, p drivers.Port) error {
		defer cancel()
		served = true
		body(p)
		return errDone
	}, func(s infusion.Link) { last = s })
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	if !served {
		t.Fatalf("the port was never opened: %+v", last)
	}
}

func mustWrite(t testing.TB, w io.Writer, text string) {
	t.Helper()
	if n, err := w.Write([]byte(text)); err != nil || n != len(text) {
		t.Fatalf("write %q = %d, %v", text, n, err)
	}
}

func mustRead(t testing.TB, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("read = %q, %v, want %q", got[:n], err, want)
	}
}

// mustTimeout says how long a read of the port may wait for what must come.
func mustTimeout(t testing.TB, p drivers.Port, d time.Duration) {
	t.Helper()
	if err := p.SetReadTimeout(d); err != nil {
		t.Fatal(err)
	}
}

// relink points the symlink at path to target, atomically as udev does.
func relink(t testing.TB, path, target string) {
	t.Helper()
	next := path + ".new"
	if err := os.Symlink(target, next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

func linkPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "usb-pump")
}
