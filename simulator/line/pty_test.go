package line

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// answering is a pump that answers every byte string with its length and "ok".
type answering struct {
	mu  sync.Mutex
	got []byte
}

func (a *answering) Exchange(in []byte) ([]byte, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got = append(a.got, in...)
	return []byte("ok:" + string(in)), 0
}

func (a *answering) Unsolicited() []byte { return nil }

var fast = Pace{Baud: 115200, Gap: time.Millisecond}

// running serves run in the background and waits for its end with the test.
func running(t *testing.T, run func(context.Context, Pump) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, &answering{}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// host opens a device as a program would, without help of ours: no echo, no translation.
func host(t *testing.T, path string) *os.File {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	f := os.NewFile(uintptr(fd), path)
	t.Cleanup(func() { _ = f.Close() })
	termios, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if termios.Lflag&(unix.ECHO|unix.ICANON|unix.ISIG) != 0 || termios.Oflag&unix.OPOST != 0 || termios.Iflag&(unix.ICRNL|unix.IXON) != 0 {
		t.Errorf("%s is not raw when opened: %+v", path, termios)
	}
	termios.Cc[unix.VMIN], termios.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, termios); err != nil {
		t.Fatal(err)
	}
	return f
}

func deadline(t *testing.T) time.Time {
	t.Helper()
	if d, ok := t.Deadline(); ok {
		return d.Add(-time.Second)
	}
	return time.Now().Add(time.Minute)
}

// talk sends text and wants it back behind "ok:".
func talk(t *testing.T, c conn, text string) {
	t.Helper()
	if err := c.SetReadDeadline(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatalf("write: %v", err)
	}
	want, got := "ok:"+text, make([]byte, 0, 64)
	for len(got) < len(want) {
		b := make([]byte, 64)
		n, err := c.Read(b)
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		got = append(got, b[:n]...)
	}
	if string(got) != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// TestPtyUnplugAndReplug is what a gateway lives through: talk, hang-up, gone name, new device, talk.
// Covers GW-122.
func TestPtyUnplugAndReplug(t *testing.T) {
	link := filepath.Join(t.TempDir(), "by-id", "blue")
	p, err := OpenPty(link, fast)
	if err != nil {
		t.Fatal(err)
	}
	running(t, p.Run)
	h := host(t, link)
	talk(t, h, "\x02RN\r\n\x03\x11\x13\x04\x7f\xff") // control characters must pass untouched
	if err := p.Unplug(); err != nil {
		t.Fatal(err)
	}
	if err := h.SetReadDeadline(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if n, err := h.Read(make([]byte, 10)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read of an unplugged device: %d bytes, %v; want a hang-up", n, err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("link after unplugging: %v", err)
	}
	if err := p.Unplug(); !errors.Is(err, ErrUnplugged) {
		t.Errorf("second unplug: %v", err)
	}
	if err := p.Plug(""); err != nil {
		t.Fatal(err)
	}
	talk(t, host(t, link), "again")
	if err := p.Plug(""); !errors.Is(err, ErrPlugged) {
		t.Errorf("second plug: %v", err)
	}
	other := filepath.Join(filepath.Dir(link), "renumbered")
	if err := errors.Join(p.Unplug(), p.Plug(other)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("old link after renumbering: %v", err)
	}
	talk(t, host(t, other), "renumbered")
}

// TestPtyOutlivesItsHost opens anew after a host that went away without a word, with the line exclusive.
func TestPtyOutlivesItsHost(t *testing.T) {
	link := filepath.Join(t.TempDir(), "blue")
	p, err := OpenPty(link, fast)
	if err != nil {
		t.Fatal(err)
	}
	running(t, p.Run)
	first := host(t, link)
	talk(t, first, "first")
	c, err := first.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Control(func(fd uintptr) { err = unix.IoctlSetInt(int(fd), unix.TIOCEXCL, 0) }); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	exclusive := func() bool {
		var taken int
		var err error
		if e := raws(t, p).Control(func(fd uintptr) { taken, err = unix.IoctlGetInt(int(fd), unix.TIOCGEXCL) }); e != nil || err != nil {
			t.Fatal(e, err)
		}
		return taken != 0
	}
	for tick := time.NewTicker(20 * time.Millisecond); exclusive(); {
		select {
		case <-t.Context().Done():
			t.Fatal("the line stays exclusive although its host is gone")
		case <-tick.C:
		}
	}
	talk(t, host(t, link), "second")
}

// raws gives access to the descriptor that the simulator holds.
func raws(t *testing.T, p *Pty) interface{ Control(func(uintptr)) error } {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	c, err := p.slave.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPtyLinks(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "file")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := OpenPty(taken, fast); err == nil {
		t.Errorf("a file was replaced by a link: %v", p.Unplug())
	}
	stale := filepath.Join(dir, "stale")
	if err := os.Symlink("/dev/pts/9999", stale); err != nil {
		t.Fatal(err)
	}
	p, err := OpenPty(stale, fast)
	if err != nil {
		t.Fatal(err)
	}
	if target, _ := os.Readlink(stale); target == "/dev/pts/9999" {
		t.Error("the stale link was not replaced")
	}
	// A link that somebody else took over is not removed.
	if err := errors.Join(os.Remove(stale), os.Symlink("/dev/null", stale), p.Unplug()); err != nil {
		t.Fatal(err)
	}
	if target, _ := os.Readlink(stale); target != "/dev/null" {
		t.Error("somebody else's link was removed")
	}
}

func TestTCPDropAndRefuse(t *testing.T) {
	l, err := ListenTCP("127.0.0.1:0", fast)
	if err != nil {
		t.Fatal(err)
	}
	running(t, l.Run)
	dial := func() (net.Conn, error) { return net.DialTimeout("tcp", l.Address(), 10*time.Second) }
	first, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	talk(t, first, "one")
	if err := l.Drop(); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Read(make([]byte, 1)); err == nil {
		t.Error("a dropped connection still gives bytes")
	}
	second, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	talk(t, second, "two")
	if err := l.Unplug(); err != nil {
		t.Fatal(err)
	}
	if c, err := dial(); err == nil {
		t.Errorf("an unplugged server took a connection: %v", c.Close())
	}
	if err := l.Plug(); err != nil {
		t.Fatal(err)
	}
	third, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	talk(t, third, "three")
}
