//go:build linux

package poll

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"infusiond/drivers"
	"infusiond/gateway/clock"
	"infusiond/gateway/infusion"
	"infusiond/gateway/link"
)

// patience is how long a test in real time waits for what must happen.
const patience = 30 * time.Second

// tiny is a protocol of one query: "?\n" is answered by the serial number and "\n".
type tiny struct{}

func (tiny) Profile() drivers.Profile {
	return drivers.Profile{
		Name: "tiny", Identity: drivers.IdentityStrong, MinPollInterval: 10 * time.Millisecond,
		Line:  drivers.LineSettings{Baud: 115200, DataBits: 8, StopBits: 1},
		Allow: drivers.AllowList{{Name: "who", Exact: []byte("?\n"), ReplyBytes: 3}},
	}
}

func (tiny) Open(_ context.Context, p drivers.Port, _ drivers.OpenOptions) (drivers.Conn, error) {
	return &tinyConn{p}, nil
}

type tinyConn struct{ port drivers.Port }

func (c *tinyConn) Poll(_ context.Context, take func(drivers.Report)) error {
	if err := c.port.ResetInputBuffer(); err != nil {
		return err
	}
	if err := c.port.SetReadTimeout(300 * time.Millisecond); err != nil {
		return err
	}
	if _, err := c.port.Write([]byte("?\n")); err != nil {
		return err
	}
	var got []byte
	for one := make([]byte, 16); ; {
		n, err := c.port.Read(one)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errors.Join(drivers.ErrSilent, err)
		}
		if err != nil {
			return err
		}
		got = append(got, one[:n]...)
		if serial, ended := strings.CutSuffix(string(got), "\n"); ended {
			take(drivers.Report{Identity: drivers.Identity{Serial: serial}})
			return nil
		}
	}
}

func (c *tinyConn) Close() error { return nil }

// plugTiny makes path lead to a new pty on which a tiny pump answers, until master is closed.
func plugTiny(t *testing.T, path, serial string) (master *os.File) {
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
	if err := os.Symlink(slave.Name(), path+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	go func() {
		query := make([]byte, 2)
		for {
			if _, err := io.ReadFull(master, query); err != nil {
				return
			}
			if _, err := master.WriteString(serial + "\n"); err != nil {
				return
			}
		}
	}()
	return master
}

// realTime runs a loop on path with a real link and returns its cycles as they come.
func realTime(t *testing.T, path string, d drivers.Driver, change func(*Options)) (cycles <-chan Cycle, stop func()) {
	t.Helper()
	system, err := clock.New()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	const seed = 1
	port, err := link.New(link.Options{
		Address: path, Profile: d.Profile(), Clock: system.Now, Log: log, Rand: rand.New(rand.NewPCG(seed, seed)),
	})
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan Cycle)
	o := Options{
		Port: port, Driver: d, Pumps: []Pump{{Name: "milrinone", Serial: "A1"}}, Interval: 50 * time.Millisecond,
		Clock: system.Now, Log: log,
		Emit: func(ctx context.Context, c Cycle) error {
			select {
			case out <- c:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- New(o).Run(ctx) }()
	return out, func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run = %v", err)
		}
		if n := port.Pending(); n != 0 {
			t.Errorf("%d calls to the device still hang", n)
		}
	}
}

// await takes cycles until one is as wanted.
func await(t *testing.T, cycles <-chan Cycle, what string, wanted func(Cycle) bool) Cycle {
	t.Helper()
	limit := time.After(patience)
	var last Cycle
	for {
		select {
		case last = <-cycles:
			if (last.Report == nil) == (last.Gap == nil) {
				t.Fatalf("neither or both of report and gap: %+v", last)
			}
			if wanted(last) {
				return last
			}
		case <-limit:
			t.Fatalf("no cycle with %s; the last was %+v, gap %+v", what, last, last.Gap)
		}
	}
}

func online(c Cycle) bool { return c.Report != nil && c.Link.State == infusion.LinkOnline }

func gap(reason infusion.GapReason) func(Cycle) bool {
	return func(c Cycle) bool { return c.Gap != nil && c.Gap.Reason == reason }
}

// Covers GW-07.
func TestRealPortThroughUnplugAndSwap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usb-pump")
	cycles, stop := realTime(t, path, tiny{}, nil)
	defer stop()
	absent := await(t, cycles, "an absent port", gap(infusion.GapPortAbsent))
	if !strings.Contains(absent.Gap.Detail, path) {
		t.Errorf("detail %q does not name the address", absent.Gap.Detail)
	}
	master := plugTiny(t, path, "A1")
	first := await(t, cycles, "a report", online)
	if second := await(t, cycles, "a report", online); second.Link.Since != first.Link.Since || second.At.Since(first.At) <= 0 {
		t.Errorf("cycles %+v and %+v", first, second)
	}

	if err := master.Close(); err != nil {
		t.Fatal(err)
	}
	lost := await(t, cycles, "the port lost", gap(infusion.GapPortLost))
	if lost.Link.State != infusion.LinkAbsent {
		t.Errorf("link = %+v, want absent", lost.Link)
	}
	other := plugTiny(t, path, "B2")
	wrong := await(t, cycles, "the wrong pump", gap(infusion.GapWrongIdentity))
	if !strings.Contains(wrong.Gap.Detail, "B2") || !strings.Contains(wrong.Gap.Detail, "A1") {
		t.Errorf("detail %q does not name both serial numbers", wrong.Gap.Detail)
	}

	// While the wrong pump is still connected the cable's name moves to the right one.
	plugTiny(t, path, "A1")
	await(t, cycles, "a report again", online)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, cycles, "a report still", online)
}

// Covers GW-13.
func TestRealPortFallsSilent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usb-pump")
	master, slave, err := pty.Open() // nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	if err := os.Symlink(slave.Name(), path); err != nil {
		t.Fatal(err)
	}
	cycles, stop := realTime(t, path, tiny{}, nil)
	defer stop()
	first := await(t, cycles, "no reply", gap(infusion.GapNoReply))
	second := await(t, cycles, "no reply", gap(infusion.GapNoReply))
	if first.Link.State != infusion.LinkIdentifying || second.Link.State != infusion.LinkSilent {
		t.Errorf("links = %+v, %+v, want identifying, then silent", first.Link, second.Link)
	}
}
