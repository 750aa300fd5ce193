package poll

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// lostError says that the port failed under the driver, whatever the driver made of it.
type lostError struct{ err error }

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// watched is the port as the driver gets it. It remembers that the port failed, so that
// the loop knows even when a driver wraps the error away.
type watched struct {
	drivers.Port
	lost error
	read uint64 // bytes so far
}

// counter is a port that counts what came in, also what was dropped unread.
type counter interface{ Received() uint64 }

// received is how many bytes came in so far, as far as the port tells.
func (w *watched) received() uint64 {
	if c, can := w.Port.(counter); can {
		return c.Received()
	}
	return w.read
}

// Read passes on, counts, and notes every error but silence.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Port.Read(b)
	w.read += uint64(max(n, 0))
	w.note(err)
	return n, err
}

// Write passes on and notes every error but a refusal, which leaves the port whole.
func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Port.Write(b)
	if !errors.Is(err, drivers.ErrForbidden) {
		w.note(err)
	}
	return n, err
}

// ResetInputBuffer passes on and notes an error.
func (w *watched) ResetInputBuffer() error {
	err := w.Port.ResetInputBuffer()
	w.note(err)
	return err
}

func (w *watched) note(err error) {
	if err != nil && w.lost == nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.lost = err
	}
}

// noReply is why p has no report in a cycle that ended with err.
func noReply(p *pump, err error) *infusion.Gap {
	if err == nil {
		return &infusion.Gap{Reason: infusion.GapNoReply, Detail: fmt.Sprintf("the pump at address %q did not answer", p.Address)}
	}
	return gapOf(err)
}

// identify compares a serial number with the configured one; nil when it may be attributed.
func (r *run) identify(p *pump, serial string) *infusion.Gap {
	detail := ""
	switch {
	case serial != "" && r.o.RefuseSerials != nil && r.o.RefuseSerials.MatchString(serial):
		detail = fmt.Sprintf("serial number %s is a simulator's, refused on a real gateway", serial)
	case serial == p.Serial:
		return nil
	case serial == "":
		detail = fmt.Sprintf("the pump does not tell its serial number, configured is %s", p.Serial)
	default:
		detail = fmt.Sprintf("serial number %s answers, configured is %s", serial, p.Serial)
	}
	return &infusion.Gap{Reason: infusion.GapWrongIdentity, Detail: detail}
}

// gapOf translates the failure of a cycle. What the port did comes first, then what
// the driver did wrong, then what the pump sent.
func gapOf(err error) *infusion.Gap {
	reason := infusion.GapInternal
	var lost *lostError
	switch {
	case errors.As(err, &lost):
		reason = infusion.GapPortLost
	case errors.Is(err, drivers.ErrForbidden), errors.Is(err, context.Canceled):
	case errors.Is(err, drivers.ErrIdentity):
		reason = infusion.GapWrongIdentity
	case errors.Is(err, drivers.ErrChecksum), errors.Is(err, drivers.ErrTruncated),
		errors.Is(err, drivers.ErrMalformed), errors.Is(err, drivers.ErrUnsupported), errors.Is(err, drivers.ErrMismatch):
		reason = infusion.GapCorruptReply
	case errors.Is(err, drivers.ErrSilent), errors.Is(err, os.ErrDeadlineExceeded):
		reason = infusion.GapNoReply
	}
	return &infusion.Gap{Reason: reason, Detail: oneLine(err.Error())}
}

// absentGap is the gap of a cycle without a port.
func absentGap(line infusion.Link) *infusion.Gap {
	detail := line.Reason
	if detail == "" {
		detail = "the port is being opened"
	}
	return &infusion.Gap{Reason: infusion.GapPortAbsent, Detail: oneLine(detail)}
}

func oneLine(text string) string { return strings.ReplaceAll(text, "\n", "; ") }
