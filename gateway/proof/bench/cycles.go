package main

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/clock"
	"infusiond/gateway/infusion"
	"infusiond/gateway/link"
	"infusiond/gateway/proof/parts"
	"infusiond/simulator"
)

const cyclesFor = 8 * time.Second // for each driver

// cycles measures how many polling cycles a line gives when it is polled without a pause, beside what the line
// allows: the bytes at the baud rate, the gaps that the protocol demands before each query, and the pump's declared delay.
func (b *bench) cycles(t parts.TB) {
	b.say("cycles: per second, polled without a pause through a pty, beside the line's limit (goal 95 %%)")
	b.say("  %-10s %7s %9s %9s %9s %9s %8s", "driver", "cycles", "bytes", "queries", "reached", "limit", "share")
	var lines []func()
	for _, p := range protocols() {
		c := b.onLine(t, p)
		reached := float64(c.n) / c.took.Seconds()
		limit := float64(c.n) / c.least.Seconds()
		b.say("  %-10s %7d %9.1f %9.1f %9.2f %9.2f %8.3f", p.name, c.n, float64(c.bytes)/float64(c.n), float64(c.queries)/float64(c.n), reached, limit, reached/limit)
		lines = append(lines, func() {
			b.say("bench: cycles driver=%s reached=%.3f limit=%.3f share=%.3f cycles=%d seed=%d", p.name, reached, limit, reached/limit, c.n, b.seed)
		})
	}
	for _, say := range lines {
		say()
	}
}

// turns is what went over one line.
type turns struct {
	n, bytes, queries int
	took, least       time.Duration
}

// onLine polls one simulated pump.
func (b *bench) onLine(t parts.TB, p protocol) turns {
	t.Helper()
	pump, err := simulator.PumpOf(p.name, "blue")
	if err != nil {
		t.Fatalf("make pump: %v", err)
	}
	pump.Link = filepath.Join(t.TempDir(), "pump-"+p.name)
	sim, err := simulator.New(simulator.Options{Pumps: []simulator.PumpOptions{pump}, Seed: b.seed})
	if err != nil {
		t.Fatalf("make pump: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	driver, err := p.make(nil)
	if err != nil {
		t.Fatalf("make driver: %v", err)
	}
	system, err := clock.New()
	if err != nil {
		t.Fatalf("read clock: %v", err)
	}
	line, err := link.New(link.Options{
		Address: pump.Link, Profile: driver.Profile(), Clock: system.Now, Log: slog.New(slog.DiscardHandler), Rand: rand.New(rand.NewPCG(b.seed, 3)),
	})
	if err != nil {
		t.Fatalf("make line: %v", err)
	}
	var c turns
	var failed error
	err = line.Run(ctx, func(ctx context.Context, port drivers.Port) error {
		defer cancel()
		failed = c.poll(ctx, p, driver, port, func() time.Duration { return system.Now().Boot })
		return nil
	}, func(infusion.Link) {})
	if err := errors.Join(err, failed, <-ended); err != nil || c.n == 0 {
		t.Fatalf("%s: %v, %d cycles", p.name, err, c.n)
	}
	return c
}

// poll polls until the time is over. The first cycle, which reads a log back, does not count.
func (c *turns) poll(ctx context.Context, p protocol, driver drivers.Driver, port drivers.Port, now func() time.Duration) error {
	profile := driver.Profile()
	m := &meter{Port: port}
	conn, err := driver.Open(ctx, m, drivers.OpenOptions{Now: now})
	if err != nil {
		return err
	}
	if err := conn.Poll(ctx, func(drivers.Report) {}); err != nil {
		return err
	}
	*m = meter{Port: port}
	begin := time.Now()
	for time.Since(begin) < cyclesFor && ctx.Err() == nil {
		if err := conn.Poll(ctx, func(drivers.Report) { c.n++ }); err != nil {
			return err
		}
	}
	c.took, c.bytes, c.queries = time.Since(begin), m.bytes, m.queries
	byteTime := 10 * time.Second / time.Duration(profile.Line.Baud)
	c.least = time.Duration(c.bytes)*byteTime + time.Duration(c.queries)*(profile.CommandGap+p.info.Gap)
	if p.pushed > 0 {
		c.least = time.Duration(c.n) * p.pushed
	}
	return conn.Close()
}

// meter counts what goes over a port.
type meter struct {
	drivers.Port
	bytes, queries int
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.Port.Read(b)
	m.bytes += n
	return n, err
}

func (m *meter) Write(b []byte) (int, error) {
	n, err := m.Port.Write(b)
	m.bytes += n
	m.queries++
	return n, err
}
