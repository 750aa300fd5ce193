package scenario

import (
	"context"
	"fmt"
	"strings"
	"time"

	"infusiond/simulator"
)

// Virtual is a stage in virtual time: each pump on a line of its own in memory. It belongs to one goroutine.
type Virtual struct {
	protocol string
	lines    map[string]*simulator.VirtualLine // by pump
	ports    map[string]*simulator.VirtualLine // by the pump that was there at first
	order    []string
}

// NewVirtual builds the pumps of a scenario in a protocol.
func NewVirtual(s *Scenario, protocol string, seed uint64) (*Virtual, error) {
	options, err := s.PumpOptions(protocol)
	if err != nil {
		return nil, err
	}
	v := &Virtual{protocol: protocol, lines: map[string]*simulator.VirtualLine{}, ports: map[string]*simulator.VirtualLine{}}
	for i, o := range options {
		if o.Serial == "" {
			o.Serial = simulator.SerialOf(protocol, i+1)
		}
		l, err := simulator.NewVirtualLine([]simulator.PumpOptions{o}, seed+uint64(i))
		if err != nil {
			return nil, fmt.Errorf("pump %s: %w", o.Name, err)
		}
		v.lines[o.Name], v.ports[o.Name] = l, l
		v.order = append(v.order, o.Name)
	}
	return v, nil
}

// Port returns the port at which a pump was at first: the port of a driver. After a swap another pump is there.
func (v *Virtual) Port(pump string) *simulator.VirtualLine { return v.ports[pump] }

// Do implements Stage.
func (v *Virtual) Do(pump, command string) error {
	l := v.lines[pump]
	if l == nil {
		return fmt.Errorf("%w: %q", simulator.ErrPump, pump)
	}
	other, isSwap := strings.CutPrefix(command, "swap ")
	if !isSwap {
		command, err := Spoken(command, v.protocol)
		if err != nil {
			return err
		}
		return l.Do(pump, command)
	}
	if v.lines[other] == nil {
		return fmt.Errorf("%w: %q", simulator.ErrPump, other)
	}
	for a, at := range v.ports {
		for b, there := range v.ports {
			if at == l && there == v.lines[other] {
				v.ports[a], v.ports[b] = there, at
				return nil
			}
		}
	}
	return nil
}

// Until implements Stage.
func (v *Virtual) Until(ctx context.Context, at time.Duration) error {
	for _, name := range v.order {
		l := v.lines[name]
		for l.Now() < at {
			if err := ctx.Err(); err != nil {
				return err
			}
			l.Pass(min(at-l.Now(), time.Hour))
		}
	}
	return nil
}

// Status implements Stage.
func (v *Virtual) Status(pump string) (simulator.Status, error) {
	l := v.lines[pump]
	if l == nil {
		return simulator.Status{}, fmt.Errorf("%w: %q", simulator.ErrPump, pump)
	}
	return l.Status(pump)
}

// Real is a stage in real time: a running simulator.
type Real struct {
	protocol string
	sim      *simulator.Simulator
	began    time.Time
	speed    float64
}

// NewReal plays on a simulator that runs at speed, from now on.
func NewReal(sim *simulator.Simulator, protocol string, speed float64) *Real {
	return &Real{protocol: protocol, sim: sim, began: time.Now(), speed: speed}
}

// Do implements Stage.
func (r *Real) Do(pump, command string) error {
	command, err := Spoken(command, r.protocol)
	if err != nil {
		return err
	}
	return r.sim.Do(pump, command)
}

// Until implements Stage.
func (r *Real) Until(ctx context.Context, at time.Duration) error {
	timer := time.NewTimer(time.Until(r.began.Add(time.Duration(float64(at) / r.speed))))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Status implements Stage.
func (r *Real) Status(pump string) (simulator.Status, error) { return r.sim.Status(pump) }

// Spoken returns a command as a pump of a protocol takes it: rates at its step.
func Spoken(command, protocol string) (string, error) {
	if rate, isRate := strings.CutPrefix(command, "rate "); isRate {
		rounded, err := round(rate, protocol)
		if err != nil {
			return "", err
		}
		return "rate " + rounded, nil
	}
	return command, nil
}
