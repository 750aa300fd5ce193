package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"sync"

	"infusiond/gateway/config"
	"infusiond/gateway/link"
	"infusiond/gateway/normalize"
	"infusiond/gateway/poll"
	"infusiond/gateway/prescription"
)

// startPorts starts one polling goroutine per port and one channel per pump. The returned
// channel is closed when every pump had its first cycle.
func (g *Gateway) startPorts(acquisition, judging *stage) (<-chan struct{}, error) {
	polled := make(chan struct{})
	first := newBarrier(len(g.options.Config.Pumps), func() { close(polled) })
	byPump := map[string]*channel{}
	for _, p := range g.options.Config.Pumps {
		c := newChannel(channelOptions{
			Pump: p, Sender: g.sender, Book: func() *prescription.Book { return g.book.Load() }, Spool: g.spool, Set: g.set,
			Clock: g.options.Clock, NewID: newID, Log: g.options.Log,
		})
		byPump[p.Name] = c
		g.channels = append(g.channels, c)
		judging.run(c.String(), c.Run)
	}
	for address, pumps := range byPort(g.options.Config.Pumps) {
		watch := newPortWatch(address, pumps, g.options.Config.Pumps, g.tracker.Report)
		g.watches = append(g.watches, watch)
		loop, err := g.loop(address, pumps, watch, func(ctx context.Context, cycle poll.Cycle) error {
			err := byPump[cycle.Pump].take(ctx, normalize.Input(cycle))
			if ctx.Err() == nil {
				watch.cycle(cycle, err)
			}
			first.arrive(cycle.Pump)
			return err
		})
		if err != nil {
			return nil, err
		}
		acquisition.run("port "+address, loop.Run)
	}
	return polled, nil
}

func byPort(pumps []config.Pump) map[string][]config.Pump {
	out := map[string][]config.Pump{}
	for _, p := range pumps {
		out[p.Port] = append(out[p.Port], p)
	}
	return out
}

func (g *Gateway) loop(address string, pumps []config.Pump, watch *portWatch, emit func(context.Context, poll.Cycle) error) (*poll.Loop, error) {
	driver, err := g.options.Drivers[pumps[0].Driver](pumps[0].Settings)
	if err != nil {
		return nil, fmt.Errorf("driver %s: %w", pumps[0].Driver, err)
	}
	profile := driver.Profile()
	var capture io.Writer
	if g.options.Capture != nil {
		if capture, err = g.options.Capture(pumps[0].Name); err != nil {
			return nil, fmt.Errorf("capture of %s: %w", pumps[0].Name, err)
		}
	}
	line, err := link.New(link.Options{
		Address: address, Profile: profile, Capture: capture, Clock: g.options.Clock, Log: g.options.Log,
		Rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	})
	if err != nil {
		return nil, fmt.Errorf("port %s: %w", address, err)
	}
	o := poll.Options{
		Port: line, Driver: driver, Interval: pumps[0].Interval, RefuseSerials: g.refused(profile.SimulatorSerials), Clock: g.options.Clock,
		Log: g.options.Log, Emit: emit, Watch: watch.turn, Trouble: func(err error) {
			if errors.Is(err, poll.ErrClose) {
				watch.closing(err)
			}
			g.trouble(address, err)
		},
	}
	notes := map[string]string{}
	o.Anchor = func(ctx context.Context, p poll.Pump) (string, error) { return g.anchor(ctx, p.Name, notes[p.Name]) }
	for _, p := range pumps {
		notes[p.Name] = noteAnchor(p)
		o.Pumps = append(o.Pumps, poll.Pump{Name: p.Name, Address: p.Address, Serial: p.Serial})
	}
	return poll.New(o), nil
}

// refused are the serial numbers that this gateway never takes: on a real one the simulators'.
func (g *Gateway) refused(simulators *regexp.Regexp) *regexp.Regexp {
	if g.options.Config.Simulated {
		return nil
	}
	return simulators
}

func (g *Gateway) anchor(ctx context.Context, pump, key string) (string, error) {
	note, _, err := g.spool.Note(ctx, key)
	detail := ""
	if err != nil && ctx.Err() == nil {
		detail = err.Error()
	}
	g.tracker.Report("anchor_unreadable", pump, detail, "")
	return string(note), err
}

func (g *Gateway) trouble(address string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	g.options.Log.Warn("port trouble", slog.String("port", address), slog.Any("error", err))
}

// barrier calls done once when every one of n names has arrived.
type barrier struct {
	mu   sync.Mutex
	seen map[string]bool
	n    int
	done func()
}

func newBarrier(n int, done func()) *barrier {
	return &barrier{seen: map[string]bool{}, n: n, done: done}
}

func (b *barrier) arrive(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen[name] {
		return
	}
	if b.seen[name] = true; len(b.seen) == b.n {
		b.done()
	}
}
