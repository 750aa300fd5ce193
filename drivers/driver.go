package drivers

import (
	"context"
	"io"
	"regexp"
	"time"
)

// Driver is one pump protocol with its settings.
type Driver interface {
	Profile() Profile
	// Open starts a conversation on p and reads who answers. It returns ErrSilent when
	// nobody does. The caller owns p before and after; the Conn uses it in between.
	Open(ctx context.Context, p Port, o OpenOptions) (Conn, error)
}

// Conn is one conversation on one port. It belongs to one goroutine.
type Conn interface {
	// Poll asks every pump on the port once and returns a report for each that
	// answered. An error says that the cycle failed as a whole; reports that come with
	// it are still true. errors.Is tells ErrSilent, ErrIdentity, ErrMismatch,
	// ErrChecksum and the port's own errors apart. After ErrSilent the next
	// Poll begins anew with identity, state and log.
	Poll(ctx context.Context) ([]Report, error)
	// Close ends the conversation; it writes nothing that is not on the allow-list
	// and leaves the port open.
	Close() error
}

// OpenOptions is what a conversation starts from.
type OpenOptions struct {
	// Anchors holds the stored Report.Anchor by serial number; nil or a missing entry
	// means that the log of that pump was never read.
	Anchors map[string]string
	// Now is the monotonic clock by which a driver decides which slow values are due.
	// It is never used to stamp a value.
	Now func() time.Duration
}

// Port is a line to one or more pumps as a driver sees it. gateway/link makes the real
// ones, drivertest and simulator the others.
type Port interface {
	// Read waits up to the read timeout. Silence is os.ErrDeadlineExceeded, a device
	// that is gone another error; (0, nil) never happens.
	// Write sends exactly one entry of the allow-list, completely, or fails; anything else
	// is ErrForbidden and nothing is sent. It keeps Profile.CommandGap since the last byte.
	io.ReadWriter
	SetReadTimeout(d time.Duration) error
	// ResetInputBuffer drops what was received and not read.
	ResetInputBuffer() error
}

// IdentityStrength says how surely a protocol tells one pump from another.
type IdentityStrength uint8

// Weak identities (no serial number) are for the bench and are refused on a real gateway.
const (
	IdentityWeak IdentityStrength = iota
	IdentityStrong
)

// Parity of a serial line.
type Parity uint8

// The parities that pumps use.
const (
	ParityNone Parity = iota
	ParityEven
	ParityOdd
)

// LineSettings is how the serial line is set at open, and never changed afterwards.
type LineSettings struct {
	Baud     int
	DataBits int
	StopBits int
	Parity   Parity
	// DTR and RTS are the states of the two outputs at rest.
	DTR, RTS bool
}

// Profile declares what a driver is and needs.
type Profile struct {
	Name     string // the name in the configuration, e.g. "miva"
	Models   string // for people: "Zyno MIVA, Nimbus II, CAPS"
	Line     LineSettings
	Identity IdentityStrength
	// SimulatorSerials matches the serial numbers that simulators use; they are
	// refused on a real gateway.
	SimulatorSerials *regexp.Regexp
	// CommandGap is the least time between the last byte received or sent and the next query.
	CommandGap time.Duration
	// MinPollInterval is the shortest allowed poll interval.
	MinPollInterval time.Duration
	Allow           AllowList
	// CannotTell lists what this protocol does not tell, for people.
	CannotTell []string
}

// Query is one entry of an allow-list: either one exact byte string or a form.
type Query struct {
	Name  string         // e.g. "RE"
	Exact []byte         // the complete byte string, or
	Form  *regexp.Regexp // a pattern anchored at both ends
	// ReplyBytes is the usual length of the reply on the wire; the port waits that
	// long before it reads, which saves a wake-up per byte. Zero: not known.
	ReplyBytes int
	// SideEffect says what the query changes in the pump; empty for none.
	SideEffect string
}

// AllowList is the complete set of byte strings that a driver may write.
type AllowList []Query

// Match returns the entry that allows exactly b.
func (l AllowList) Match(b []byte) (Query, bool) {
	for _, q := range l {
		if q.Form != nil {
			if q.Form.Match(b) {
				return q, true
			}
			continue
		}
		if len(q.Exact) > 0 && string(q.Exact) == string(b) {
			return q, true
		}
	}
	return Query{}, false
}
