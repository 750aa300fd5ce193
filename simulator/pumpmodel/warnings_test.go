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

func TestWarningsBeforeTheEnd(t *testing.T) {
	c := exact(0.3, 1241)
	c.ReservoirLowML, c.NearEndTime = 5, 30*time.Minute
	p := started(t, c, 10, 1)
	if err := p.NewBag(12, false); err != nil {
		t.Fatal(err)
	}
	if err := p.SetVTBI(15); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if got := untilAlarm(p, AlarmReservoirLow, 2*time.Hour); math.Abs(got.Minutes()-42) > 0.5 {
		t.Errorf("reservoir low after %v, want 42 min: 7 of 12 mL at 10 mL/h", got)
	}
	if got := untilAlarm(p, AlarmNearEnd, 2*time.Hour); math.Abs(got.Minutes()-18) > 0.5 || !p.state.Moving() {
		t.Errorf("near end %v later, want 18 min: 10 mL are given then", got)
	}
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := p.NewBag(50, true); err != nil {
		t.Fatal(err)
	}
	if p.active[AlarmReservoirLow] || p.active[AlarmNearEnd] {
		t.Errorf("a new bag leaves %v", p.View().Alarms)
	}
}

func TestStoppedReminder(t *testing.T) {
	c := exact(0.3, 1241)
	c.ReminderTime = time.Minute
	p := started(t, c, 10, 1)
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	if got := untilAlarm(p, AlarmStoppedReminder, time.Hour); got.Round(time.Second) != time.Minute {
		t.Errorf("reminder after %v", got)
	}
	if err := p.Run(); err != nil || len(p.View().Alarms) != 0 {
		t.Errorf("after a start: %v, %v", err, p.View().Alarms)
	}
}

func TestBubbles(t *testing.T) {
	c := exact(0.3, 1241)
	c.AirDetector = true
	p := started(t, c, 10, 1)
	for range 6 {
		if err := p.Bubble(140); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.View().Alarms) != 0 {
		t.Errorf("840 uL in bubbles of 140: %v", p.View().Alarms)
	}
	for range 2 {
		if err := p.Bubble(140); err != nil {
			t.Fatal(err)
		}
	}
	if !p.active[AlarmAirInLine] || p.state != AlarmStop {
		t.Error("1.1 mL of air within 15 min and no alarm")
	}
}

func TestTemperature(t *testing.T) {
	c := exact(0.3, 1241)
	c.RoomSwingC = 0
	p := started(t, c, 10, 1)
	if got := p.View().TemperatureC; got != 26 {
		t.Errorf("worn in a room of 22 degrees: %v, want 26", got)
	}
	if err := p.Heat(20, time.Hour); err != nil {
		t.Fatal(err)
	}
	p.Advance(20 * time.Minute)
	if got := p.View().TemperatureC; math.Abs(got-(26+20*(1-math.Exp(-1)))) > 0.1 {
		t.Errorf("20 minutes in the sun: %v", got)
	}
	p.Advance(4 * time.Hour)
	if got := p.View().TemperatureC; math.Abs(got-26) > 0.1 {
		t.Errorf("hours later: %v", got)
	}
}

func TestCountersStickKeepAndReset(t *testing.T) {
	c := exact(0.3, 1241)
	c.CounterSticks, c.StrokeML = true, 0.01
	p := started(t, c, 100, 1)
	p.cfg.RolloverML = 20
	p.Advance(15 * time.Minute)
	if got := p.View().InfusedML; got != 20 {
		t.Errorf("a counter that sticks at 20 shows %v", got)
	}
	c = exact(0.3, 1241)
	c.CounterKeeps, c.BatteryResetsCounter, c.BatteryResetsClock = true, true, true
	p = started(t, c, 100, 1)
	p.Advance(6 * time.Minute)
	before := p.View().InfusedML
	if err := p.NewBag(100, false); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if got := p.View().InfusedML; got != before || before < 9.9 {
		t.Errorf("a counter that keeps shows %v, before the bag change %v", got, before)
	}
	p.battery.charge = 0.5
	if err := p.SetBattery(1); err != nil {
		t.Fatal(err)
	}
	if v := p.View(); v.InfusedML != 0 || v.Clock != 0 {
		t.Errorf("new cells: counter %v, clock %v", v.InfusedML, v.Clock)
	}
}

func TestRotaryPumpFlowsBetweenStrokes(t *testing.T) {
	c := exact(0.3, 1241)
	still := 0
	for _, rotary := range []bool{false, true} {
		c.Rotary = rotary
		p := started(t, c, 1, 1)
		p.Advance(10 * time.Minute)
		still = 0
		for range 600 {
			p.Advance(time.Second)
			if p.Truth().PatientRate < 0.2 {
				still++
			}
		}
		if rotary && still > 60 || !rotary && still < 300 {
			t.Errorf("rotary %v: nothing flows for %d of 600 s", rotary, still)
		}
	}
}

func TestHeightMovesTheLinePressure(t *testing.T) {
	p := started(t, exact(0.3, 1241), 1, 1)
	before := p.Truth().LineMbar
	if err := p.SetHeight(30); err != nil {
		t.Fatal(err)
	}
	p.Advance(10 * time.Minute)
	if got := p.Truth().LineMbar - before; got < 28 {
		t.Errorf("30 cm give %v mbar", got)
	}
}
