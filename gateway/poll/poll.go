package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup" // the Go project's own; joins goroutines and keeps the first error

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// Causes handed to Options.Trouble, told apart by errors.Is.
var (
	// ErrEmit says that a cycle could not be handed over and is read again where possible.
	ErrEmit = errors.New("cycle not taken over")
	// ErrAnchor says that the stored anchor of a pump's log could not be read. The last
	// one that this process knows is used instead; without it the log is read from its start.
	ErrAnchor = errors.New("anchor not readable")
	// ErrUnknownAddress says that a pump answers that is not configured on this port.
	ErrUnknownAddress = errors.New("unknown address")
	// ErrRepeated says that the driver handed over a second report of one pump within a
	// cycle. The first one stands.
	ErrRepeated = errors.New("second report of one pump in a cycle")
	// ErrClose says that a driver failed to end its conversation.
	ErrClose = errors.New("conversation not closed")
)

// Cycle is one polling cycle of one pump: a report or the reason why there is none.
type Cycle struct {
	Pump string
	// At is just before the cycle's first query; no value of the report is older.
	At     infusion.Instant
	Took   time.Duration
	Report *drivers.Report
	Gap    *infusion.Gap
	Link   infusion.Link
}

// Pump is one configured pump on the port.
type Pump struct {
	Name    string // the configured name
	Address string // on its port, as in drivers.Report; may be empty when it is alone there
	// Serial is the configured serial number. It is required, except where the protocol
	// has none (drivers.IdentityWeak).
	Serial string
}

// Line opens and reopens a port. *link.Link is the real one.
type Line interface {
	// Run calls serve with each port that it opens, and state on each change of the
	// link, until ctx ends. It closes a port only after serve has returned.
	Run(ctx context.Context, serve func(ctx context.Context, p drivers.Port) error, state func(infusion.Link)) error
}

// Options are the settings of a Loop. All fields without "optional" are required.
type Options struct {
	Port   Line
	Driver drivers.Driver
	Pumps  []Pump
	// Interval is the time from one cycle to the next, not below the driver's MinPollInterval.
	Interval time.Duration
	// RefuseSerials, optional, matches serial numbers that are never attributed: the
	// simulators' on a real gateway.
	RefuseSerials *regexp.Regexp
	Clock         infusion.Clock
	Log           *slog.Logger
	// Emit takes a cycle over and may block. An error means that it did not. The cycles of
	// several pumps are emitted at the same time, those of one pump one after the other.
	Emit func(ctx context.Context, c Cycle) error
	// Anchor, optional, returns the stored log anchor of a pump, empty for none.
	Anchor func(ctx context.Context, p Pump) (string, error)
	// Watch, optional, is told after each cycle what it showed of the port. It must not block.
	Watch func(t Turn)
	// Trouble, optional, is told what no Cycle can carry; see the errors of this
	// package. It must not block.
	Trouble func(err error)
}

// Loop polls the pumps of one port. Make it with New.
type Loop struct {
	o         Options
	strangers atomic.Uint64
	repeats   atomic.Uint64
}

// New returns a loop that Run starts.
func New(o Options) *Loop { return &Loop{o: o} }

// Strangers returns how many reports came from addresses that are not configured.
func (l *Loop) Strangers() uint64 { return l.strangers.Load() }

// Repeats returns how many reports were a second one of the same pump in one cycle.
func (l *Loop) Repeats() uint64 { return l.repeats.Load() }

// Run polls until ctx ends and then returns nil. An error means that the options are
// wrong or that the line ended by itself.
func (l *Loop) Run(ctx context.Context) error {
	if err := l.o.check(); err != nil {
		return err
	}
	r := newRun(l)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := l.o.Port.Run(ctx, r.lend, r.mail.put)
		if err == nil && ctx.Err() == nil {
			err = errors.New("ended by itself")
		}
		if err != nil {
			return fmt.Errorf("poll line: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		r.loop(ctx)
		return nil
	})
	return group.Wait()
}

func (o *Options) check() error {
	profile := o.Driver.Profile()
	if o.Interval <= 0 || o.Interval < profile.MinPollInterval {
		return fmt.Errorf("poll interval %v: the driver %s needs at least %v", o.Interval, profile.Name, profile.MinPollInterval)
	}
	if len(o.Pumps) == 0 {
		return errors.New("poll: no pump on this port")
	}
	if len(o.Pumps) > 1 && !profile.SeveralPumps {
		return fmt.Errorf("poll: %d pumps on this port, the driver %s knows one", len(o.Pumps), profile.Name)
	}
	seen := make(map[string]string, len(o.Pumps))
	for _, p := range o.Pumps {
		if p.Serial == "" && profile.Identity == drivers.IdentityStrong {
			return fmt.Errorf("poll %s: no serial number configured", p.Name)
		}
		if p.Address == "" && len(o.Pumps) > 1 {
			return fmt.Errorf("poll %s: no address, and %d pumps on this port", p.Name, len(o.Pumps))
		}
		if other, taken := seen[p.Address]; taken {
			return fmt.Errorf("poll %s: address %q belongs to %s", p.Name, p.Address, other)
		}
		seen[p.Address] = p.Name
	}
	return nil
}
