package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
)

// tickTime is how often a pump that nobody asks moves on.
const tickTime = 100 * time.Millisecond

// Options is what a simulator runs.
type Options struct {
	Pumps []PumpOptions
	Seed  uint64
	Speed float64 // how much faster model time passes; 0 is 1. The wire keeps its pace.
	Log   *slog.Logger
	// Truth gets the ground truth as JSON lines, see Record; nil: none. TruthEvery is the
	// simulated time between two records of a pump; 0 is 5 s. Events and commands are written beside it.
	Truth      io.Writer
	TruthEvery time.Duration
}

// Simulator is a set of pumps on their lines.
type Simulator struct{ *fleet }

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
	start := time.Now()
	f, list, err := newFleet(o.Pumps, o.Seed, o.Speed, func() time.Duration { return time.Since(start) }, o.Log)
	if err != nil {
		return nil, err
	}
	s := &Simulator{f}
	for i, l := range list {
		if err := f.ports[i].open(l); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if o.Truth != nil {
		f.truth = newTruthLog(o.Truth, o.TruthEvery)
	}
	return s, nil
}

// Close frees the lines; it is needed only when Run is not called.
func (s *Simulator) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, p := range s.ports {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// Port returns the address of a pump for a gateway's configuration: its link, or tcp://host:port.
func (s *Simulator) Port(pump string) (string, error) {
	st, err := s.Status(pump)
	if err != nil || st.Port != "" {
		return st.Port, err
	}
	return "tcp://" + st.TCP, nil
}

// Run serves every pump until ctx ends, then takes the lines away. An ended context is success.
func (s *Simulator) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range s.ports {
		if p.pty != nil {
			g.Go(func() error { return p.pty.Run(ctx, p) })
		}
		if p.tcp != nil {
			g.Go(func() error { return p.tcp.Run(ctx, p) })
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
			return s.note(true)
		case <-t.C:
			for _, p := range s.ports {
				p.tick()
			}
			if err := s.note(false); err != nil {
				return err
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
