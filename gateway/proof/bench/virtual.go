package main

import (
	"math/big"
	"runtime/debug"
	"syscall"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/check"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/normalize"
	"infusiond/gateway/prescription"
	"infusiond/gateway/proof/parts"
	"infusiond/gateway/units"
	"infusiond/simulator"
)

const (
	virtualInterval = 5 * time.Second // between two polls, the gateway's default
	virtualFor      = 4 * time.Second // of processor time for each driver
)

// virtual measures how many pump-days pass per second and core when every byte is made, sent through a line in
// memory, read by the driver, normalized and judged.
func (b *bench) virtual(t parts.TB) {
	b.say("virtual: pump-days per second of processor time, polled each %v through real bytes (goal 5)", virtualInterval)
	b.say("  %-10s %6s %10s %8s %10s %8s %14s", "driver", "pumps", "cycles", "failed", "verdict ok", "cpu s", "pump-days / s")
	var lines []func()
	for _, p := range protocols() {
		v := b.pumpDays(t, p)
		perS := v.simulated.Hours() / 24 / v.cpu.Seconds()
		b.say("  %-10s %6d %10d %8d %10d %8.2f %14.2f", p.name, v.lives, v.cycles, v.failed, v.ok, v.cpu.Seconds(), perS)
		lines = append(lines, func() {
			b.say("bench: virtual driver=%s pump_days_per_s=%.2f cycles=%d failed=%d ok=%d seed=%d", p.name, perS, v.cycles, v.failed, v.ok, b.seed)
		})
	}
	for _, say := range lines {
		say()
	}
}

// days is what one driver's runs came to.
type days struct {
	simulated, cpu            time.Duration
	cycles, failed, ok, lives int
}

// life is at most how long one pump runs: then its programmed volume is near its end. A pump whose battery is empty
// before is replaced, too.
const life = 3 * 24 * time.Hour

func (b *bench) pumpDays(t parts.TB, p protocol) days {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as a long run in virtual time would
	var d days
	for begin := cpuTime(); d.cpu < virtualFor && t.Context().Err() == nil; d.cpu = cpuTime() - begin {
		b.oneLife(t, p, &d, begin+virtualFor)
	}
	return d
}

// oneLife polls one pump until it falls silent, its life is over, or the processor time is used up.
func (b *bench) oneLife(t parts.TB, p protocol, d *days, until time.Duration) {
	t.Helper()
	pump, err := simulator.PumpOf(p.name, "blue")
	if err != nil {
		t.Fatalf("make pump: %v", err)
	}
	v, err := simulator.NewVirtual(pump, b.seed+uint64(d.lives))
	if err != nil {
		t.Fatalf("make pump: %v", err)
	}
	driver, err := p.make(nil)
	if err != nil {
		t.Fatalf("make driver: %v", err)
	}
	conn, err := driver.Open(t.Context(), v, drivers.OpenOptions{Now: v.Now})
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	d.lives++
	book, judge := orders(pump.Rate), check.New(instant(0))
	for n := 0; v.Now() < life && (n%256 != 0 || cpuTime() < until); n++ {
		at := v.Now()
		in := normalize.Input{Pump: pump.Name, At: instant(at), Link: infusion.Link{State: infusion.LinkOnline}}
		err := conn.Poll(t.Context(), func(r drivers.Report) { in.Report = &r })
		if in.Report == nil {
			d.failed++
			if n == 0 {
				t.Fatalf("%s: %v", p.name, err)
			}
			break
		}
		order, ordered := book.At(pump.Name, in.At.UTC)
		if judge.Observe(normalize.Observation(in), order, ordered).Verdict == message.VerdictOK {
			d.ok++
		}
		d.cycles++
		v.Pass(max(at+virtualInterval-v.Now(), 0))
	}
	d.simulated += v.Now()
}

// orders is a prescription of what the pump is set to.
func orders(rate float64) *prescription.Book {
	r := units.Rate(rate*100+0.5) * units.MilliliterPerHour / 100
	weight, concentration := big.NewRat(74, 10), big.NewRat(200, 1)
	dose := prescription.DoseOf(r, weight, concentration)
	return &prescription.Book{Prescriptions: []*prescription.Prescription{{
		Patient: "bench", Version: 1, EffectiveFrom: instant(-time.Hour).UTC, WeightKg: weight,
		Infusions: []prescription.Infusion{{
			Name: "milrinone", Pump: "blue", Drug: "milrinone", DoseMcgPerKgPerMin: dose, ConcentrationMcgPerMl: concentration,
			Start: instant(-time.Hour).UTC, Step: units.MilliliterPerHour / 100, Rate: r, Rounded: r,
			Bag:    &prescription.Bag{Drug: "milrinone", ConcentrationMcgPerMl: concentration, ConfirmedBy: "two", ConfirmedAt: instant(-time.Hour).UTC},
			Limits: &prescription.Drug{Name: "milrinone"},
		}},
	}}}
}

func instant(boot time.Duration) infusion.Instant {
	return infusion.Instant{UTC: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).Add(boot), Boot: time.Hour + boot, Synced: true}
}

// cpuTime is the processor time of this process so far, its garbage collector's included.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // cannot fail with these arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
