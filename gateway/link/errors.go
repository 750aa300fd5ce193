//go:build linux

package link

import (
	"context"
	"errors"
	"net"
	"os"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// OpenError says why an address could not be opened and what a person can do.
type OpenError struct {
	Address string
	Mend    string // one sentence, may be empty
	Err     error
}

func (e *OpenError) Error() string {
	text := "open " + e.Address + ": " + e.Err.Error()
	if e.Mend != "" {
		text += ": " + e.Mend
	}
	return text
}

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Err }

func openError(address string, err error) error {
	return &OpenError{Address: address, Mend: mend(err), Err: err}
}

// mend finds the advice for a failure to open.
func mend(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "check the host name in the configuration and the name server"
	case errors.Is(err, unix.ECONNREFUSED):
		return "start the serial server (ser2net) there, or check the port number"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH):
		return "check that the serial server is switched on and reachable from here"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), code(err, serial.PermissionDenied):
		return "add the user that runs infusiond to the group of the device (usually dialout) and start it again"
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EWOULDBLOCK), code(err, serial.PortBusy):
		return "another program uses the device: stop it, a modem manager for example"
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return "plug in the pump's cable, or compare the address with the entries of /dev/serial/by-id"
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EISDIR), errors.Is(err, unix.ELOOP):
		return "this is not a serial device: check the address in the configuration"
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return "this process holds too many open files: restart it and report this"
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV), errors.Is(err, unix.EIO):
		return "the adapter does not answer: unplug it and plug it in again"
	case code(err, serial.InvalidSerialPort):
		return "the device refuses the driver's line settings: use another adapter"
	}
	return ""
}

func code(err error, c serial.PortErrorCode) bool {
	var p *serial.PortError
	return errors.As(err, &p) && p.Code() == c
}
