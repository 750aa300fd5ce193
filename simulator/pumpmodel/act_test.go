package pumpmodel

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func fresh(t *testing.T, cfg Config, s Setup) *Pump {
	t.Helper()
	p, err := New(cfg, s, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func kinds(p *Pump) []Kind {
	var k []Kind
	for _, e := range p.Events(0) {
		k = append(k, e.Kind)
	}
	return k
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// withoutNearEnd is a pump that does not warn half an hour before the end, where daily begins.
func withoutNearEnd() Config {
	c := Default()
	c.NearEndTime = 0
	return c
}

var daily = Setup{Program: Program{Name: "DAILY 1", Rate: 10, VTBIML: 5}}

func TestKeypadLogsWhatHappens(t *testing.T) {
	p := fresh(t, withoutNearEnd(), daily)
	must(t, p.Run())
	must(t, p.Run()) // pressing run twice is one start
	p.Advance(6 * time.Minute)
	must(t, p.SetRate(2.22))
	must(t, p.Stop())
	if err := p.Pause(); !errors.Is(err, ErrNotRunning) {
		t.Errorf("pause of a stopped pump: %v", err)
	}
	must(t, p.Run())
	must(t, p.PowerOff())
	if err := p.Run(); !errors.Is(err, ErrOff) {
		t.Errorf("run of a pump that is off: %v", err)
	}
	must(t, p.PowerOn())
	want := []Kind{KindPowerOn, KindBegin, KindRun, KindPause, KindSetting, KindRun, KindPause, KindRun, KindPowerOff, KindPowerOn}
	if d := cmp.Diff(want, kinds(p)); d != "" {
		t.Error(d)
	}
	if e := p.Events(0)[4]; e.A != 10 || e.B != 2.22 || e.Code != uint16(SettingRate) {
		t.Errorf("setting change: %+v", e)
	}
	if got := p.View().InfusedML; got < 0.9 {
		t.Errorf("volume after power off and on: %v mL, want it kept", got)
	}
}

func TestEndOfInfusion(t *testing.T) {
	for _, row := range []struct {
		name  string
		kvo   float64
		state State
		rate  float64
	}{
		{"stops", 0, Complete, 0},
		{"kvo", 0.2, KVO, 0.2},
		{"kvo is the set rate if lower", 20, KVO, 10},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := Default()
			cfg.KVORate = row.kvo
			p := fresh(t, cfg, daily)
			must(t, p.Run())
			p.Advance(31 * time.Minute)
			v := p.View()
			if v.State != row.state || v.Rate != row.rate {
				t.Errorf("state %v rate %v, want %v %v", v.State, v.Rate, row.state, row.rate)
			}
			if d := cmp.Diff([]Alarm{AlarmComplete}, v.Alarms); d != "" {
				t.Error(d)
			}
			if err := p.Run(); !errors.Is(err, ErrAlarm) {
				t.Errorf("start before acknowledging: %v", err)
			}
			must(t, p.Acknowledge())
			must(t, p.Run())
			if got := p.View().InfusedML; got != 0 {
				t.Errorf("a new infusion counts from %v mL", got)
			}
		})
	}
}

func TestReservoirCount(t *testing.T) {
	p := fresh(t, Default(), Setup{Program: Program{Rate: 60, VTBIML: 500}, BagML: 10})
	must(t, p.Run())
	p.up.bagML = 100 // more in it than the count says
	p.Advance(11 * time.Minute)
	if v := p.View(); v.State != Complete || v.ReservoirML != 0 || !cmp.Equal(v.Alarms, []Alarm{AlarmReservoirEmpty}) {
		t.Errorf("%+v", v)
	}
	must(t, p.NewBag(50, true))
	must(t, p.Run())
	p.Advance(time.Minute)
	if v := p.View(); v.State != Running || v.ReservoirML < 48.9 || v.ReservoirML > 49.1 || v.InfusedML > 1.01 {
		t.Errorf("after the new bag: %+v", v)
	}
}

func TestBagEmptyBeforeTheCount(t *testing.T) {
	for _, row := range []struct {
		name string
		air  bool
		want Alarm
	}{{"air detector", true, AlarmAirInLine}, {"collapsing bag", false, AlarmOcclusionUpstream}} {
		t.Run(row.name, func(t *testing.T) {
			cfg := Default()
			cfg.AirDetector = row.air
			p := fresh(t, cfg, Setup{Program: Program{Rate: 60, VTBIML: 500}, BagML: 50})
			p.up.bagML = 46
			must(t, p.Run())
			p.Advance(50 * time.Minute)
			v := p.View()
			if v.State != AlarmStop || !cmp.Equal(v.Alarms, []Alarm{row.want}) {
				t.Errorf("state %v alarms %v, want %v", v.State, v.Alarms, row.want)
			}
			if v.ReservoirML < 1 {
				t.Errorf("count is %v mL: it was to be empty before the count", v.ReservoirML)
			}
		})
	}
}

func TestAlarmsAreASet(t *testing.T) {
	p := fresh(t, withoutNearEnd(), daily)
	must(t, p.Run())
	must(t, p.Inject(AlarmBatteryLow, 0))
	must(t, p.Inject(AlarmAirInLine, 0))
	must(t, p.Inject(AlarmPumpFault, 2))
	if d := cmp.Diff([]Alarm{AlarmPumpFault, AlarmAirInLine, AlarmBatteryLow}, p.View().Alarms); d != "" {
		t.Error(d)
	}
	if err := p.Inject("nonsense", 0); !errors.Is(err, ErrRange) {
		t.Errorf("unknown alarm: %v", err)
	}
	must(t, p.Acknowledge())
	if d := cmp.Diff([]Alarm{AlarmBatteryLow}, p.View().Alarms); d != "" {
		t.Error(d)
	}
}

func TestInjectedAlarmStandsUntilAcknowledged(t *testing.T) {
	p := fresh(t, withoutNearEnd(), daily)
	must(t, p.Run())
	must(t, p.Inject(AlarmOcclusionDownstream, 0))
	p.Advance(time.Hour)
	if v := p.View(); v.State != AlarmStop || len(v.Alarms) != 1 {
		t.Errorf("after an hour: %v %v", v.State, v.Alarms)
	}
	if err := p.Run(); !errors.Is(err, ErrAlarm) {
		t.Errorf("start: %v", err)
	}
	must(t, p.Acknowledge())
	must(t, p.Run())
}

func TestKVOPausedStillNeedsAcknowledging(t *testing.T) {
	cfg := Default()
	cfg.KVORate = 0.2
	p := fresh(t, cfg, daily)
	must(t, p.Run())
	p.Advance(31 * time.Minute)
	must(t, p.Acknowledge())
	if got := p.View().State; got != KVO {
		t.Errorf("acknowledging made it %v", got)
	}
	must(t, p.Inject(AlarmComplete, 0))
	must(t, p.Pause())
	if err := p.Run(); !errors.Is(err, ErrAlarm) {
		t.Errorf("start: %v", err)
	}
}

func TestRebootResetsTheCounter(t *testing.T) {
	p := fresh(t, Default(), Setup{Program: Program{Rate: 10, VTBIML: 100}})
	must(t, p.Run())
	p.Advance(time.Hour)
	must(t, p.Reboot())
	if v := p.View(); v.State != Stopped || v.InfusedML != 0 || v.TotalML < 9.9 {
		t.Errorf("%+v", v)
	}
	must(t, p.Run())
	want := []Kind{KindPowerOn, KindBegin, KindRun, KindPowerOn, KindRun}
	if d := cmp.Diff(want, kinds(p)); d != "" {
		t.Error(d)
	}
}

func TestBatteryOutAndIn(t *testing.T) {
	p := fresh(t, withoutNearEnd(), daily)
	must(t, p.Run())
	must(t, p.SetBattery(0.08))
	must(t, p.SetBattery(0))
	p.Advance(4 * time.Minute)
	if got := p.View().State; got != Off {
		t.Fatalf("state %v, want off", got)
	}
	must(t, p.SetBattery(1))
	want := []Kind{KindPowerOn, KindBegin, KindRun, KindBattery, KindBatteryLow, KindBattery, KindBatteryDepleted, KindPowerOn}
	if d := cmp.Diff(want, kinds(p)); d != "" {
		t.Error(d)
	}
	if v := p.View(); v.State != Stopped || len(v.Alarms) != 0 {
		t.Errorf("%+v", v)
	}
}

func TestBolus(t *testing.T) {
	p := fresh(t, Default(), Setup{Program: Program{Rate: 1, VTBIML: 100}})
	must(t, p.Run())
	p.Advance(time.Hour)
	must(t, p.GiveBolus(1, 60))
	if v := p.View(); v.State != Bolus || v.Rate != 60 {
		t.Errorf("%+v", v)
	}
	p.Advance(90 * time.Second)
	if v := p.View(); v.State != Running || v.BolusInfused != 1 || v.InfusedML < 1.9 {
		t.Errorf("%+v", v)
	}
}

// Covers GW-123.
func TestClockDriftsAndSteps(t *testing.T) {
	cfg := Default()
	cfg.ClockDriftPPM = 200
	p := fresh(t, cfg, daily)
	p.Advance(24 * time.Hour)
	if got := (p.Clock() - cfg.ClockStart - 24*time.Hour).Seconds(); got < 17 || got > 17.5 {
		t.Errorf("200 ppm made %v s in a day, want 17.3", got)
	}
	p.StepClock(time.Hour)
	if got := (p.Clock() - cfg.ClockStart - 25*time.Hour).Seconds(); got < 17 || got > 17.5 {
		t.Errorf("after the step: %v s", got)
	}
}

func TestRefusedPrograms(t *testing.T) {
	for _, pr := range []Program{{Rate: -1}, {Rate: 126}, {Rate: 1.115}, {VTBIML: -1}, {VTBIML: 1e6}} {
		if _, err := New(Default(), Setup{Program: pr}, rand.New(rand.NewPCG(1, 2))); !errors.Is(err, ErrRange) {
			t.Errorf("%+v: %v, want %v", pr, err, ErrRange)
		}
	}
	if _, err := New(Config{}, Setup{}, rand.New(rand.NewPCG(1, 2))); err == nil {
		t.Error("a pump without constants was made")
	}
}

func TestLogRingKeepsTheNewest(t *testing.T) {
	cfg := Default()
	cfg.LogCapacity = 8
	p := fresh(t, cfg, daily)
	for range 10 {
		must(t, p.Run())
		must(t, p.Pause())
	}
	events := p.Events(0)
	if len(events) != 8 || events[7].Seq != p.EventCount()-1 || events[0].Seq != p.EventCount()-8 {
		t.Errorf("kept %d events, first %d, last %d of %d", len(events), events[0].Seq, events[len(events)-1].Seq, p.EventCount())
	}
	if got := p.Events(p.EventCount()); got != nil {
		t.Errorf("events after the last: %v", got)
	}
}

func BenchmarkDay(b *testing.B) {
	p, err := New(Default(), Setup{Program: Program{Rate: 1.11, VTBIML: 9000}}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Run(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p.Advance(time.Minute)
	}
}
