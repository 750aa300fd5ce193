package simulator

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// fleet is what the pumps of one simulator have in common.
type fleet struct {
	now   func() time.Duration // time on the wire; that of the models passes speed times as fast
	speed float64
	log   *slog.Logger

	mu    guard // guards the ports, their stations and pumps, too
	ports []*port
	pumps []*pump
	named map[string]*pump
	truth *truthLog // nil: none is written
}

// guard is a mutex that does nothing where everything belongs to one goroutine.
type guard struct {
	mu    sync.Mutex
	alone bool
}

// Lock locks.
func (g *guard) Lock() {
	if !g.alone {
		g.mu.Lock()
	}
}

// Unlock unlocks.
func (g *guard) Unlock() {
	if !g.alone {
		g.mu.Unlock()
	}
}

// newFleet puts the pumps on their stations; no line is open yet.
func newFleet(pumps []PumpOptions, seed uint64, speed float64, now func() time.Duration, log *slog.Logger) (*fleet, []*lineOptions, error) {
	list, err := lines(pumps)
	if err != nil {
		return nil, nil, err
	}
	f := &fleet{now: now, speed: speed, log: log, named: map[string]*pump{}}
	for _, l := range list {
		s, err := f.fill(l, seed)
		if err != nil {
			return nil, nil, err
		}
		f.ports = append(f.ports, s.port)
	}
	return f, list, nil
}

// Names returns the names of the pumps, line by line.
func (f *fleet) Names() []string {
	var names []string
	for _, p := range f.pumps {
		names = append(names, p.o.Name)
	}
	return names
}

func (f *fleet) find(name string) (*pump, error) {
	p := f.named[name]
	if p == nil {
		return nil, fmt.Errorf("%w: %q, known %s", ErrPump, name, strings.Join(f.Names(), ", "))
	}
	return p, nil
}

// with calls act with the pump of that name, advanced up to now.
func (f *fleet) with(name string, act func(p *pump) error) error {
	p, err := f.find(name)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p.at.port.catchUp()
	return act(p)
}

// Status returns what one pump says beside what really happens.
func (f *fleet) Status(pumpName string) (s Status, err error) {
	err = f.with(pumpName, func(p *pump) error {
		s = p.status()
		return nil
	})
	return s, err
}

// Statuses returns the status of every pump.
func (f *fleet) Statuses() []Status {
	list := []Status{}
	for _, name := range f.Names() {
		if s, err := f.Status(name); err == nil { // every name is known
			list = append(list, s)
		}
	}
	return list
}

// Entries returns the log of one pump from sequence number from on.
func (f *fleet) Entries(pumpName string, from uint64) (list []Entry, err error) {
	err = f.with(pumpName, func(p *pump) error {
		list = p.entries(from)
		return nil
	})
	return list, err
}

// Queries returns the newest queries that the line of a pump received, oldest first.
func (f *fleet) Queries(pumpName string) (list []string, err error) {
	err = f.with(pumpName, func(p *pump) error {
		list = p.at.front.Received()
		return nil
	})
	return list, err
}
