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
	// Poll asks every pump on the port once and hands over the report of each that
	// answered as soon as it is complete, so that a slow or dead pump holds up no
	// other one. On a port with several pumps a pump that does not answer has no
	// report, which is no error as long as another one answers. An error says that the cycle
	// ended there; reports handed over before it are still true. errors.Is tells ErrSilent, ErrIdentity, ErrMismatch,
	// ErrChecksum and the port's own errors apart. After ErrSilent the next
	// Poll begins anew with identity, state and log. report is called by Poll's own goroutine.
	Poll(ctx context.Context, report func(Report)) error
	// Close ends the conversation; it writes nothing that is not on the allow-list
	// and leaves the port open.
	Close() error
}

// OpenOptions is what a conversation starts from.
type OpenOptions struct {
	// Anchors holds the stored Report.Anchor by AnchorKey; nil or a missing entry
	// means that the log of that pump was never read.
	Anchors map[string]string
	// Addresses are the configured addresses on this port, as in Report.Address. Empty: the driver
	// asks whoever is there, or its protocol's first address.
	Addresses []string
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
	// SeveralPumps says that a port can carry more than one pump, told apart by Report.Address.
	SeveralPumps bool
	// Addressing says how Report.Address is written, for people; empty without SeveralPumps.
	Addressing string
	// Alarms is the one table of what a pump can announce. What is not in it arrives as AlarmUnknown.
	Alarms []AlarmRow
	// CannotTell lists what this protocol does not tell, for people.
	CannotTell []string
}

// AnchorKey is the key of a pump's anchor: its serial number or, where the protocol has none,
// an at sign and its address on the port.
func AnchorKey(serial, address string) string {
	if serial == "" {
		return "@" + address
	}
	return serial
}

// Collect polls once and returns the reports together.
func Collect(ctx context.Context, c Conn) ([]Report, error) {
	var all []Report
	err := c.Poll(ctx, func(r Report) { all = append(all, r) })
	return all, err
}

// Query is one entry of an allow-list: either one exact byte string or a form.
type Query struct {
	Name  string         // e.g. "RE"
	Exact []byte         // the complete byte string, or
	Form  *regexp.Regexp // a pattern anchored at both ends
	// Check, optional, says of bytes that match Form what a pattern cannot: that a length and a checksum agree.
	Check func(b []byte) bool
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
			if q.Form.Match(b) && (q.Check == nil || q.Check(b)) {
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
