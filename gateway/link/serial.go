//go:build linux

package link

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"infusiond/drivers"
)

// serialLine is a serial device. go.bug.st/serial sets it; it is read and written through fd, a second
// descriptor of the same device that never blocks and holds the lock.
type serialLine struct {
	port    serial.Port
	fd      int
	file    *os.File // fd for the runtime's poller; it closes fd
	address string
	device  unix.Stat_t
}

// openSerial opens a device for exclusive use and sets its line once.
func openSerial(address string, s drivers.LineSettings) (line, error) {
	fd, err := unix.Open(address, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, openError(address, err)
	}
	ln := &serialLine{fd: fd, address: address}
	if err := ln.claim(); err != nil {
		return nil, errors.Join(openError(address, err), unix.Close(fd))
	}
	if ln.port, err = openPort(address, mode(s), ln.isPty()); err != nil {
		return nil, errors.Join(openError(address, err), unix.Close(fd))
	}
	ln.file = os.NewFile(uintptr(fd), address)
	if err := errors.Join(ln.check(), ln.port.ResetInputBuffer(), ln.file.SetReadDeadline(time.Time{})); err != nil {
		return nil, errors.Join(openError(address, err), ln.close())
	}
	return ln, nil
}

// claim makes sure that the device is a serial line that nobody else uses, takes it, and
// keeps the kernel from dropping DTR and RTS when it is closed.
func (l *serialLine) claim() error {
	if err := unix.Fstat(l.fd, &l.device); err != nil {
		return err
	}
	termios, err := unix.IoctlGetTermios(l.fd, unix.TCGETS)
	if err != nil {
		return err
	}
	if err := unix.Flock(l.fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	if taken, err := unix.IoctlGetInt(l.fd, unix.TIOCGEXCL); err == nil && taken != 0 {
		return unix.EBUSY
	}
	termios.Cflag &^= unix.HUPCL
	return unix.IoctlSetTermios(l.fd, unix.TCSETS, termios)
}

// isPty says whether the device is a pseudo-terminal (major numbers 136 to 143), which
// has no DTR and RTS.
func (l *serialLine) isPty() bool {
	major := unix.Major(l.device.Rdev)
	return major >= 136 && major <= 143
}

// openPort opens the device with DTR and RTS as wanted. A device that knows no modem
// lines at all is opened without.
func openPort(address string, m *serial.Mode, noLines bool) (serial.Port, error) {
	if noLines {
		m.InitialStatusBits = nil
		return serial.Open(address, m)
	}
	p, err := serial.Open(address, m)
	var portErr *serial.PortError
	if errors.As(err, &portErr) && portErr.Code() == serial.InvalidSerialPort {
		m.InitialStatusBits = nil
		return serial.Open(address, m)
	}
	return p, err
}

func mode(s drivers.LineSettings) *serial.Mode {
	m := &serial.Mode{
		BaudRate: s.Baud, DataBits: s.DataBits,
		InitialStatusBits: &serial.ModemOutputBits{DTR: s.DTR, RTS: s.RTS},
	}
	if s.StopBits == 2 {
		m.StopBits = serial.TwoStopBits
	}
	switch s.Parity {
	case drivers.ParityNone:
		m.Parity = serial.NoParity
	case drivers.ParityEven:
		m.Parity = serial.EvenParity
	case drivers.ParityOdd:
		m.Parity = serial.OddParity
	}
	return m
}

// read waits in the runtime's poller, which costs neither a thread nor a select(2) for each wait.
func (l *serialLine) read(b []byte, d time.Duration) (int, error) {
	if d <= 0 {
		n, err := unix.Read(l.fd, b)
		switch {
		case n > 0:
			return n, nil
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			return 0, os.ErrDeadlineExceeded
		case err == nil:
			return 0, errHangUp
		}
		return 0, err
	}
	if err := l.file.SetReadDeadline(time.Now().Add(d)); err != nil {
		return 0, err
	}
	n, err := l.file.Read(b)
	if errors.Is(err, io.EOF) {
		err = errHangUp
	}
	return n, err
}

// errHangUp is a device at its end: unplugged, or a pty without its master.
var errHangUp = errors.New("hang-up")

func (l *serialLine) write(b []byte, d time.Duration) (int, error) {
	for end := time.Now().Add(d); ; {
		n, err := unix.Write(l.fd, b)
		switch {
		case n > 0:
			return n, nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil && !errors.Is(err, unix.EAGAIN):
			return 0, err
		}
		left := time.Until(end)
		if left <= 0 {
			return 0, os.ErrDeadlineExceeded
		}
		ready := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLOUT}}
		if _, err := unix.Poll(ready, int(left.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
	}
}

func (l *serialLine) check() error {
	var now unix.Stat_t
	if err := unix.Stat(l.address, &now); err != nil {
		return fmt.Errorf("the device is gone: %w", err)
	}
	if now.Rdev != l.device.Rdev || now.Ino != l.device.Ino || now.Dev != l.device.Dev {
		return errors.New("the address leads to another device now")
	}
	return nil
}

func (l *serialLine) close() error {
	return errors.Join(unix.Flock(l.fd, unix.LOCK_UN), l.port.Close(), l.file.Close())
}

// lookAt describes what the path leads to, so that a change can be seen.
func lookAt(path string) string {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		return err.Error()
	}
	return fmt.Sprint(s.Dev, s.Ino, s.Rdev, s.Mode, s.Uid, s.Gid)
}
