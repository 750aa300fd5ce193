package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"infusiond/simulator/line"
	"infusiond/simulator/pumpmodel"
)

// ErrPump says that there is no pump of that name.
var ErrPump = errors.New("no such pump")

// Help returns one line for every command.
func Help() []string {
	var lines []string
	for _, c := range commands() {
		lines = append(lines, fmt.Sprintf("%-62s %s", c.usage, c.help))
	}
	return lines
}

// Names returns the names of the pumps, in the order of Options.
func (s *Simulator) Names() []string {
	var names []string
	for _, u := range s.units {
		names = append(names, u.o.Name)
	}
	return names
}

func (s *Simulator) find(pump string) (*unit, error) {
	u := s.named[pump]
	if u == nil {
		return nil, fmt.Errorf("%w: %q, known %s", ErrPump, pump, strings.Join(s.Names(), ", "))
	}
	return u, nil
}

// Do does one command of infusim, e.g. Do("blue", "occlude in=10s"). The error is
// ErrPump, ErrCommand, which lists what is known, or what the pump itself refuses.
func (s *Simulator) Do(pump, text string) error {
	u, err := s.find(pump)
	if err != nil {
		return err
	}
	return u.do(text)
}

func (u *unit) do(text string) error {
	words := strings.Fields(text)
	if len(words) == 0 {
		return fmt.Errorf("%w: nothing to do, known %s", ErrCommand, knownCommands())
	}
	table := commands()
	i := slices.IndexFunc(table, func(c command) bool { return c.name == words[0] })
	if i < 0 {
		return fmt.Errorf("%w: %q, known %s", ErrCommand, words[0], knownCommands())
	}
	c := table[i]
	a := arguments{keys: map[string]string{}}
	for _, w := range words[1:] {
		key, value, found := strings.Cut(w, "=")
		switch {
		case !found:
			a.values = append(a.values, w)
		case slices.Contains(c.args, key):
			a.keys[key] = value
		default:
			return fmt.Errorf("%w: %q, usage: %s", ErrCommand, w, c.usage)
		}
	}
	if len(a.values) < c.positions || len(a.values) > c.most {
		return fmt.Errorf("%w: %d values, usage: %s", ErrCommand, len(a.values), c.usage)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.catchUp()
	if err := c.act(u, a); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	u.log.Info("command done", "command", text)
	return nil
}

func knownCommands() string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

func unplug(u *unit, a arguments) error {
	d, err := a.duration("for", 0)
	if err != nil {
		return err
	}
	if u.pty == nil && u.tcp == nil {
		return fmt.Errorf("%w: this pump has no line to unplug", ErrCommand)
	}
	u.due = slices.DeleteFunc(u.due, func(t timed) bool { return t.name == "replug" })
	if u.pty != nil {
		err = u.pty.Unplug()
	}
	if u.tcp != nil {
		err = errors.Join(err, u.tcp.Unplug())
	}
	if err != nil {
		return err
	}
	if d > 0 {
		u.later(d, "replug", func() error { return u.replug("") })
	}
	return nil
}

func (u *unit) replug(link string) error {
	if u.pty == nil && link != "" {
		return fmt.Errorf("%w: this pump has no pseudo-terminal", ErrCommand)
	}
	u.due = slices.DeleteFunc(u.due, func(t timed) bool { return t.name == "replug" })
	var err error
	if u.pty != nil {
		err = u.pty.Plug(link)
	}
	if u.tcp != nil {
		err = errors.Join(err, u.tcp.Plug())
	}
	return err
}

// Status returns what one pump says beside what really happens.
func (s *Simulator) Status(pump string) (Status, error) {
	u, err := s.find(pump)
	if err != nil {
		return Status{}, err
	}
	return u.status(), nil
}

// Statuses returns the status of every pump.
func (s *Simulator) Statuses() []Status {
	list := []Status{}
	for _, u := range s.units {
		list = append(list, u.status())
	}
	return list
}

// Entries returns the log of one pump from sequence number from on.
func (s *Simulator) Entries(pump string, from uint64) ([]Entry, error) {
	u, err := s.find(pump)
	if err != nil {
		return nil, err
	}
	return u.entries(from), nil
}

// Queries returns the newest queries that one pump received, oldest first.
func (s *Simulator) Queries(pump string) ([]string, error) {
	u, err := s.find(pump)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.front.Received(), nil
}

// Port returns the address of a pump for a gateway's configuration: its link, or tcp://host:port.
func (s *Simulator) Port(pump string) (string, error) {
	st, err := s.Status(pump)
	if err != nil || st.Port != "" {
		return st.Port, err
	}
	return "tcp://" + st.TCP, nil
}

// Virtual is one pump in virtual time behind a line in memory. It belongs to one goroutine.
type Virtual struct {
	*line.Memory
	u *unit
}

// NewVirtual returns a pump whose time passes only by the line's Read, Write and Pass.
func NewVirtual(o PumpOptions, seed uint64) (*Virtual, error) {
	if o.Serial == "" {
		o.Serial = "SIM00001"
	}
	v := &Virtual{}
	u, err := newUnit(o, seed, 1, func() time.Duration { return v.Now() }, discard())
	if err != nil {
		return nil, err
	}
	v.u = u
	v.Memory = line.NewMemory(u, pace(), func(time.Duration) { u.tick() })
	return v, nil
}

// Do does one command of infusim; unplug and replug act on the line in memory.
func (v *Virtual) Do(text string) error {
	switch text {
	case "unplug":
		v.SetGone(true)
		return nil
	case "replug":
		v.SetGone(false)
		return nil
	}
	return v.u.do(text)
}

// Status returns what the pump says beside what really happens.
func (v *Virtual) Status() Status { return v.u.status() }

// Entries returns the pump's log from sequence number from on.
func (v *Virtual) Entries(from uint64) []Entry { return v.u.entries(from) }

// Queries returns the newest queries that the pump received, oldest first.
func (v *Virtual) Queries() []string { return v.u.front.Received() }

// View returns what the pump knows now; cheaper than Status.
func (v *Virtual) View() pumpmodel.View { return v.u.model.View() }

// Truth returns what really happens now; cheaper than Status.
func (v *Virtual) Truth() pumpmodel.Truth { return v.u.model.Truth() }
