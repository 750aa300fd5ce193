package simulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"infusiond/simulator/line"
)

// tickTime is how often a pump that nobody asks moves on.
const tickTime = 100 * time.Millisecond

// Options is what a simulator runs.
type Options struct {
	Pumps []PumpOptions
	Seed  uint64
	Speed float64 // how much faster model time passes; 0 is 1. The wire keeps its pace.
	Log   *slog.Logger
}

// Simulator is a set of pumps on their lines.
type Simulator struct {
	units []*unit
	named map[string]*unit
}

// New makes the pumps and opens their lines, so that a host can open them at
// once; Run serves them. Close frees the lines of a simulator that is not run.
func New(o Options) (*Simulator, error) {
	if o.Speed == 0 {
		o.Speed = 1
	}
	if !(o.Speed > 0 && o.Speed <= 100000) {
		return nil, fmt.Errorf("speed %v: known above 0 to 100000", o.Speed)
	}
	if o.Log == nil {
		o.Log = discard()
	}
	if len(o.Pumps) == 0 {
		return nil, errors.New("no pump: at least one is needed")
	}
	start := time.Now()
	s := &Simulator{named: map[string]*unit{}}
	for i, p := range o.Pumps {
		if p.Serial == "" {
			p.Serial = fmt.Sprintf("SIM%05d", i+1)
		}
		if s.named[p.Name] != nil {
			return nil, errors.Join(fmt.Errorf("two pumps are named %q", p.Name), s.Close())
		}
		u, err := newUnit(p, o.Seed, o.Speed, func() time.Duration { return time.Since(start) }, o.Log)
		if err == nil {
			err = u.open()
		}
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.units = append(s.units, u)
		s.named[p.Name] = u
	}
	return s, nil
}

func (u *unit) open() (err error) {
	if u.o.TCP != "" {
		if u.tcp, err = line.ListenTCP(u.o.TCP, pace()); err != nil {
			return fmt.Errorf("pump %q: %w", u.o.Name, err)
		}
	}
	if u.o.Link != "" || u.o.TCP == "" {
		if u.pty, err = line.OpenPty(u.o.Link, pace()); err != nil {
			return errors.Join(fmt.Errorf("pump %q: %w", u.o.Name, err), u.close())
		}
	}
	return nil
}

func (u *unit) close() error {
	var errs []error
	if u.pty != nil {
		errs = append(errs, u.pty.Unplug())
	}
	if u.tcp != nil {
		errs = append(errs, u.tcp.Unplug())
	}
	for i, err := range errs {
		if errors.Is(err, line.ErrUnplugged) {
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}

// Close frees the lines; it is needed only when Run is not called.
func (s *Simulator) Close() error {
	var errs []error
	for _, u := range s.units {
		errs = append(errs, u.close())
	}
	return errors.Join(errs...)
}

// Run serves every pump until ctx ends, then takes the lines away. An ended context is success.
func (s *Simulator) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, u := range s.units {
		if u.pty != nil {
			g.Go(func() error { return u.pty.Run(ctx, u) })
		}
		if u.tcp != nil {
			g.Go(func() error { return u.tcp.Run(ctx, u) })
		}
	}
	g.Go(func() error { return s.tick(ctx) })
	if err := g.Wait(); err != nil {
		return fmt.Errorf("run simulator: %w", err)
	}
	return nil
}

func (s *Simulator) tick(ctx context.Context) error {
	t := time.NewTicker(tickTime)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			for _, u := range s.units {
				u.tick()
			}
		}
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Running is a simulator that was started with Start.
type Running struct {
	*Simulator
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// Start opens and runs a simulator, for tests of other packages. Its goroutines end with
// ctx or Stop.
func Start(ctx context.Context, o Options) (*Running, error) {
	s, err := New(o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &Running{Simulator: s, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = s.Run(ctx)
	}()
	return r, nil
}

// Stop ends the simulator, waits for it and returns what went wrong.
func (r *Running) Stop() error {
	r.cancel()
	<-r.done
	return r.err
}
