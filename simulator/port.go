package simulator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"infusiond/simulator/fault"
	"infusiond/simulator/front"
	"infusiond/simulator/line"
)

// port is one line of the host: its devices, its wire, and the station that hangs on it. It is
// what a line calls a line.Pump. Everything in it is guarded by the fleet's mutex.
type port struct {
	fleet   *fleet
	station *station
	wire    *fault.Wire
	pty     *line.Pty // nil when there is none
	tcp     *line.TCP
	memory  *line.Memory
	hung    bool
	due     []timed
}

// timed is an act that waits for its time on the wire.
type timed struct {
	at   time.Duration
	name string
	act  func() error
}

// Exchange is called by the line with what the host sent.
func (p *port) Exchange(in []byte) (out []byte, delay time.Duration) {
	p.fleet.mu.Lock()
	defer p.fleet.mu.Unlock()
	p.catchUp()
	return p.wire.Shape(p.fleet.now(), in, p.station.front.Handle(in))
}

// Unsolicited is called by the line for what the pumps send by themselves.
func (p *port) Unsolicited() []byte {
	p.fleet.mu.Lock()
	defer p.fleet.mu.Unlock()
	p.catchUp()
	return p.wire.Unasked(p.fleet.now(), p.station.front.Unsolicited())
}

// PushEvery implements line.Pusher.
func (p *port) PushEvery() time.Duration {
	p.fleet.mu.Lock()
	defer p.fleet.mu.Unlock()
	every := p.wire.Every()
	sooner := func(d time.Duration) {
		if d > 0 && (every == 0 || d < every) {
			every = d
		}
	}
	if pusher, ok := p.station.front.(front.Pusher); ok {
		sooner(pusher.PushEvery())
	}
	if len(p.due) > 0 {
		sooner(max(time.Millisecond, p.due[0].at-p.fleet.now()))
	}
	return every
}

// Pace implements line.Paced.
func (p *port) Pace() line.Pace {
	p.fleet.mu.Lock()
	defer p.fleet.mu.Unlock()
	return p.station.pace()
}

// Hangs implements line.Hanger.
func (p *port) Hangs() bool {
	p.fleet.mu.Lock()
	defer p.fleet.mu.Unlock()
	return p.hung
}

// tick lets time pass for pumps that nobody asks.
func (p *port) tick() {
	p.fleet.mu.Lock()
	defer p.fleet.mu.Unlock()
	p.catchUp()
}

func (p *port) catchUp() {
	p.station.catchUp()
	for now := p.fleet.now(); len(p.due) > 0 && p.due[0].at <= now; {
		act := p.due[0]
		p.due = p.due[1:]
		if err := act.act(); err != nil {
			p.fleet.log.Warn("timed act failed", "act", act.name, "error", err)
		}
	}
}

func (p *port) later(d time.Duration, name string, act func() error) {
	p.forget(name)
	p.due = append(p.due, timed{p.fleet.now() + d, name, act})
	slices.SortStableFunc(p.due, func(a, b timed) int { return int(a.at - b.at) })
}

func (p *port) forget(name string) {
	p.due = slices.DeleteFunc(p.due, func(t timed) bool { return t.name == name })
}

// open opens the devices that l asks for.
func (p *port) open(l *lineOptions) (err error) {
	if l.tcp != "" {
		if p.tcp, err = line.ListenTCP(l.tcp, p.station.pace()); err != nil {
			return fmt.Errorf("pump %q: %w", l.pumps[0].Name, err)
		}
	}
	if l.link != "" || l.tcp == "" {
		if p.pty, err = line.OpenPty(l.link, p.station.pace()); err != nil {
			return errors.Join(fmt.Errorf("pump %q: %w", l.pumps[0].Name, err), p.close())
		}
	}
	return nil
}

func (p *port) close() error {
	err := p.unplug()
	if errors.Is(err, line.ErrUnplugged) {
		return nil
	}
	return err
}

// unplug takes every device of the line away; one that was away already is an error only if all were.
func (p *port) unplug() error {
	p.forget("replug")
	p.hung = false
	var errs []error
	if p.pty != nil {
		errs = append(errs, p.pty.Unplug())
	}
	if p.tcp != nil {
		errs = append(errs, p.tcp.Unplug())
	}
	if p.memory != nil {
		p.memory.SetHung(false)
		errs = append(errs, p.memory.Unplug())
	}
	return errors.Join(errs...)
}

// replug brings the devices back; link, when not empty, is the new name of the pseudo-terminal.
func (p *port) replug(link string) error {
	if p.pty == nil && link != "" {
		return fmt.Errorf("%w: this line has no pseudo-terminal to name", ErrCommand)
	}
	p.forget("replug")
	var errs []error
	if p.pty != nil {
		errs = append(errs, p.pty.Plug(link))
	}
	if p.tcp != nil {
		errs = append(errs, p.tcp.Plug())
	}
	if p.memory != nil {
		errs = append(errs, p.memory.Plug())
	}
	return errors.Join(errs...)
}

// hang makes the adapter hang or work again.
func (p *port) hang(on bool) {
	p.forget("unhang")
	p.hung = on
	if p.memory != nil {
		p.memory.SetHung(on)
	}
}

// plugged says whether the line is there.
func (p *port) plugged() bool {
	return p.pty != nil && p.pty.Plugged() || p.tcp != nil && p.tcp.Plugged() || p.memory != nil && p.memory.Plugged()
}
