package simulator

import (
	"fmt"
	"time"

	"infusiond/simulator/line"
	"infusiond/simulator/pumpmodel"
)

// VirtualLine is a line with one or more pumps in virtual time. It has the methods of a driver's
// port. It belongs to one goroutine.
type VirtualLine struct {
	*line.Memory
	*fleet
}

// NewVirtualLine returns pumps on one line whose time passes only by the line's Read, Write and Pass.
func NewVirtualLine(pumps []PumpOptions, seed uint64) (*VirtualLine, error) {
	v := &VirtualLine{}
	f, list, err := newFleet(together(pumps), seed, 1, func() time.Duration {
		if v.Memory == nil {
			return 0
		}
		return v.Now()
	}, discard())
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("%d lines: pumps of a virtual line must not name different ones", len(list))
	}
	f.mu.alone = true
	p := f.ports[0]
	p.memory = line.NewMemory(p, p.station.pace(), func(time.Duration) { p.tick() })
	v.Memory, v.fleet = p.memory, f
	return v, nil
}

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

// View returns what a pump knows now; cheaper than Status. The zero View is that of no such pump.
func (v *VirtualLine) View(pump string) pumpmodel.View {
	if p := v.named[pump]; p != nil {
		return p.model.View()
	}
	return pumpmodel.View{}
}

// Truth returns what really happens now; cheaper than Status. The zero Truth is that of no such pump.
func (v *VirtualLine) Truth(pump string) pumpmodel.Truth {
	if p := v.named[pump]; p != nil {
		return p.model.Truth()
	}
	return pumpmodel.Truth{}
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
	return &Virtual{l.Memory, l, l.pumps[0]}, nil
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
