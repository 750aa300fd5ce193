package pumpmodel

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// "modulo rollover (default 9999.9)", sticking, and resets by bag and battery.
// Covers GW-123.
func TestCounterVariants(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(c *Config)
		act    func(p *Pump) error
		want   float64 // after 12 mL with a maximum of 10, the act, and 1 mL more
	}{
		{"rolls over", func(*Config) {}, func(*Pump) error { return nil }, 3},
		{"sticks", func(c *Config) { c.CounterSticks = true }, func(*Pump) error { return nil }, 10},
		{"bag resets", func(*Config) {}, func(p *Pump) error { return errors.Join(p.NewBag(10, false), p.Run()) }, 1},
		{"bag keeps", func(c *Config) { c.CounterKeeps = true }, func(p *Pump) error { return errors.Join(p.NewBag(10, false), p.Run()) }, 3},
		{"battery keeps", func(*Config) {}, func(p *Pump) error { return p.SetBattery(1) }, 3},
		{"battery resets", func(c *Config) { c.BatteryResetsCounter = true }, func(p *Pump) error { return p.SetBattery(1) }, 1},
		{"cleared", func(*Config) {}, func(p *Pump) error { return p.ClearVolume() }, 1},
		{"reboot", func(*Config) {}, func(p *Pump) error { return errors.Join(p.Reboot(), p.Run()) }, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := ideal()
			cfg.RolloverML, cfg.StrokeML, cfg.CounterStepML = 10, 0.05, 0.05
			row.change(&cfg)
			p := fresh(t, cfg, Setup{Program: Program{Rate: 12, VTBIML: 10}})
			p.program.VTBIML, p.up.bagML = 1000, 1000
			must(t, p.Run())
			p.Advance(time.Hour + time.Second)
			must(t, row.act(p))
			p.Advance(5*time.Minute + time.Second)
			if got := p.View().InfusedML; math.Abs(got-row.want) > 0.051 {
				t.Errorf("counter %v, want %v", got, row.want)
			}
			if got := p.Truth().CommandedML; math.Abs(got-13) > 0.051 {
				t.Errorf("commanded %v mL, want 13 whatever the counter says", got)
			}
		})
	}
}

// "step events (DST, battery change → 2000-01-01)".
func TestClockLosesItsBattery(t *testing.T) {
	cfg := ideal()
	cfg.BatteryResetsClock = true
	p := start(t, cfg, 1, 1)
	p.Advance(time.Hour)
	must(t, p.SetBattery(1))
	p.Advance(time.Minute)
	if got := p.View().Clock; got < time.Minute || got > time.Minute+time.Second {
		t.Errorf("clock %v, want a minute after its epoch", got)
	}
	p.StepClock(-time.Hour)
	if got := p.View().Clock; got != 0 {
		t.Errorf("clock %v: a clock before its epoch says the epoch", got)
	}
	var steps int
	for _, e := range p.Events(0) {
		if e.Kind == KindClock {
			steps++
		}
	}
	if steps != 2 {
		t.Errorf("%d clock steps in the log, want 2", steps)
	}
}

// The same acts at the same times give the same run, however time is divided, with everything random that a pump has.
// Covers GW-121.
func TestSameRunHoweverTimeIsDivided(t *testing.T) {
	acts := map[time.Duration]func(p *Pump) error{
		time.Hour:     func(p *Pump) error { return p.Heat(20, time.Hour) },
		2 * time.Hour: func(p *Pump) error { return p.SetHeight(30) },
		3 * time.Hour: func(p *Pump) error { p.OpenDoor(true); return nil },
		3*time.Hour + 30*time.Second: func(p *Pump) error {
			p.OpenDoor(false)
			return p.Run()
		},
		4 * time.Hour: func(p *Pump) error { return errors.Join(p.NewBag(20, true), p.GiveLoad(1, 20)) },
		5 * time.Hour: func(p *Pump) error { p.Hang(true); return nil },
		6 * time.Hour: func(p *Pump) error { p.Hang(false); return p.Pause() },
		7 * time.Hour: func(p *Pump) error { return errors.Join(p.Silence(), p.Acknowledge(), p.Run()) },
	}
	run := func(rotary bool, chunk time.Duration) (View, Truth, []Event) {
		cfg := Default()
		cfg.AirDetector, cfg.Rotary, cfg.BubblesPerH, cfg.NewBagBubblesH, cfg.BubbleLimitUL, cfg.AirLimitUL = true, rotary, 2, 5, 1e6, 1e6
		p, err := New(cfg, Setup{Program: Program{Rate: 2.5, VTBIML: 100}, BagML: 50}, rand.New(rand.NewPCG(8, 0)))
		must(t, err)
		must(t, p.Run())
		for at := chunk; at <= 9*time.Hour; at += chunk {
			p.Advance(chunk)
			if act := acts[at]; act != nil {
				must(t, act(p))
			}
		}
		return p.View(), p.Truth(), p.Events(0)
	}
	for _, rotary := range []bool{false, true} {
		v1, t1, e1 := run(rotary, 250*time.Millisecond)
		for _, chunk := range []time.Duration{300 * time.Millisecond, 10 * time.Second, 30 * time.Second} {
			v2, t2, e2 := run(rotary, chunk)
			if d := cmp.Diff(v1, v2) + cmp.Diff(t1, t2) + cmp.Diff(e1, e2); d != "" {
				t.Errorf("rotary %t, in pieces of %v, seed 8: %s", rotary, chunk, d)
			}
		}
		if t1.Bubbles < 10 || len(e1) < 12 {
			t.Errorf("too little happened: %d bubbles, %d events", t1.Bubbles, len(e1))
		}
	}
}
