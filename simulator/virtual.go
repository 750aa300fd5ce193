package simulator

import (
	"fmt"
	"time"

	"infusiond/simulator/line"
	"infusiond/simulator/pumpmodel"
)

// VirtualFleet is pumps on their lines in one virtual time. Time passes by Pass and by what is read and written
// on any line, on all of them. It belongs to one goroutine.
type VirtualFleet struct {
	*line.Clock
	*fleet
}

// NewVirtualFleet returns pumps on their lines whose time passes only as the host says. A link or a TCP address
// does no more than to join the pumps that share it.
func NewVirtualFleet(pumps []PumpOptions, seed uint64) (*VirtualFleet, error) {
	v := &VirtualFleet{}
	v.Clock = line.NewClock(func(time.Duration) {
		for _, p := range v.ports {
			p.tick()
		}
	})
	f, _, err := newFleet(pumps, seed, 1, v.Now, discard())
	if err != nil {
		return nil, err
	}
	f.mu.alone = true
	v.fleet = f
	for _, p := range f.ports {
		p.memory = v.Line(p, p.station.pace())
	}
	return v, nil
}

// Port returns the line on which a pump hangs now, a driver's port.
func (v *VirtualFleet) Port(pump string) (*line.Memory, error) {
	p, err := v.find(pump)
	if err != nil {
		return nil, err
	}
	return p.at.port.memory, nil
}

// View returns what a pump knows now; cheaper than Status. The zero View is that of no such pump.
func (v *VirtualFleet) View(pump string) pumpmodel.View {
	if p := v.named[pump]; p != nil {
		return p.model.View()
	}
	return pumpmodel.View{}
}

// Truth returns what really happens now; cheaper than Status. The zero Truth is that of no such pump.
func (v *VirtualFleet) Truth(pump string) pumpmodel.Truth {
	if p := v.named[pump]; p != nil {
		return p.model.Truth()
	}
	return pumpmodel.Truth{}
}

// VirtualLine is a line with one or more pumps in virtual time. It has the methods of a driver's
// port. It belongs to one goroutine.
type VirtualLine struct {
	*line.Memory
	fleet *VirtualFleet
}

// NewVirtualLine returns pumps on one line whose time passes only by the line's Read, Write and Pass.
func NewVirtualLine(pumps []PumpOptions, seed uint64) (*VirtualLine, error) {
	v, err := NewVirtualFleet(together(pumps), seed)
	if err != nil {
		return nil, err
	}
	if len(v.ports) != 1 {
		return nil, fmt.Errorf("%d lines: pumps of a virtual line must not name different ones", len(v.ports))
	}
	return &VirtualLine{v.ports[0].memory, v}, nil
}

// Names returns the names of the pumps.
func (l *VirtualLine) Names() []string { return l.fleet.Names() }

// Do does one command of infusim to a pump of the line.
func (l *VirtualLine) Do(pump, text string) error { return l.fleet.Do(pump, text) }

// Status returns what a pump says beside what really happens.
func (l *VirtualLine) Status(pump string) (Status, error) { return l.fleet.Status(pump) }

// Entries returns the log of a pump from sequence number from on.
func (l *VirtualLine) Entries(pump string, from uint64) ([]Entry, error) {
	return l.fleet.Entries(pump, from)
}

// View returns what a pump knows now; the zero View is that of no such pump.
func (l *VirtualLine) View(pump string) pumpmodel.View { return l.fleet.View(pump) }

// Truth returns what really happens now; the zero Truth is that of no such pump.
func (l *VirtualLine) Truth(pump string) pumpmodel.Truth { return l.fleet.Truth(pump) }

// together puts pumps that name no line on one.
func together(pumps []PumpOptions) []PumpOptions {
	list := append([]PumpOptions(nil), pumps...)
	for i := range list {
		if o := &list[i]; len(list) > 1 && o.Line == "" && o.Link == "" && o.TCP == "" {
			o.Line = "virtual"
		}
	}
	return list
}

// Virtual is one pump in virtual time behind a line in memory. It belongs to one goroutine.
type Virtual struct {
	*line.Memory
	line *VirtualLine
	pump *pump
}

// NewVirtual returns a pump whose time passes only by the line's Read, Write and Pass.
func NewVirtual(o PumpOptions, seed uint64) (*Virtual, error) {
	l, err := NewVirtualLine([]PumpOptions{o}, seed)
	if err != nil {
		return nil, err
	}
	return &Virtual{l.Memory, l, l.fleet.pumps[0]}, nil
}

// Do does one command of infusim; those to the cable act on the line in memory.
func (v *Virtual) Do(text string) error { return v.line.Do(v.pump.o.Name, text) }

// Status returns what the pump says beside what really happens.
func (v *Virtual) Status() Status { return v.pump.status() }

// Entries returns the pump's log from sequence number from on.
func (v *Virtual) Entries(from uint64) []Entry { return v.pump.entries(from) }

// Queries returns the newest queries that the pump received, oldest first.
func (v *Virtual) Queries() []string { return v.pump.at.front.Received() }

// View returns what the pump knows now; cheaper than Status.
func (v *Virtual) View() pumpmodel.View { return v.pump.model.View() }

// Truth returns what really happens now; cheaper than Status.
func (v *Virtual) Truth() pumpmodel.Truth { return v.pump.model.Truth() }
