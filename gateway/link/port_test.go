//go:build linux

package link

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

func TestExchange(t *testing.T) {
	withPort(t, nil, func(p drivers.Port, master *os.File) {
		mustTimeout(t, p, patience)
		mustWrite(t, p, "Q1\r")
		mustRead(t, master, "Q1\r")
		mustWrite(t, master, "Q1RUN\r")
		mustRead(t, p, "Q1RUN\r")
		// Every byte value passes unchanged: no echo, no line discipline.
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		mustWrite(t, master, string(all))
		mustRead(t, p, string(all))
	})
}

func TestShortReads(t *testing.T) {
	withPort(t, nil, func(p drivers.Port, master *os.File) {
		mustTimeout(t, p, patience)
		for _, part := range []string{"\x02", "12", "3456", "\x03"} {
			mustWrite(t, master, part)
			mustRead(t, p, part)
		}
	})
}

// Covers GW-04.
func TestSilenceIsATimeout(t *testing.T) {
	for _, timeout := range []time.Duration{0, time.Millisecond, 30 * time.Millisecond} {
		t.Run(timeout.String(), func(t *testing.T) {
			withPort(t, nil, func(p drivers.Port, master *os.File) {
				mustTimeout(t, p, timeout)
				n, err := p.Read(make([]byte, 8))
				if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, ErrLost) {
					t.Fatalf("read = %d, %v, want a timeout", n, err)
				}
				mustTimeout(t, p, patience)
				mustWrite(t, master, "late")
				mustRead(t, p, "late")
			})
		})
	}
}

// Covers GW-09.
func TestResetInputBufferDropsAll(t *testing.T) {
	withPort(t, nil, func(p drivers.Port, master *os.File) {
		mustTimeout(t, p, patience)
		mustWrite(t, master, strings.Repeat("stale", 200)+"!")
		mustRead(t, p, "s") // the rest has arrived or is on its way
		for !inputEmpty(t, p) {
		}
		mustWrite(t, master, "fresh")
		mustRead(t, p, "fresh")
	})
}

// inputEmpty drops what has arrived and says whether the end mark was among it.
func inputEmpty(t *testing.T, p drivers.Port) bool {
	t.Helper()
	var seen bytes.Buffer
	p.(*port).capture = &recorder{w: &seen, clock: testClock()}
	if err := p.ResetInputBuffer(); err != nil {
		t.Fatal(err)
	}
	return strings.Contains(seen.String(), "21\n") // '!' ends what was sent
}

// Covers GW-04.
func TestHangUpIsRecognised(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  func(t *testing.T, p drivers.Port) error
	}{
		{name: "while reading", act: func(t *testing.T, p drivers.Port) error {
			mustTimeout(t, p, patience)
			_, err := p.Read(make([]byte, 8))
			return err
		}},
		{name: "while writing", act: func(_ *testing.T, p drivers.Port) error {
			for {
				if _, err := p.Write([]byte("Q1\r")); err != nil {
					return err
				}
			}
		}},
		{name: "while dropping input", act: func(_ *testing.T, p drivers.Port) error {
			for {
				if err := p.ResetInputBuffer(); err != nil {
					return err
				}
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			withPort(t, nil, func(p drivers.Port, master *os.File) {
				go func() { _ = master.Close() }()
				if err := tt.act(t, p); !errors.Is(err, ErrLost) || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("error = %v, want ErrLost", err)
				}
				if _, err := p.Write([]byte("Q1\r")); !errors.Is(err, ErrLost) {
					t.Errorf("later write: %v, want ErrLost", err)
				}
				if n, err := p.Read(make([]byte, 8)); n != 0 || !errors.Is(err, ErrLost) {
					t.Errorf("later read: %d, %v, want ErrLost", n, err)
				}
			})
		})
	}
}

// Covers GW-05.
func TestMovedAddressIsRecognisedWhileIdle(t *testing.T) {
	for _, tt := range []struct {
		name string
		move func(t *testing.T, path string)
	}{
		{name: "leads to another device", move: func(t *testing.T, path string) {
			_, other := openPty(t)
			relink(t, path, other)
		}},
		{name: "vanished", move: func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			master, device := openPty(t)
			path := linkPath(t)
			relink(t, path, device)
			serveOnce(t, newTestLink(t, path, nil), func(p drivers.Port) {
				mustWrite(t, p, "Q1\r")
				mustRead(t, master, "Q1\r")
				tt.move(t, path)
				if n, err := p.Write([]byte("RN\r")); n != 0 || !errors.Is(err, ErrLost) {
					t.Errorf("write = %d, %v, want ErrLost", n, err)
				}
				if n, err := p.Read(make([]byte, 8)); n != 0 || !errors.Is(err, ErrLost) {
					t.Errorf("read = %d, %v, want ErrLost", n, err)
				}
				// The old device got nothing: the next thing it hears is this mark.
				mark(t, device)
				mustRead(t, master, "mark")
			})
		})
	}
}

// mark writes to the device beside the port.
func mark(t *testing.T, device string) {
	t.Helper()
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, []byte("mark")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
}

// Covers GW-01.
func TestForbiddenWritesNothing(t *testing.T) {
	for _, tt := range []struct{ name, bytes string }{
		{name: "empty", bytes: ""},
		{name: "unknown", bytes: "PS1\r"},
		{name: "prefix", bytes: "Q1"},
		{name: "with a tail", bytes: "Q1\rP"},
		{name: "two allowed ones", bytes: "Q1\rRN\r"},
		{name: "form too short", bytes: "RE0000000\r"},
		{name: "form too long", bytes: "RE000000000\r"},
		{name: "form with a newline", bytes: "RE00000000\r\n"},
		{name: "form lower case", bytes: "RE0000000a\r"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			withPort(t, nil, func(p drivers.Port, master *os.File) {
				if n, err := p.Write([]byte(tt.bytes)); n != 0 || !errors.Is(err, drivers.ErrForbidden) {
					t.Errorf("write = %d, %v, want ErrForbidden", n, err)
				}
				mustWrite(t, p, "RE0000000A\r")
				mustRead(t, master, "RE0000000A\r")
			})
		})
	}
}

// FuzzWrite proves that the other end hears exactly what the allow-list holds.
// Covers GW-01.
func FuzzWrite(f *testing.F) {
	for _, seed := range []string{"", "Q1\r", "RN\r", "RE0000002A\r", "RE0000002A\r\n", "Q1\rQ1\r", "\x00Q1\r", "PW"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		withPort(t, nil, func(p drivers.Port, master *os.File) {
			_, allowed := testProfile().Allow.Match(b)
			n, err := p.Write(b)
			if allowed {
				if n != len(b) || err != nil {
					t.Fatalf("allowed write = %d, %v", n, err)
				}
				mustRead(t, master, string(b))
			} else if n != 0 || !errors.Is(err, drivers.ErrForbidden) {
				t.Fatalf("write of %q = %d, %v, want ErrForbidden", b, n, err)
			}
			mustWrite(t, p, "RN\r") // nothing may come before it
			mustRead(t, master, "RN\r")
		})
	})
}

// Covers GW-24.
func TestCaptureHoldsEveryByte(t *testing.T) {
	var text bytes.Buffer
	var path string
	change := func(o *Options) {
		path = o.Address
		o.Capture = &text
		o.Clock = func() infusion.Instant { return infusion.Instant{Boot: 1234567890 * time.Microsecond} }
	}
	withPort(t, change, func(p drivers.Port, master *os.File) {
		mustTimeout(t, p, patience)
		mustWrite(t, p, "Q1\r")
		mustRead(t, master, "Q1\r")
		mustWrite(t, master, "\x00")
		mustRead(t, p, "\x00")
		mustWrite(t, master, "ab")
		for !strings.Contains(text.String(), " x ") || !strings.HasSuffix(text.String(), "62\n") {
			if err := p.ResetInputBuffer(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.Write([]byte("forbidden")); err == nil {
			t.Error("a forbidden write passed")
		}
	})
	got := strings.Replace(text.String(), "x 61\n1234.567890 x 62\n", "x 6162\n", 1) // it may come in two pieces
	want := "# infusiond capture 1 driver=fake address=" + path + "\n" +
		"1234.567890 > 51310d\n1234.567890 < 00\n1234.567890 x 6162\n# closed\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

type fullDisk struct{ calls int }

func (d *fullDisk) Write([]byte) (int, error) { d.calls++; return 0, unix.ENOSPC }

// Covers GW-24.
func TestFailingCaptureStopsNothing(t *testing.T) {
	disk := &fullDisk{}
	withPort(t, func(o *Options) { o.Capture = disk }, func(p drivers.Port, master *os.File) {
		mustWrite(t, p, "Q1\r")
		mustRead(t, master, "Q1\r")
	})
	if disk.calls != 1 {
		t.Errorf("the failing writer was called %d times, want once", disk.calls)
	}
}

func TestCancelUnblocksARead(t *testing.T) {
	_, path := openPty(t)
	l := newTestLink(t, path, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var readErr error
	err := l.Run(ctx, func(_ context.Context, p drivers.Port) error {
		mustTimeout(t, p, time.Hour)
		go cancel()
		_, readErr = p.Read(make([]byte, 1))
		return readErr
	}, func(infusion.Link) {})
	if err != nil {
		t.Errorf("run = %v, want nil after cancel", err)
	}
	if !errors.Is(readErr, os.ErrClosed) || errors.Is(readErr, os.ErrDeadlineExceeded) {
		t.Errorf("read = %v, want os.ErrClosed", readErr)
	}
	if n := l.Pending(); n != 0 {
		t.Errorf("pending = %d after an orderly end", n)
	}
}

func TestPortIsDeadAfterServe(t *testing.T) {
	var kept drivers.Port
	withPort(t, nil, func(p drivers.Port, _ *os.File) { kept = p })
	if _, err := kept.Write([]byte("Q1\r")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("write = %v, want os.ErrClosed", err)
	}
	if _, err := kept.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read = %v, want os.ErrClosed", err)
	}
	if err := kept.ResetInputBuffer(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("reset = %v, want os.ErrClosed", err)
	}
}
