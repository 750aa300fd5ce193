package pumpmodel

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// ideal has no errors of motor, set, sensor and air, so that what is left is the stroke.
func ideal() Config {
	c := Default()
	c.SetSigma, c.Fatigue, c.NoiseSigma, c.CamAmplitude, c.StartUpML = 0, 0, 0, 0, 0
	c.SensorNoiseMbar, c.SensorOffsetMbar, c.VenousMbar = 0, 0, 0
	c.BubblesPerH, c.NewBagBubblesH, c.NearEndTime = 0, 0, 0
	return c
}

const mbarPerPSI = 68.9476

// timeToAlarm closes the line just after a stroke and returns how long the pump needs to notice, with the truth then.
func timeToAlarm(t *testing.T, cfg Config, rate float64) (time.Duration, Truth) {
	t.Helper()
	cfg.CatheterResistance = 0.01 // nothing of the stroke before is left in the line
	p := start(t, cfg, 1, rate)
	strokes := p.View().Strokes
	until(t, p, 2*time.Hour, func() bool { return p.View().Strokes > strokes })
	p.Advance(time.Second) // the stroke is emptied
	must(t, p.OccludeDownstream(1))
	took := until(t, p, 12*time.Hour, func() bool { return p.View().State == AlarmStop })
	return took, p.Truth()
}

// "Time to alarm t = C·(P_alarm − P_0)/R, minutes (P_0 ≈ 0)": every cell of the table within one stroke,
// and the stored volume with the bolus that it makes.
// Covers GW-123.
func TestTimeToAlarmTable(t *testing.T) {
	rates := [...]float64{0.2, 0.5, 1.11, 2, 5, 10}
	for _, row := range []struct {
		compliance, psi, storedML float64
		minutes                   [len(rates)]float64
		bolus, therapy            float64 // mcg/kg of dobutamine 2000 mcg/mL for 7.4 kg; minutes at 5 mcg/kg/min
	}{
		{0.1, 10, 0.069, [...]float64{21, 8.3, 3.7, 2.1, 0.8, 0.4}, 19, 3.7},
		{0.1, 18, 0.124, [...]float64{37, 15, 6.7, 3.7, 1.5, 0.7}, 34, 6.7},
		{0.3, 10, 0.207, [...]float64{62, 25, 11, 6.2, 2.5, 1.2}, 56, 11},
		{0.3, 18, 0.372, [...]float64{112, 45, 20, 11, 4.5, 2.2}, 101, 20},
		{0.3, 26, 0.538, [...]float64{161, 65, 29, 16, 6.5, 3.2}, 145, 29},
		{1.0, 18, 1.241, [...]float64{372, 149, 67, 37, 15, 7.4}, 335, 67},
		{1.0, 26, 1.793, [...]float64{538, 215, 97, 54, 22, 11}, 484, 97},
	} {
		cfg := ideal()
		cfg.ComplianceMLPerBar, cfg.LimitMbar = row.compliance, row.psi*mbarPerPSI
		for i, rate := range rates {
			t.Run(fmt.Sprintf("C %v, %v psi, %v mL/h", row.compliance, row.psi, rate), func(t *testing.T) {
				took, truth := timeToAlarm(t, cfg, rate)
				published, stroke := row.minutes[i], 60*cfg.StrokeML/rate
				rounding := 0.5 * math.Pow(10, math.Floor(math.Log10(published))-1)
				if got := took.Minutes(); got < published-rounding-0.05 || got > published+stroke+rounding+0.05 {
					t.Errorf("alarm after %.2f min, published %v and at most one stroke of %.2f min more", got, published, stroke)
				}
				if got := truth.StoredML; got < row.storedML-0.001 || got > row.storedML+cfg.StrokeML+0.001 {
					t.Errorf("stored %.3f mL, published %v and at most one stroke more", got, row.storedML)
				}
			})
		}
		t.Run(fmt.Sprintf("C %v, %v psi, bolus", row.compliance, row.psi), func(t *testing.T) {
			fine := cfg
			fine.StrokeML = 0.002
			_, truth := timeToAlarm(t, fine, 5)
			bolus := truth.StoredML * 2000 / 7.4
			if math.Abs(bolus-row.bolus) > 0.02*row.bolus+0.5 {
				t.Errorf("bolus %.1f mcg/kg, published %v", bolus, row.bolus)
			}
			if got := bolus / 5; math.Abs(got-row.therapy) > 0.02*row.therapy+0.5 {
				t.Errorf("bolus is %.1f min of therapy, published %v", got, row.therapy)
			}
		})
	}
}

// "Crono ambulatory pump manual 0.1 mL/h ≈ 5 h, 0.5 ≈ 50 min, 5 ≈ 5 min (0.42–0.5 mL stored); syringe pumps
// with 50 mL syringe 117 min at 0.5 mL/h, 15 min at 5 mL/h (0.98–1.25 mL); syringe compliance 0.9–2.1 mL/bar."
// Covers GW-123.
func TestPublishedAlarmTimesOfOtherPumps(t *testing.T) {
	for _, row := range []struct {
		name                  string
		compliance, limitMbar float64
		rate, minutes, about  float64
		least, most           float64 // stored mL
	}{
		{"Crono", 0.36, 1300, 0.1, 300, 0.1, 0.42, 0.5},
		{"Crono", 0.36, 1300, 0.5, 50, 0.15, 0.42, 0.5},
		{"Crono", 0.36, 1300, 5, 5, 0.15, 0.42, 0.5},
		{"50 mL syringe", 1.2, 813, 0.5, 117, 0.02, 0.97, 1.26},
		{"50 mL syringe", 1.5, 833, 5, 15, 0.02, 0.97, 1.26},
	} {
		t.Run(fmt.Sprintf("%s %v mL/h", row.name, row.rate), func(t *testing.T) {
			cfg := ideal()
			cfg.StrokeML, cfg.ComplianceMLPerBar, cfg.LimitMbar = 0.002, row.compliance, row.limitMbar
			took, truth := timeToAlarm(t, cfg, row.rate)
			if got := took.Minutes(); math.Abs(got/row.minutes-1) > row.about {
				t.Errorf("alarm after %.1f min, published %v", got, row.minutes)
			}
			if got := truth.StoredML; got < row.least || got > row.most {
				t.Errorf("stored %.3f mL, published %v to %v", got, row.least, row.most)
			}
		})
	}
}

// "Release after occlusion: bolus V_b = C·(P−P_v) with time constant R_c·C (2 s); optional pump back-off removes 70 %.".
// Covers GW-123.
func TestReleaseHasItsTimeConstant(t *testing.T) {
	cfg := ideal()
	cfg.Step = 50 * time.Millisecond
	p := start(t, cfg, 1, 10)
	must(t, p.OccludeDownstream(1))
	until(t, p, time.Hour, func() bool { return p.View().State == AlarmStop })
	p.Advance(time.Second)
	before := p.Truth()
	p.Release()
	// R_c·C = 2 mbar·h/mL · 0.3 mL/bar = 0.0006 h = 2.16 s: after that 63 % are gone.
	p.Advance(2150 * time.Millisecond)
	if got := (p.Truth().PatientML - before.PatientML) / before.StoredML; math.Abs(got-(1-math.Exp(-1))) > 0.01 {
		t.Errorf("after one time constant %.3f of the bolus reached the patient, want 0.632", got)
	}
	cfg.BackOff = 0.7
	p = start(t, cfg, 1, 10)
	must(t, p.OccludeDownstream(1))
	until(t, p, time.Hour, func() bool { return p.View().State == AlarmStop })
	if got := p.Truth().StoredML / before.StoredML; math.Abs(got-0.3) > 0.02 {
		t.Errorf("the pump's back-off left %.2f of the stored volume, want 0.30", got)
	}
}

// "Flow error over windows at 10 mL/h: 2 min −13…+15 %, 11 min −1…+5 %, 50 min +1…+2 % around a set error of +3 %; at
// 1.11 mL/h: 11 min −7…+34 %, 1 h 0…+7 %, 2 h +1…+4 %; with 0.01 mL strokes at 1.11 mL/h 11 min −2…+9 %." One
// random run was published: the mean over seeds must lie near, and every seed not far.
// Covers GW-123.
func TestFlowErrorWindows(t *testing.T) {
	for _, row := range []struct {
		rate, stroke float64
		window       time.Duration
		low, high    float64
	}{
		{10, 0.05, 2 * time.Minute, -0.13, 0.15},
		{10, 0.05, 11 * time.Minute, -0.01, 0.05},
		{10, 0.05, 50 * time.Minute, 0.01, 0.02},
		{1.11, 0.05, 11 * time.Minute, -0.07, 0.34},
		{1.11, 0.05, time.Hour, 0, 0.07},
		{1.11, 0.05, 2 * time.Hour, 0.01, 0.04},
		{1.11, 0.01, 11 * time.Minute, -0.02, 0.09},
	} {
		t.Run(fmt.Sprintf("%v mL/h, strokes of %v mL, %v", row.rate, row.stroke, row.window), func(t *testing.T) {
			const seeds = 8
			var low, high float64
			for seed := uint64(1); seed <= seeds; seed++ {
				l, h := windows(t, row.rate, row.stroke, row.window, seed)
				if l < row.low-0.06 || h > row.high+0.06 {
					t.Errorf("seed %d: %+.3f to %+.3f, published %+.2f to %+.2f", seed, l, h, row.low, row.high)
				}
				low, high = low+l/seeds, high+h/seeds
			}
			if math.Abs(low-row.low) > 0.035 || math.Abs(high-row.high) > 0.055 {
				t.Errorf("mean over %d seeds %+.3f to %+.3f, published %+.2f to %+.2f", seeds, low, high, row.low, row.high)
			}
		})
	}
}

// windows returns the extremes of the flow error over sliding windows of ten hours.
func windows(t *testing.T, rate, stroke float64, window time.Duration, seed uint64) (low, high float64) {
	t.Helper()
	cfg := Default()
	cfg.StrokeML, cfg.BubblesPerH = stroke, 0
	p := start(t, cfg, seed, rate)
	p.set.fixed = 0.03
	p.Advance(24 * time.Hour)
	const every = 10 * time.Second
	var at []float64
	for range int((10*time.Hour + window) / every) {
		p.Advance(every)
		at = append(at, p.Truth().PatientML)
	}
	low, high = math.Inf(1), math.Inf(-1)
	n := int(window / every)
	for i := n; i < len(at); i++ {
		e := (at[i]-at[i-n])/(rate*window.Hours()) - 1
		low, high = math.Min(low, e), math.Max(high, e)
	}
	return low, high
}

// "start-up after set change: v·(1−exp(−V_since/0.05 mL)) → 95 % after 0.15 mL = 18 min at 0.5 mL/h, 0.9 min at 10 mL/h".
// Covers GW-123.
func TestStartUpAfterASetChange(t *testing.T) {
	for _, row := range []struct{ rate, minutes float64 }{{0.5, 18}, {10, 0.9}} {
		cfg := ideal()
		cfg.StartUpML, cfg.StrokeML = 0.05, 0.002
		p := start(t, cfg, 1, row.rate)
		must(t, p.NewBag(50, true))
		must(t, p.Run())
		first := p.View().Strokes
		took := until(t, p, time.Hour, func() bool { return float64(p.View().Strokes-first)*cfg.StrokeML >= 0.15 })
		if got := took.Minutes(); math.Abs(got-row.minutes) > 0.02*row.minutes {
			t.Errorf("%v mL/h: 0.15 mL after %.2f min, published %v", row.rate, got, row.minutes)
		}
		if got := p.set.factor(&p.cfg, p.elapsed, cfg.StrokeML); math.Abs(got-0.95) > 0.005 {
			t.Errorf("%v mL/h: the stroke after 0.15 mL gives %.3f, published 0.95", row.rate, got)
		}
	}
}

// "alarm after 3 strokes with η_up < 0.5 (0.15 mL: 18 min at 0.5 mL/h, 0.9 min at 10 mL/h), if the sensor is enabled".
// Covers GW-123.
func TestUpstreamAlarmTimes(t *testing.T) {
	for _, row := range []struct{ rate, minutes float64 }{{0.5, 18}, {10, 0.9}} {
		p := start(t, ideal(), 1, row.rate)
		p.Advance(time.Hour)
		p.OccludeUpstream(true)
		took := until(t, p, time.Hour, func() bool { return p.View().State == AlarmStop })
		// The stroke that empties the line is full; three unfilled ones follow.
		if got, stroke := took.Minutes(), 3/row.rate; got < row.minutes-0.02 || got > row.minutes+stroke+0.02 {
			t.Errorf("%v mL/h: alarm after %.2f min, published %v and at most one stroke of %.1f min more", row.rate, got, row.minutes, stroke)
		}
	}
	cfg := ideal()
	cfg.UpstreamSensor = false
	p := start(t, cfg, 1, 10)
	p.OccludeUpstream(true)
	p.Advance(time.Hour)
	if v := p.View(); v.State != Running || len(v.Alarms) != 0 {
		t.Errorf("without a sensor: state %v, alarms %v", v.State, v.Alarms)
	}
}

// "colour-screen pump: Q 5200, I_b 18 → 6.6 d at 10 mL/h"; "Cold below 10 °C: Q × 0.7".
// Covers GW-123.
func TestBatteryOfAColourScreenAndInTheCold(t *testing.T) {
	life := func(change func(*Config)) float64 {
		cfg := ideal()
		cfg.Step = time.Second
		change(&cfg)
		p := start(t, cfg, 1, 10)
		p.hang(9000)
		return until(t, p, 30*24*time.Hour, func() bool { return p.View().State == AlarmStop }).Hours() / 24
	}
	colour := func(c *Config) { c.BatteryMAH, c.IdleMA = 5200, 18 }
	if got := life(colour); math.Abs(got-6.6) > 0.05 {
		t.Errorf("colour screen: %.2f d, published 6.6", got)
	}
	warm := life(func(*Config) {})
	cold := life(func(c *Config) { c.TemperatureC = -5 })
	if math.Abs(cold/warm-0.7) > 0.005 {
		t.Errorf("in the cold %.3f of the time, published 0.7", cold/warm)
	}
}
