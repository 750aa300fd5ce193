//go:build linux

package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
	"infusiond/gateway/link"
)

// ErrOnAPatient says that nobody has said that no patient is connected. Nothing was sent.
var ErrOnAPatient = errors.New("not told that no patient is connected")

// attemptLimit bounds one protocol at one speed: a first poll may read back a pump's log.
const attemptLimit = 90 * time.Second

// Protocol is one protocol to try.
type Protocol struct {
	Name     string
	Settings map[string]string
	Make     func(settings map[string]string) (drivers.Driver, error)
}

// Options are the settings of a probe. All fields without "optional" are required.
type Options struct {
	Address       string // a device path or tcp://host:port
	Protocols     []Protocol
	NotOnAPatient bool     // somebody said so
	Addresses     []string // optional: on a line with several pumps, where to ask
	Clock         infusion.Clock
}

// Outcome is what one protocol met.
type Outcome string

// The outcomes.
const (
	Found         Outcome = "pumps"          // at least one pump answered
	Silence       Outcome = "silence"        // nothing came
	NotUnderstood Outcome = "not_understood" // bytes came, and no answer of this protocol
	PortFailed    Outcome = "port_failed"    // the port could not be opened or went away
	Failed        Outcome = "failed"         // settings or driver; see Error
)

// Attempt is one protocol at one speed.
type Attempt struct {
	Protocol string            `json:"protocol"`
	Settings map[string]string `json:"settings,omitzero"`
	Line     string            `json:"line,omitzero"` // e.g. "9600 8N1"
	Outcome  Outcome           `json:"outcome"`
	Pumps    []Pump            `json:"pumps,omitzero"`
	Bytes    int               `json:"bytes"`                    // received
	First    string            `json:"first_bytes_hex,omitzero"` // the first of them
	Error    string            `json:"error,omitzero"`
	Advice   string            `json:"advice,omitzero"`
}

// Pump is one pump that answered.
type Pump struct {
	Address   string `json:"address,omitzero"`
	Model     string `json:"model,omitzero"`
	Serial    string `json:"serial,omitzero"`
	Firmware  string `json:"firmware,omitzero"`
	Simulator bool   `json:"simulator"`           // its number is a simulator's, or the protocol is for the bench only
	Entry     string `json:"configuration_entry"` // an element of pumps
}

// Run tries the protocols in order. It goes on to the next one whatever the last one met, but stops trying other
// speeds of a protocol once a pump answered, and stops altogether when the port cannot be opened.
func Run(ctx context.Context, o Options) ([]Attempt, error) {
	if !o.NotOnAPatient {
		return nil, ErrOnAPatient
	}
	var all []Attempt
	for _, p := range o.Protocols {
		for _, settings := range candidates(p, o.Address) {
			a := o.attempt(ctx, p, settings)
			if ctx.Err() != nil {
				return all, ctx.Err()
			}
			all = append(all, a)
			if a.Outcome == PortFailed {
				return all, nil
			}
			if a.Outcome == Found || a.Outcome == Failed {
				break
			}
		}
	}
	return all, nil
}

// speeds are tried for protocols with a setting "baud" that was not given, the most usual first.
var speeds = []int{9600, 19200, 38400, 57600, 115200}

// candidates are the settings to try. A serial device server keeps its own speed, so there only the given ones are.
func candidates(p Protocol, address string) []map[string]string {
	out := []map[string]string{p.Settings}
	first, err := p.Make(p.Settings)
	if err != nil || p.Settings["baud"] != "" || len(address) > 6 && address[:6] == "tcp://" {
		return out
	}
	tried := []int{first.Profile().Line.Baud}
	for _, baud := range speeds {
		settings := maps.Clone(p.Settings)
		if settings == nil {
			settings = map[string]string{}
		}
		settings["baud"] = strconv.Itoa(baud)
		d, err := p.Make(settings)
		if err != nil || slices.Contains(tried, d.Profile().Line.Baud) {
			continue
		}
		tried = append(tried, baud)
		out = append(out, settings)
	}
	return out
}

// attempt opens the port, asks who is there and closes it again.
func (o Options) attempt(ctx context.Context, p Protocol, settings map[string]string) Attempt {
	a := Attempt{Protocol: p.Name, Settings: settings, Outcome: Failed}
	driver, err := p.Make(settings)
	if err != nil {
		a.Error, a.Advice = err.Error(), "mend --settings"
		return a
	}
	profile := driver.Profile()
	a.Line = lineText(profile.Line)
	line, err := link.New(link.Options{
		Address: o.Address, Profile: profile, Clock: o.Clock, Log: slog.New(slog.DiscardHandler), Rand: rand.New(rand.NewPCG(1, 1)),
	})
	if err != nil {
		a.Error, a.Advice = err.Error(), "name a device path or tcp://host:port"
		return a
	}
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	served := false
	serve := func(ctx context.Context, port drivers.Port) error {
		defer cancel()
		served = true
		o.ask(ctx, &a, driver, port)
		return nil
	}
	state := func(l infusion.Link) {
		if l.State == infusion.LinkAbsent && !served {
			a.Outcome, a.Error = PortFailed, l.Reason
			cancel() // a probe does not wait for a port to come
		}
	}
	if err := line.Run(ctx, serve, state); err != nil {
		a.Outcome, a.Error = PortFailed, err.Error()
	}
	return a
}

// ask polls until every pump that answers did so, at most twice: a pump that speaks by itself may be missed once.
func (o Options) ask(ctx context.Context, a *Attempt, driver drivers.Driver, port drivers.Port) {
	tap := &tap{Port: port}
	err := o.converse(ctx, a, driver, tap)
	a.Bytes, a.First = tap.received, fmt.Sprintf("%x", tap.first)
	if c, can := port.(interface{ Received() uint64 }); can {
		a.Bytes = int(c.Received()) // what was dropped unread, too
	}
	if err != nil {
		a.Error = err.Error()
	}
	switch {
	case len(a.Pumps) > 0:
		a.Outcome = Found
		a.Advice = "compare the serial number with the one that is printed on the pump before you use the entry"
	case errors.Is(err, link.ErrLost):
		a.Outcome, a.Advice = PortFailed, "check the cable and its plugs"
	case errors.Is(err, drivers.ErrForbidden):
		a.Advice = "report this: the driver wanted to send what it may not"
	case a.Bytes > 0:
		a.Outcome = NotUnderstood
		a.Advice = "something sends here: try the protocols of other pumps, another speed or other settings; infusiond decode explains the bytes"
	case err == nil || errors.Is(err, drivers.ErrSilent) || errors.Is(err, os.ErrDeadlineExceeded):
		a.Outcome = Silence
		a.Advice = "check that the pump is switched on, its interface enabled and the cable the right one; then try other protocols"
	}
}

func (o Options) converse(ctx context.Context, a *Attempt, driver drivers.Driver, port drivers.Port) error {
	conn, err := driver.Open(ctx, port, drivers.OpenOptions{Addresses: o.Addresses, Now: func() time.Duration { return o.Clock().Boot }})
	if err != nil {
		return err
	}
	for range 2 {
		if err = conn.Poll(ctx, func(r drivers.Report) { a.add(o, driver.Profile(), r) }); len(a.Pumps) > 0 || err == nil {
			break
		}
	}
	return errors.Join(err, conn.Close())
}

// tap counts what comes in and keeps its beginning.
type tap struct {
	drivers.Port
	received int
	first    []byte
}

func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Port.Read(b)
	t.received += n
	t.first = append(t.first, b[:min(n, 64-len(t.first))]...)
	return n, err
}

func lineText(s drivers.LineSettings) string {
	return fmt.Sprintf("%d %d%s%d", s.Baud, s.DataBits, [...]string{drivers.ParityNone: "N", drivers.ParityEven: "E", drivers.ParityOdd: "O"}[s.Parity], s.StopBits)
}
