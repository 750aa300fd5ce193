package pumpmodel

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// exact is a pump whose strokes are exact and whose sensors do not err, with zero pressure at rest.
func exact(complianceMLPerBar, limitMbar float64) Config {
	c := Default()
	c.SetSigma, c.Fatigue, c.NoiseSigma, c.CamAmplitude, c.StartUpML = 0, 0, 0, 0, 0
	c.SensorNoiseMbar, c.SensorOffsetMbar, c.VenousMbar, c.BagSigma = 0, 0, 0, 0
	c.ComplianceMLPerBar, c.LimitMbar = complianceMLPerBar, limitMbar
	return c
}

func started(t *testing.T, c Config, rate float64, seed uint64) *Pump {
	t.Helper()
	p, err := New(c, Setup{Program: Program{Rate: rate, VTBIML: 2000}}, rand.New(rand.NewPCG(seed, seed)))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	return p
}

// untilAlarm lets time pass until the alarm stands; the time, or -1.
func untilAlarm(p *Pump, a Alarm, limit time.Duration) time.Duration {
	begin := p.Elapsed()
	for p.Elapsed()-begin < limit {
		p.Advance(p.cfg.Step)
		if p.active[a] {
			return p.Elapsed() - begin
		}
	}
	return -1
}

const mbarPerPsi = 68.95

// The table of domain facts 3.3: minutes from a closed line to the alarm, the volume that is stored then, and what its release gives in minutes
// of therapy with dobutamine 2000 mcg/mL at 7.4 kg (5 mcg/kg/min is 1.11 mL/h). Figures are printed with two digits.
func TestPublishedTimesToAlarm(t *testing.T) {
	rates := []float64{0.2, 0.5, 1.11, 2, 5, 10}
	for _, row := range []struct {
		compliance, psi, storedML float64
		minutes                   []float64
		bolusMin                  float64
	}{
		{0.1, 10, 0.069, []float64{21, 8.3, 3.7, 2.1, 0.8, 0.4}, 3.7},
		{0.1, 18, 0.124, []float64{37, 15, 6.7, 3.7, 1.5, 0.7}, 6.7},
		{0.3, 10, 0.207, []float64{62, 25, 11, 6.2, 2.5, 1.2}, 11},
		{0.3, 18, 0.372, []float64{112, 45, 20, 11, 4.5, 2.2}, 20},
		{0.3, 26, 0.538, []float64{161, 65, 29, 16, 6.5, 3.2}, 29},
		{1.0, 18, 1.241, []float64{372, 149, 67, 37, 15, 7.4}, 67},
		{1.0, 26, 1.793, []float64{538, 215, 97, 54, 22, 11}, 97},
	} {
		for i, rate := range rates {
			c := exact(row.compliance, row.psi*mbarPerPsi)
			c.StrokeML = 0.01
			p := started(t, c, rate, 1)
			if err := p.OccludeDownstream(1); err != nil {
				t.Fatal(err)
			}
			got := untilAlarm(p, AlarmOcclusionDownstream, 12*time.Hour)
			stroke := time.Duration(c.StrokeML / rate * float64(time.Hour))
			slack := stroke + 2*time.Second + time.Duration(0.05*row.minutes[i]*float64(time.Minute)) // and the rounding of the table
			want := time.Duration(row.minutes[i] * float64(time.Minute))
			if got < want-slack || got > want+slack {
				t.Errorf("C %v, %v psi, %v mL/h: %v, want %v within %v", row.compliance, row.psi, rate, got, want, slack)
			}
			if stored := p.Truth().StoredML; math.Abs(stored-row.storedML) > c.StrokeML+0.001 {
				t.Errorf("C %v, %v psi, %v mL/h: %.3f mL stored, want %v", row.compliance, row.psi, rate, stored, row.storedML)
			}
			if rate != 1.11 {
				continue
			}
			before := p.Truth().PatientML
			p.Release()
			p.Advance(time.Minute)
			if bolus := (p.Truth().PatientML - before) / 1.11 * 60; math.Abs(bolus-row.bolusMin) > 0.6 {
				t.Errorf("C %v, %v psi: the release gives %.1f min of therapy, want %v", row.compliance, row.psi, bolus, row.bolusMin)
			}
		}
	}
}

// Published manuals: Crono 0.1 mL/h about 5 h, 0.5 about 50 min, 5 about 5 min with 0.42 to 0.5 mL stored; syringe pumps with a 50 mL syringe 117 min at
// 0.5 mL/h and 15 min at 5 mL/h with 0.98 to 1.25 mL stored.
func TestPublishedManuals(t *testing.T) {
	for _, row := range []struct {
		name                    string
		compliance, limit, rate float64
		minutes, share          float64
		leastStored, mostStored float64
	}{
		{"Crono 0.1", 0.46, 1000, 0.1, 300, 0.12, 0.42, 0.51},
		{"Crono 0.5", 0.46, 1000, 0.5, 50, 0.15, 0.42, 0.51},
		{"Crono 5", 0.46, 1000, 5, 5, 0.15, 0.42, 0.51},
		{"syringe 0.5", 1.4, 700, 0.5, 117, 0.05, 0.95, 1.26},
		{"syringe 5", 1.4, 700, 5, 15, 0.25, 0.95, 1.26},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := exact(row.compliance, row.limit)
			c.StrokeML = 0.01
			p := started(t, c, row.rate, 1)
			if err := p.OccludeDownstream(1); err != nil {
				t.Fatal(err)
			}
			got := untilAlarm(p, AlarmOcclusionDownstream, 12*time.Hour).Minutes()
			if math.Abs(got-row.minutes) > row.share*row.minutes {
				t.Errorf("alarm after %.0f min, want about %v", got, row.minutes)
			}
			if s := p.Truth().StoredML; s < row.leastStored || s > row.mostStored {
				t.Errorf("%.3f mL stored, want %v to %v", s, row.leastStored, row.mostStored)
			}
		})
	}
}

// "Release: bolus V_b = C(P-P_v) with time constant R_c C (2 s)"; the default line: 2 mbar h/mL and 0.3 mL/bar.
func TestReleaseHasATimeConstantOfTwoSeconds(t *testing.T) {
	c := exact(0.3, 18*mbarPerPsi)
	c.Step = 50 * time.Millisecond
	p := started(t, c, 1.11, 1)
	if err := p.OccludeDownstream(1); err != nil {
		t.Fatal(err)
	}
	untilAlarm(p, AlarmOcclusionDownstream, time.Hour)
	stored := p.Truth().StoredML
	p.Release()
	tau := time.Duration(c.CatheterResistance * c.ComplianceMLPerBar / 1000 * float64(time.Hour))
	if tau < 2*time.Second || tau > 2200*time.Millisecond {
		t.Errorf("time constant %v", tau)
	}
	p.Advance(tau)
	if share := p.Truth().StoredML / stored; math.Abs(share-math.Exp(-1)) > 0.02 {
		t.Errorf("after one time constant %.3f are left, want 0.368", share)
	}
}
