//go:build linux

package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// absentReason runs l until it says absent and returns why.
func absentReason(t *testing.T, l *Link) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var states []infusion.LinkState
	reason := ""
	err := l.Run(ctx, func(context.Context, drivers.Port) error {
		t.Error("the port was opened")
		cancel()
		return nil
	}, func(s infusion.Link) {
		states = append(states, s.State)
		if s.State == infusion.LinkAbsent {
			reason = s.Reason
			cancel()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(states) != 2 || states[0] != infusion.LinkOpening || states[1] != infusion.LinkAbsent {
		t.Errorf("states = %v, want opening, absent", states)
	}
	return reason
}

func TestOpenSaysCauseAndMend(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusedAt := refused.Addr().String()
	if err := refused.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, address string
		want          []string
	}{
		{name: "missing", address: filepath.Join(dir, "usb-pump"), want: []string{"no such file", "plug in"}},
		{name: "plain file", address: file, want: []string{"not a serial device"}},
		{name: "directory", address: dir, want: []string{"not a serial device"}},
		{name: "another kind of device", address: "/dev/null", want: []string{"not a serial device"}},
		{name: "connection refused", address: "tcp://" + refusedAt, want: []string{"refused", "ser2net"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := absentReason(t, newTestLink(t, tt.address, nil))
			for _, want := range append(tt.want, tt.address) {
				if !strings.Contains(got, want) {
					t.Errorf("reason %q does not say %q", got, want)
				}
			}
		})
	}
}

func TestMend(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{name: "permission", err: fmt.Errorf("open: %w", unix.EACCES), want: "dialout"},
		{name: "busy", err: unix.EBUSY, want: "another program"},
		{name: "locked", err: unix.EWOULDBLOCK, want: "another program"},
		{name: "dead adapter", err: unix.EIO, want: "plug it in again"},
		{name: "dead device node", err: unix.ENXIO, want: "plug it in again"},
		{name: "unknown host", err: &net.DNSError{Err: "no such host", Name: "pump"}, want: "host name"},
		{name: "unreachable", err: &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}, want: "reachable"},
		{name: "too many files", err: unix.EMFILE, want: "open files"},
		{name: "anything else", err: errors.New("surprise"), want: ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := mend(tt.err)
			if !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("mend = %q, want %q in it", got, tt.want)
			}
			err := openError("/dev/x", tt.err)
			if !errors.Is(err, tt.err) || !strings.HasPrefix(err.Error(), "open /dev/x: "+tt.err.Error()) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestNewRefusesBadAddresses(t *testing.T) {
	for _, address := range []string{"", "ttyUSB0", "COM3", "tcp://", "tcp://host", "tcp://:7000", "tcp://host:"} {
		if _, err := New(Options{Address: address}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", address)) {
			t.Errorf("address %q: error = %v, want one that names it", address, err)
		}
	}
}

// Covers GW-05.
func TestDeviceIsUsedAlone(t *testing.T) {
	_, path := openPty(t)
	serveOnce(t, newTestLink(t, path, nil), func(drivers.Port) {
		got := absentReason(t, newTestLink(t, path, nil))
		if !strings.Contains(got, "another program") {
			t.Errorf("reason = %q, want that another program uses it", got)
		}
	})
	// Free again afterwards.
	serveOnce(t, newTestLink(t, path, nil), func(drivers.Port) {})
}

func TestExclusiveModeOfOthersIsRespected(t *testing.T) {
	_, path := openPty(t)
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		t.Fatal(err)
	}
	if got := absentReason(t, newTestLink(t, path, nil)); !strings.Contains(got, "another program") {
		t.Errorf("reason = %q, want that another program uses it", got)
	}
}

// Covers GW-06.
func TestLineIsSetOnce(t *testing.T) {
	for _, tt := range []struct {
		name     string
		line     drivers.LineSettings
		set, not uint32
	}{
		{name: "9600 8N1", line: drivers.LineSettings{Baud: 9600, DataBits: 8, StopBits: 1}, set: unix.CS8 | unix.B9600, not: unix.PARENB | unix.CSTOPB},
		{name: "19200 8N2", line: drivers.LineSettings{Baud: 19200, DataBits: 8, StopBits: 2}, set: unix.CS8 | unix.CSTOPB | unix.B19200, not: unix.PARENB},
		{name: "38400 8E1", line: drivers.LineSettings{Baud: 38400, DataBits: 8, StopBits: 1, Parity: drivers.ParityEven}, set: unix.PARENB | unix.B38400, not: unix.PARODD | unix.CSTOPB},
		{name: "38400 8O1", line: drivers.LineSettings{Baud: 38400, DataBits: 8, StopBits: 1, Parity: drivers.ParityOdd}, set: unix.PARENB | unix.PARODD, not: unix.CSTOPB},
	} {
		t.Run(tt.name, func(t *testing.T) {
			withPort(t, func(o *Options) { o.Profile.Line = tt.line }, func(p drivers.Port, _ *os.File) {
				got, err := unix.IoctlGetTermios(p.(*port).line.(*serialLine).fd, unix.TCGETS)
				if err != nil {
					t.Fatal(err)
				}
				// A pty keeps CS8 and no parity whatever is asked; the rest is told back.
				not := (tt.not | unix.HUPCL | unix.CRTSCTS) &^ (unix.PARENB | unix.CSIZE)
				if set := tt.set &^ unix.PARENB; got.Cflag&set != set || got.Cflag&not != 0 {
					t.Errorf("cflag = %#o, want %#o set and %#o not", got.Cflag, set, not)
				}
				if got.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) != 0 || got.Oflag&unix.OPOST != 0 || got.Iflag&(unix.IXON|unix.ICRNL) != 0 {
					t.Errorf("not raw: %+v", got)
				}
			})
			m := mode(tt.line)
			if m.BaudRate != tt.line.Baud || m.DataBits != 8 || m.InitialStatusBits == nil {
				t.Errorf("mode = %+v", m)
			}
		})
	}
	if m := mode(drivers.LineSettings{DTR: true}); !m.InitialStatusBits.DTR || m.InitialStatusBits.RTS {
		t.Errorf("lines at rest = %+v, want DTR only", m.InitialStatusBits)
	}
}
