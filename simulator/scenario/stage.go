package scenario

import (
	"context"
	"fmt"
	"strings"
	"time"

	"infusiond/simulator"
	"infusiond/simulator/line"
)

// Virtual is a stage in virtual time: each pump on a line of its own in memory, all in one time. It belongs to one goroutine.
type Virtual struct {
	*simulator.VirtualFleet
	protocol string
	ports    map[string]*line.Memory // by the pump that was there at first
}

// NewVirtual builds the pumps of a scenario in a protocol.
func NewVirtual(s *Scenario, protocol string, seed uint64) (*Virtual, error) {
	options, err := s.PumpOptions(protocol)
	if err != nil {
		return nil, err
	}
	fleet, err := simulator.NewVirtualFleet(options, seed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	v := &Virtual{fleet, protocol, map[string]*line.Memory{}}
	for _, name := range fleet.Names() {
		if v.ports[name], err = fleet.Port(name); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// Place returns the port at which a pump was at first: the port of a driver. After a swap another pump is behind it.
func (v *Virtual) Place(pump string) *line.Memory { return v.ports[pump] }

// Do implements Stage.
func (v *Virtual) Do(pump, command string) error {
	command, err := Spoken(command, v.protocol)
	if err != nil {
		return err
	}
	return v.VirtualFleet.Do(pump, command)
}

// Until implements Stage.
func (v *Virtual) Until(ctx context.Context, at time.Duration) error {
	for v.Now() < at {
		if err := ctx.Err(); err != nil {
			return err
		}
		v.Pass(min(at-v.Now(), time.Hour))
	}
	return nil
}

// Protocol implements Stage.
func (v *Virtual) Protocol() string { return v.protocol }

// Slack implements Stage: virtual time is exact.
func (v *Virtual) Slack() time.Duration { return 0 }

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
	return r.sim.Do(pump, onTheWire(command, r.speed))
}

// onTheWire turns the times of a command, which are the scenario's, into times on the wire, where a running simulator
// counts them. A delay of bytes is one already, and heat counts simulated time.
func onTheWire(command string, speed float64) string {
	words := strings.Fields(command)
	for i, w := range words {
		key, value, _ := strings.Cut(w, "=")
		d, err := time.ParseDuration(value)
		if err != nil || key != "in" && key != "for" || words[0] == "heat" {
			continue
		}
		words[i] = key + "=" + time.Duration(float64(d)/speed).String()
	}
	return strings.Join(words, " ")
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

// Entries implements Stage.
func (r *Real) Entries(pump string, from uint64) ([]simulator.Entry, error) {
	return r.sim.Entries(pump, from)
}

// Protocol implements Stage.
func (r *Real) Protocol() string { return r.protocol }

// Slack implements Stage: what a quarter of a second on a busy machine is at this speed.
func (r *Real) Slack() time.Duration { return time.Duration(r.speed * float64(250*time.Millisecond)) }

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
