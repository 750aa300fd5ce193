package pumpmodel

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// start returns a running pump.
func start(t *testing.T, cfg Config, seed uint64, rate float64) *Pump {
	t.Helper()
	p, err := New(cfg, Setup{Program: Program{Name: "DAILY 1", Rate: rate, VTBIML: 9000}}, rand.New(rand.NewPCG(seed, 0)))
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if err := p.Run(); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return p
}

// until advances p in steps until done or limit, and returns the time that took.
func until(t *testing.T, p *Pump, limit time.Duration, done func() bool) time.Duration {
	t.Helper()
	begin := p.Elapsed()
	for !done() {
		if p.Elapsed()-begin > limit {
			t.Fatalf("not reached after %v, state %v, truth %+v", limit, p.View().State, p.Truth())
		}
		p.Advance(p.cfg.Step)
	}
	return p.Elapsed() - begin
}

// TestDownstreamOcclusion holds the published table: C 0.3 mL/bar, 18 psi, strokes
// of 0.05 mL; the time is right within one stroke, the counter goes on, the patient gets nothing.
// Covers GW-123.
func TestDownstreamOcclusion(t *testing.T) {
	for _, row := range []struct{ rate, minutes float64 }{{0.5, 42}, {1.11, 20.6}, {2, 10.5}, {10, 2.1}} {
		for seed := uint64(1); seed <= 5; seed++ {
			t.Run(fmt.Sprintf("%v mL/h seed %d", row.rate, seed), func(t *testing.T) {
				p := start(t, Default(), seed, row.rate)
				p.Advance(time.Hour)
				if err := p.OccludeDownstream(1); err != nil {
					t.Fatal(err)
				}
				p.Advance(5 * time.Second)
				counter, patient := p.View().InfusedML, p.Truth().PatientML
				took := until(t, p, 3*time.Hour, func() bool { return p.View().State == AlarmStop })
				stroke := 60 * p.cfg.StrokeML / row.rate
				if got := took.Minutes(); math.Abs(got-row.minutes) > stroke+0.1 {
					t.Errorf("alarm after %.1f min, published %.1f ± one stroke of %.1f min", got, row.minutes, stroke)
				}
				// The counter has a resolution of 0.1 mL: 0.35 to 0.40 mL commanded show as 0.3 to 0.4.
				if got := p.View().InfusedML - counter; got < 0.29 || got > 0.41 {
					t.Errorf("counter advanced by %.2f mL, want 0.35 to 0.40 at a resolution of 0.1", got)
				}
				if got := p.Truth().PatientML - patient; math.Abs(got) > 1e-9 {
					t.Errorf("patient got %.6f mL through a closed line", got)
				}
			})
		}
	}
}

func TestCommandedVolumeUntilOcclusionAlarm(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		p := start(t, Default(), seed, 1.11)
		p.set.fixed = 0.03 // as in the published run
		p.Advance(time.Hour)
		if err := p.OccludeDownstream(1); err != nil {
			t.Fatal(err)
		}
		before := p.Truth().CommandedML
		until(t, p, 3*time.Hour, func() bool { return p.View().State == AlarmStop })
		if got := p.Truth().CommandedML - before; got < 0.349 || got > 0.401 {
			t.Errorf("seed %d: commanded %.3f mL, published 0.35 to 0.40", seed, got)
		}
	}
}

// TestReleaseBolus lets the stored volume C·(P-Pv) reach the patient within seconds,
// with the pump stopped, and ends the alarm without starting the pump.
// Covers GW-123.
func TestReleaseBolus(t *testing.T) {
	p := start(t, Default(), 7, 1.11)
	p.Advance(time.Hour)
	if err := p.OccludeDownstream(1); err != nil {
		t.Fatal(err)
	}
	until(t, p, 3*time.Hour, func() bool { return p.View().State == AlarmStop })
	if err := p.Run(); !errors.Is(err, ErrAlarm) {
		t.Errorf("start within an alarm: %v, want %v", err, ErrAlarm)
	}
	before := p.Truth()
	if before.StoredML < 0.35 || before.StoredML > 0.45 {
		t.Errorf("stored %.3f mL, want about 0.37", before.StoredML)
	}
	p.Release()
	p.Advance(15 * time.Second)
	after := p.Truth()
	if got := after.PatientML - before.PatientML; math.Abs(got-before.StoredML) > 0.01 {
		t.Errorf("patient got %.3f mL on release, stored were %.3f", got, before.StoredML)
	}
	if after.CommandedML != before.CommandedML {
		t.Error("the counter moved on release")
	}
	if v := p.View(); v.State != Paused || len(v.Alarms) != 0 {
		t.Errorf("after release: state %v alarms %v, want paused and none", v.State, v.Alarms)
	}
	if err := p.Run(); err != nil || p.View().State != Running {
		t.Errorf("start after release: %v, state %v", err, p.View().State)
	}
}

func TestPressurisedLineAlarmsInTime(t *testing.T) {
	for _, stroke := range []float64{0.01, 0.05} {
		for _, rate := range []float64{0.5, 1.11, 10} {
			t.Run(fmt.Sprintf("stroke %v rate %v", stroke, rate), func(t *testing.T) {
				cfg := Default()
				cfg.StrokeML = stroke
				p := start(t, cfg, 3, rate)
				p.Advance(20 * time.Minute)
				if err := p.Pressurise(10 * time.Second); err != nil {
					t.Fatal(err)
				}
				took := until(t, p, time.Minute, func() bool { return p.View().State == AlarmStop })
				if took < 2*time.Second || took > 15*time.Second {
					t.Errorf("alarm after %v, want about 10 s", took)
				}
			})
		}
	}
}

func TestUpstreamOcclusion(t *testing.T) {
	p := start(t, Default(), 1, 0.5)
	p.Advance(time.Hour)
	p.OccludeUpstream(true)
	before := p.Truth()
	took := until(t, p, time.Hour, func() bool { return p.View().State == AlarmStop })
	// The stroke that empties the line is full; three unfilled ones follow: 18 to 24 min.
	if m := took.Minutes(); m < 17.9 || m > 24.1 {
		t.Errorf("alarm after %.1f min, want 18 to 24", m)
	}
	if d := cmp.Diff([]Alarm{AlarmOcclusionUpstream}, p.View().Alarms); d != "" {
		t.Error(d)
	}
	if got := p.Truth().BagML; got != before.BagML {
		t.Errorf("the bag gave %.3f mL through a closed line", before.BagML-got)
	}
	p.OccludeUpstream(false)
	p.Advance(time.Second)
	if v := p.View(); v.State != Paused || len(v.Alarms) != 0 {
		t.Errorf("after opening: state %v, alarms %v", v.State, v.Alarms)
	}
}

// TestSilentFaults holds what no pump can see: the counter goes on, nothing alarms, the patient gets nothing.
func TestSilentFaults(t *testing.T) {
	for _, row := range []struct {
		name string
		act  func(*Pump)
	}{
		{"disconnected", func(p *Pump) { p.Disconnect(true) }},
		{"blocked set under the flow stop", func(p *Pump) {
			if err := p.Block(0); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := start(t, Default(), 2, 2)
			p.Advance(time.Hour)
			row.act(p)
			p.Advance(time.Minute) // what is stored in the line drains
			before := p.Truth()
			p.Advance(4 * time.Hour)
			after := p.Truth()
			if got := after.CommandedML - before.CommandedML; math.Abs(got-8) > 0.051 {
				t.Errorf("counter advanced by %.3f mL in 4 h, want 8", got)
			}
			if got := after.PatientML - before.PatientML; math.Abs(got) > 1e-6 {
				t.Errorf("patient got %.6f mL", got)
			}
			if v := p.View(); v.State != Running || len(v.Alarms) > 0 {
				t.Errorf("state %v alarms %v, want running and none", v.State, v.Alarms)
			}
		})
	}
}

// TestBatteryLife holds the published days until two AA cells are empty.
// Covers GW-123.
func TestBatteryLife(t *testing.T) {
	for _, row := range []struct{ rate, days float64 }{{0.5, 18.1}, {1.11, 15.6}, {2, 13.0}, {10, 5.2}} {
		t.Run(fmt.Sprint(row.rate), func(t *testing.T) {
			cfg := Default()
			cfg.Step = time.Second
			p := start(t, cfg, 1, row.rate)
			p.hang(9000)
			took := until(t, p, 30*24*time.Hour, func() bool { return p.View().State == AlarmStop })
			if got := took.Hours() / 24; math.Abs(got-row.days) > 0.06 {
				t.Errorf("empty after %.2f days, published %.1f", got, row.days)
			}
			var marks []Kind
			for _, e := range p.Events(0) {
				if e.Kind == KindBattery || e.Kind == KindBatteryLow || e.Kind == KindBatteryDepleted {
					marks = append(marks, e.Kind)
				}
			}
			want := []Kind{KindBattery, KindBattery, KindBatteryLow, KindBatteryLow, KindBattery, KindBatteryDepleted}
			if d := cmp.Diff(want, marks); d != "" {
				t.Errorf("battery events: %s", d)
			}
			p.Advance(cfg.ReserveTime + time.Second)
			if got := p.View().State; got != Off {
				t.Errorf("state after the reserve: %v, want off", got)
			}
		})
	}
}

func TestBatteryVolts(t *testing.T) {
	for _, row := range []struct{ charge, volts float64 }{{1, 3.1}, {.9, 2.925}, {.8, 2.75}, {.5, 2.55}, {.1, 2.2}, {.05, 2}, {0, 1.7}} {
		b := battery{charge: row.charge}
		if got := b.volts(); math.Abs(got-row.volts) > 1e-9 {
			t.Errorf("charge %v: %v V, want %v", row.charge, got, row.volts)
		}
		b.mA = 100
		if got := b.volts(); math.Abs(got-row.volts+0.03) > 1e-9 {
			t.Errorf("charge %v under 100 mA: %v V, want 30 mV less", row.charge, got)
		}
	}
}

// TestTrumpet holds that flow errors are wide in short windows and close around the set error in long ones.
func TestTrumpet(t *testing.T) {
	cfg := Default()
	p := start(t, cfg, 11, 10)
	p.set.fixed = 0.03
	p.Advance(36 * time.Hour) // the tube is tired: -2 %
	spread := func(window time.Duration, n int) (low, high float64) {
		low, high = math.Inf(1), math.Inf(-1)
		for range n {
			before := p.Truth().PatientML
			p.Advance(window)
			e := (p.Truth().PatientML-before)/(10*window.Hours()) - 1
			low, high = math.Min(low, e), math.Max(high, e)
		}
		return low, high
	}
	low2, high2 := spread(2*time.Minute, 60)
	low50, high50 := spread(50*time.Minute, 20)
	if low2 > -0.05 || high2 < 0.07 || low2 < -0.25 || high2 > 0.30 {
		t.Errorf("2 min windows: %+.3f to %+.3f, want about -0.13 to +0.15", low2, high2)
	}
	if low50 < -0.02 || high50 > 0.04 {
		t.Errorf("50 min windows: %+.3f to %+.3f, want about +0.01 ± 0.02", low50, high50)
	}
	if high50-low50 > (high2-low2)/3 {
		t.Errorf("the trumpet does not close: %.3f at 2 min, %.3f at 50 min", high2-low2, high50-low50)
	}
}

func TestSetErrorsAreDistributed(t *testing.T) {
	var sum, squares float64
	const n = 2000
	cfg := Default()
	for seed := range uint64(n) {
		e := newSetError(rand.New(rand.NewPCG(seed, 1)), &cfg, 0, true)
		if math.Abs(e.fixed) > cfg.SetCut {
			t.Fatalf("seed %d: set error %v above the cut", seed, e.fixed)
		}
		sum += e.fixed
		squares += e.fixed * e.fixed
	}
	if mean := sum / n; math.Abs(mean) > 0.002 {
		t.Errorf("mean set error %v", mean)
	}
	if sigma := math.Sqrt(squares / n); sigma < 0.022 || sigma > 0.027 {
		t.Errorf("standard deviation %v, want about 0.025", sigma)
	}
}

func TestStartUpLosesTheFirstStrokes(t *testing.T) {
	cfg := Default()
	e := newSetError(rand.New(rand.NewPCG(1, 1)), &cfg, 0, true)
	e.fixed, cfg.NoiseSigma, cfg.CamAmplitude, cfg.Fatigue, e.noise = 0, 0, 0, 0, 0
	for i, want := range []float64{1 - math.Exp(-1), 1 - math.Exp(-2), 1 - math.Exp(-3)} {
		if got := e.factor(&cfg, 0, 0.05); math.Abs(got-want) > 1e-12 {
			t.Errorf("stroke %d: %v, want %v", i, got, want)
		}
	}
}

// TestSameSeedSameRun divides time in two ways and compares everything.
// Covers GW-121.
func TestSameSeedSameRun(t *testing.T) {
	run := func(seed uint64, chunk time.Duration) (View, Truth, []Event) {
		p, err := New(Default(), Setup{Program: Program{Rate: 1.11, VTBIML: 100}, BagML: 50}, rand.New(rand.NewPCG(seed, 0)))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		for at := time.Duration(0); at < 3*time.Hour; at += chunk {
			p.Advance(chunk)
			if at+chunk == time.Hour {
				if err := p.OccludeDownstream(1); err != nil {
					t.Fatal(err)
				}
			}
		}
		return p.View(), p.Truth(), p.Events(0)
	}
	v1, t1, e1 := run(5, 100*time.Millisecond)
	v2, t2, e2 := run(5, 30*time.Second)
	if d := cmp.Diff(v1, v2) + cmp.Diff(t1, t2) + cmp.Diff(e1, e2); d != "" {
		t.Errorf("the same seed gave another run:\n%s", d)
	}
	_, t3, _ := run(6, 30*time.Second)
	if cmp.Equal(t1, t3) {
		t.Error("another seed gave the same run")
	}
}

// Covers GW-123.
func TestCounterIsExactAndRollsOver(t *testing.T) {
	cfg := Default()
	p := start(t, cfg, 1, 1)
	p.cfg.RolloverML = 10
	for hour := 1; hour <= 25; hour++ {
		p.Advance(time.Hour)
		want := math.Mod(float64(hour), 10)
		got := p.View().InfusedML
		if d := math.Mod(want-got+10, 10); d > 0.1001 && d < 9.999 || got >= 10 {
			t.Fatalf("after %d h: counter %v, want %v less at most one step", hour, got, want)
		}
		if got, want := p.Truth().CommandedML, float64(hour); math.Abs(got-want) > 0.0501 {
			t.Fatalf("after %d h: commanded %v", hour, got)
		}
	}
}

// Covers GW-123.
func TestVolumeBalance(t *testing.T) {
	p := start(t, Default(), 4, 5)
	bag := p.Truth().BagML
	p.Advance(20 * time.Hour)
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	p.Advance(time.Minute)
	tr := p.Truth()
	if out, in := bag-tr.BagML, tr.PatientML+tr.StoredML; math.Abs(out-in) > 1e-6 {
		t.Errorf("out of the bag %.6f mL, into the patient and line %.6f", out, in)
	}
	if tr.PatientRate > 1e-6 {
		t.Errorf("paused pump still gives %v mL/h", tr.PatientRate)
	}
}
