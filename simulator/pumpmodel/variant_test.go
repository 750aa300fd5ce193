package pumpmodel

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// "Bubbles Poisson 0.01/h, 0.5/h for 1 h after bag change; size lognormal median 40 µL, σ 0.8".
func TestBubblesAreDistributed(t *testing.T) {
	const seeds, hours = 400, 100
	var bubbles, fresh, small int
	for seed := range uint64(seeds) {
		p, err := New(Default(), Setup{Program: Program{Rate: 1.11, VTBIML: 9000}}, rand.New(rand.NewPCG(seed, 3)))
		must(t, err)
		for range hours * 60 { // the process itself: a minute of running at a time
			p.bubble(1.0 / 60)
		}
		bubbles += p.air.bubbles
		p.air.bubbles, p.air.newBagUntil = 0, p.elapsed+time.Hour
		for range 60 {
			before := p.air.totalML
			n := p.air.bubbles
			p.bubble(1.0 / 60)
			if p.air.bubbles == n+1 && p.air.totalML-before < 0.04 {
				small++
			}
		}
		fresh += p.air.bubbles
	}
	if got := float64(bubbles) / (seeds * hours); got < 0.008 || got > 0.012 {
		t.Errorf("%.4f bubbles an hour, want 0.01", got)
	}
	if got := float64(fresh) / seeds; got < 0.4 || got > 0.6 {
		t.Errorf("%.2f bubbles in the hour after a bag change, want 0.5", got)
	}
	if got := float64(small) / float64(fresh); got < 0.35 || got > 0.65 {
		t.Errorf("%.2f of them below the median of 40 µL", got)
	}
}

// "alarm limit 150 µL"; "> 1 mL/15 min"; a detector only where the pump has one.
func TestAirAlarms(t *testing.T) {
	for _, row := range []struct {
		name     string
		detector bool
		act      func(p *Pump)
		alarm    bool
	}{
		{"a bubble at the limit", true, func(p *Pump) { must(t, p.Bubble(150)) }, true},
		{"a bubble below it", true, func(p *Pump) { must(t, p.Bubble(149)) }, false},
		{"no detector", false, func(p *Pump) { must(t, p.Bubble(300)) }, false},
		{"more than 1 mL in 15 min", true, func(p *Pump) {
			for range 8 {
				must(t, p.Bubble(140))
				p.Advance(time.Minute)
			}
		}, true},
		{"as much in an hour", true, func(p *Pump) {
			for range 8 {
				must(t, p.Bubble(140))
				p.Advance(8 * time.Minute)
			}
		}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := ideal()
			cfg.AirDetector = row.detector
			p := start(t, cfg, 1, 10)
			row.act(p)
			if got := cmp.Equal(p.View().Alarms, []Alarm{AlarmAirInLine}); got != row.alarm {
				t.Errorf("alarms %v, want one: %t", p.View().Alarms, row.alarm)
			}
			if p.Truth().AirML < 0.149 {
				t.Errorf("truth: %v mL of air", p.Truth().AirML)
			}
		})
	}
}

// "Both orders must occur in tests": air first with 46 mL in a bag of 50, the count first with an overfilled one.
// Covers GW-123.
func TestBagEndsInBothOrders(t *testing.T) {
	for _, row := range []struct {
		name   string
		trueML float64
		want   Alarm
		state  State
	}{
		{"air first", 46, AlarmAirInLine, AlarmStop},
		{"count first", 55, AlarmReservoirEmpty, Complete},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := ideal()
			cfg.AirDetector, cfg.ReservoirLowML = true, 0
			p := fresh(t, cfg, Setup{Program: Program{Rate: 10, VTBIML: 500}, BagML: 50})
			p.up.bagML = row.trueML
			must(t, p.Run())
			took := until(t, p, 6*time.Hour, func() bool { return len(p.View().Alarms) > 0 })
			if v := p.View(); v.State != row.state || !cmp.Equal(v.Alarms, []Alarm{row.want}) {
				t.Errorf("state %v, alarms %v", v.State, v.Alarms)
			}
			// 46 mL less 2 mL dead volume, and 1.0 mL more of strokes until the detector sees it: 45 mL.
			if want := map[Alarm]float64{AlarmAirInLine: 4.5, AlarmReservoirEmpty: 5}[row.want]; math.Abs(took.Hours()-want) > 0.011 {
				t.Errorf("after %.3f h, want %v", took.Hours(), want)
			}
		})
	}
}

func TestBagErrorIsDistributed(t *testing.T) {
	var sum, squares float64
	const n = 2000
	for seed := range uint64(n) {
		p, err := New(Default(), Setup{Program: Program{Rate: 1, VTBIML: 50}, BagML: 50}, rand.New(rand.NewPCG(seed, 9)))
		must(t, err)
		e := p.Truth().BagML/50 - 1
		sum, squares = sum+e, squares+e*e
	}
	if mean, sigma := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 0.003 || sigma < 0.027 || sigma > 0.033 {
		t.Errorf("mean %.4f, sigma %.4f, want 0 and 0.03", mean, sigma)
	}
}

// "dT/dt = (T_env + 4 (worn pouch) − T)/20 min; room 22 ± 3 °C daily sine; sun/car event +20 °C".
func TestTemperatureOfADay(t *testing.T) {
	p := start(t, Default(), 1, 1)
	low, high := math.Inf(1), math.Inf(-1)
	for range 24 * 6 {
		p.Advance(10 * time.Minute)
		low, high = math.Min(low, p.Truth().TemperatureC), math.Max(high, p.Truth().TemperatureC)
	}
	if math.Abs(low-23) > 0.1 || math.Abs(high-29) > 0.1 {
		t.Errorf("%.2f to %.2f °C in a day, want 26 ± 3", low, high)
	}
	before := p.Truth().TemperatureC
	must(t, p.Heat(20, time.Hour))
	p.Advance(20 * time.Minute)
	// The room warms by about 0.3 °C meanwhile.
	if got := p.Truth().TemperatureC - before; math.Abs(got-20*(1-math.Exp(-1))) > 0.4 {
		t.Errorf("%.2f °C more after one time constant in the sun, want 12.6", got)
	}
}

// "Infusomat Space P: set ≥ 10 → 3 mL/h, < 10 → 1 mL/h, < 1 → set rate"; KVO = set rate; stop.
func TestKVOVariants(t *testing.T) {
	for _, row := range []struct {
		name      string
		rule      KVOKind
		kvo, rate float64
		want      float64
		state     State
	}{
		{"fixed", KVOFixed, 0.2, 5, 0.2, KVO},
		{"set rate if lower", KVOFixed, 20, 5, 5, KVO},
		{"stop", KVOFixed, 0, 5, 0, Complete},
		{"set rate", KVOSetRate, 0, 5, 5, KVO},
		{"by rate, high", KVOByRate, 0, 10, 3, KVO},
		{"by rate, middle", KVOByRate, 0, 5, 1, KVO},
		{"by rate, low", KVOByRate, 0, 0.5, 0.5, KVO},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := ideal()
			cfg.KVO, cfg.KVORate = row.rule, row.kvo
			p := fresh(t, cfg, Setup{Program: Program{Rate: row.rate, VTBIML: row.rate / 10}})
			must(t, p.Run())
			p.Advance(10 * time.Minute)
			if v := p.View(); v.State != row.state || v.Rate != row.want || !cmp.Equal(v.Alarms, []Alarm{AlarmComplete}) {
				t.Errorf("%v at %v mL/h with %v, want %v at %v", v.State, v.Rate, v.Alarms, row.state, row.want)
			}
		})
	}
}

func TestPumpRunsOnWithAnEmptyCount(t *testing.T) {
	cfg := ideal()
	cfg.RunsOnEmpty, cfg.OverfillML = true, 20
	p := fresh(t, cfg, Setup{Program: Program{Rate: 60, VTBIML: 500}, BagML: 10})
	must(t, p.Run())
	p.Advance(15 * time.Minute)
	if v := p.View(); v.State != Running || !cmp.Equal(v.Alarms, []Alarm{AlarmReservoirEmpty}) || v.ReservoirML != 0 || v.InfusedML < 14.8 {
		t.Errorf("%+v", v)
	}
}

// "count ≤ 5 mL (set 1–50)"; "VTBI left ≤ 30 min"; "stopped > 1 min".
func TestWarnings(t *testing.T) {
	cfg := Default()
	p := fresh(t, cfg, Setup{Program: Program{Rate: 10, VTBIML: 20}, BagML: 20})
	must(t, p.Run())
	p.up.bagML = 100
	for _, row := range []struct {
		name string
		d    time.Duration
		want []Alarm
	}{
		{"at 89 min", 89 * time.Minute, nil},
		{"half an hour before the end, 5 mL left", 2 * time.Minute, []Alarm{AlarmReservoirLow, AlarmNearEnd}},
		{"at the end", 30 * time.Minute, []Alarm{AlarmReservoirEmpty}},
	} {
		p.Advance(row.d)
		if d := cmp.Diff(row.want, p.View().Alarms); d != "" {
			t.Errorf("%s: %s", row.name, d)
		}
	}
	must(t, p.NewBag(50, false))
	if d := cmp.Diff([]Alarm(nil), p.View().Alarms); d != "" {
		t.Errorf("new bag: %s", d)
	}
	p.Advance(59 * time.Second)
	if d := cmp.Diff([]Alarm(nil), p.View().Alarms); d != "" {
		t.Errorf("before a minute: %s", d)
	}
	p.Advance(7 * time.Second)
	if d := cmp.Diff([]Alarm{AlarmStoppedReminder}, p.View().Alarms); d != "" {
		t.Errorf("stands still: %s", d)
	}
	must(t, p.Run())
	p.Advance(5 * time.Second)
	if d := cmp.Diff([]Alarm(nil), p.View().Alarms); d != "" {
		t.Errorf("runs again: %s", d)
	}
}

func TestNearEndStandsThroughAPause(t *testing.T) {
	p := fresh(t, Default(), Setup{Program: Program{Rate: 10, VTBIML: 5}})
	must(t, p.Run())
	must(t, p.Inject(AlarmAirInLine, 0))
	p.Advance(10 * time.Second)
	if d := cmp.Diff([]Alarm{AlarmAirInLine, AlarmNearEnd}, p.View().Alarms); d != "" {
		t.Error(d)
	}
	must(t, p.Acknowledge())
	must(t, p.SetVTBI(50))
	p.Advance(10 * time.Second)
	if got := p.View().Alarms; got != nil {
		t.Errorf("the end was put off: %v", got)
	}
}

// "Silence 120 s, re-alarm.".
func TestSilenceAndAnnouncingAgain(t *testing.T) {
	p := fresh(t, withoutNearEnd(), Setup{Program: Program{Rate: 10, VTBIML: 100}, BagML: 10})
	p.up.bagML = 100
	must(t, p.Run())
	p.Advance(31 * time.Minute)
	low := []Alarm{AlarmReservoirLow}
	check := func(when string, want []Alarm, sounds bool) {
		t.Helper()
		if v := p.View(); !cmp.Equal(v.Alarms, want) || v.Sounding != sounds {
			t.Errorf("%s: alarms %v, sounding %t", when, v.Alarms, v.Sounding)
		}
	}
	check("low", low, true)
	must(t, p.Silence())
	check("silenced", low, false)
	p.Advance(119 * time.Second)
	check("before 120 s", low, false)
	p.Advance(2 * time.Second)
	check("after 120 s", low, true)
	must(t, p.Silence())
	must(t, p.Inject(AlarmServiceDue, 0))
	check("a new one", []Alarm{AlarmReservoirLow, AlarmServiceDue}, true)
	must(t, p.Acknowledge())
	p.Advance(115 * time.Second)
	check("acknowledged", nil, false)
	p.Advance(15 * time.Second)
	check("it persists", low, true)
}

// "no-disposable warning double beep, alarm after 2 min"; "Starting in an alarm state is refused.".
func TestDoorAndSet(t *testing.T) {
	p := start(t, ideal(), 1, 10)
	p.OpenDoor(true)
	if v := p.View(); v.State != AlarmStop || !cmp.Equal(v.Alarms, []Alarm{AlarmDoorOpen}) {
		t.Errorf("open door: %v %v", v.State, v.Alarms)
	}
	must(t, p.Acknowledge())
	if err := p.Run(); !errors.Is(err, ErrAlarm) || !cmp.Equal(p.View().Alarms, []Alarm{AlarmDoorOpen}) {
		t.Errorf("start with an open door: %v, alarms %v", err, p.View().Alarms)
	}
	p.OpenDoor(false)
	if v := p.View(); v.State != Paused || len(v.Alarms) != 0 {
		t.Errorf("closed door: %v %v", v.State, v.Alarms)
	}
	p.Detach(true)
	p.Advance(110 * time.Second)
	if v := p.View(); cmp.Equal(v.Alarms, []Alarm{AlarmNoDisposable}) {
		t.Error("a standing pump alarms before 2 min")
	}
	p.Advance(15 * time.Second)
	if v := p.View(); v.Alarms == nil || v.Alarms[0] != AlarmNoDisposable {
		t.Errorf("set off for 125 s: %v", v.Alarms)
	}
	p.Detach(false)
	must(t, p.Run())
	p.Detach(true)
	if v := p.View(); v.State != AlarmStop {
		t.Errorf("a running pump whose set is taken off: %v", v.State)
	}
}

// "off → stopped → running ⇄ (kvo | bolus | load | paused | alarm_stop) → complete".
func TestLoadingDose(t *testing.T) {
	p := fresh(t, ideal(), Setup{Program: Program{Rate: 1, VTBIML: 100}})
	must(t, p.GiveLoad(1, 60))
	if v := p.View(); v.State != Bolus || !v.Loading || v.Rate != 60 {
		t.Errorf("%+v", v)
	}
	p.Advance(61 * time.Second)
	if v := p.View(); v.State != Running || v.Loading || v.Rate != 1 || v.InfusedML < 0.99 {
		t.Errorf("%+v", v)
	}
	if err := p.GiveLoad(1, 1e6); !errors.Is(err, ErrRange) {
		t.Errorf("too fast: %v", err)
	}
}

func TestHungProgramRepeatsItself(t *testing.T) {
	p := start(t, ideal(), 1, 10)
	p.Advance(time.Hour)
	before := p.View()
	p.Hang(true)
	p.Advance(time.Minute)
	patient := p.Truth().PatientML
	p.Advance(time.Hour)
	if d := cmp.Diff(before, p.View()); d != "" {
		t.Errorf("says something new: %s", d)
	}
	if got := p.Truth().PatientML - patient; got > 1e-6 || !p.Truth().Hung {
		t.Errorf("the patient got %v mL of a motor that stands", got)
	}
	p.Hang(false)
	p.Advance(time.Hour)
	if got := p.View().InfusedML - before.InfusedML; math.Abs(got-10) > 0.11 {
		t.Errorf("after it: %v mL, want 10", got)
	}
}

// "height ±1 mbar/cm"; "Disconnection/leak: P → 0 at site height".
func TestHeightOfThePump(t *testing.T) {
	p := start(t, ideal(), 1, 1)
	must(t, p.Pause())
	must(t, p.SetHeight(30))
	p.Advance(time.Minute)
	if got := p.Truth().LineMbar; math.Abs(got-30) > 0.1 || p.Truth().StoredML > 1e-3 {
		t.Errorf("30 cm: %v mbar, stored %v", got, p.Truth().StoredML)
	}
	p.Disconnect(true)
	must(t, p.SetHeight(-20))
	p.Advance(time.Minute)
	if got := p.Truth().LineMbar; math.Abs(got+20) > 0.1 {
		t.Errorf("open line at -20 cm: %v mbar", got)
	}
}

// "for a rotary pump spread it: Q = R·(1+0.3·sin 2πφ)".
func TestRotaryPumpFlows(t *testing.T) {
	cfg := ideal()
	cfg.Rotary, cfg.CatheterResistance = true, 0.001
	p := start(t, cfg, 1, 10)
	p.Advance(10 * time.Minute)
	low, high := math.Inf(1), math.Inf(-1)
	for range 200 {
		p.Advance(cfg.Step)
		low, high = math.Min(low, p.Truth().PatientRate), math.Max(high, p.Truth().PatientRate)
	}
	if low < 6.5 || low > 7.6 || high < 12.4 || high > 13.5 {
		t.Errorf("flow %.2f to %.2f mL/h, want 7 to 13", low, high)
	}
	p.Advance(time.Hour)
	if got := p.Truth().CommandedML - p.Truth().PatientML; got < 0 || got > 0.11 {
		t.Errorf("%.3f mL of commanded strokes did not arrive", got)
	}
	must(t, p.Pause())
	before := p.Truth().PatientML
	p.Advance(time.Minute)
	if got := p.Truth().PatientML - before; got > 0.01 {
		t.Errorf("a rotary pump that stands gave %.3f mL", got)
	}
}

// "motor commands too few/many strokes while the pump reports its rate".
func TestMotorOfAnotherSpeed(t *testing.T) {
	for _, factor := range []float64{0.5, 0.9, 1.5} {
		p := start(t, ideal(), 1, 10)
		must(t, p.SlowMotor(factor))
		p.Advance(10 * time.Hour)
		if v := p.View(); v.Rate != 10 || math.Abs(v.InfusedML-100*factor) > 0.11 {
			t.Errorf("factor %v: says %v mL/h and %v mL", factor, v.Rate, v.InfusedML)
		}
	}
}

func TestRefusedConstants(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"reservoir low": func(c *Config) { c.ReservoirLowML = 60 }, "kvo": func(c *Config) { c.KVO = 9 },
		"air": func(c *Config) { c.BubblesPerH = -1 },
	} {
		c := Default()
		if change(&c); c.Validate() == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

func TestEveryAlarmHasAPlace(t *testing.T) {
	for _, a := range Alarms() {
		p := start(t, withoutNearEnd(), 1, 10)
		must(t, p.Inject(a, 2))
		if v := p.View(); !cmp.Equal(v.Alarms, []Alarm{a}) || a.Stops() == (v.State == Running) {
			t.Errorf("%s: alarms %v, state %v", a, v.Alarms, v.State)
		}
	}
}
