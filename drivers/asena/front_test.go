package asena_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena"
	"infusiond/simulator/asenafront"
	"infusiond/simulator/fault"
	"infusiond/simulator/front"
	"infusiond/simulator/line"
	"infusiond/simulator/pumpmodel"
)

// guarded is the simulator's line behind the driver's allow-list and command gap.
type guarded struct {
	*line.Memory
	profile drivers.Profile
}

func (g guarded) Write(b []byte) (int, error) {
	if _, ok := g.profile.Allow.Match(b); !ok {
		return 0, fmt.Errorf("% X: %w", b, drivers.ErrForbidden)
	}
	g.Pass(g.profile.CommandGap)
	return g.Memory.Write(b)
}

// bench is a simulated pump with physics, on a line of 38400 baud in virtual time.
type bench struct {
	t     *testing.T
	pump  *pumpmodel.Pump
	front *asenafront.Front
	wire  *fault.Wire
	port  guarded
	conn  drivers.Conn
}

func newBench(t *testing.T, program pumpmodel.Program, syringeML float64) *bench {
	t.Helper()
	pump, err := pumpmodel.New(asenafront.Physics(), pumpmodel.Setup{Program: program, BagML: syringeML}, rand.New(rand.NewPCG(3, 4)))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, pump: pump, wire: fault.New(rand.New(rand.NewPCG(5, 6)))}
	b.front, err = asenafront.New(asenafront.Options{}, []front.Member{{Pump: pump, Serial: "SIM1-00042", Drug: "MILRINONE"}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := asena.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	memory := line.NewMemory(b, line.Pace{Baud: asenafront.Baud, Gap: asenafront.Gap}, pump.Advance)
	b.port = guarded{Memory: memory, profile: d.Profile()}
	if b.conn, err = d.Open(t.Context(), b.port, drivers.OpenOptions{Now: b.port.Now}); err != nil {
		t.Fatal(err)
	}
	return b
}

// Exchange is the pump behind a line that may be spoiled.
func (b *bench) Exchange(in []byte) ([]byte, time.Duration) {
	return b.wire.Shape(b.pump.Elapsed(), in, b.front.Handle(in))
}

// Unsolicited is what the pump sends by itself.
func (b *bench) Unsolicited() []byte { return b.front.Unsolicited() }

func (b *bench) poll() drivers.Report {
	b.t.Helper()
	b.port.Pass(5 * time.Second)
	reports, err := drivers.Collect(b.t.Context(), b.conn)
	if err != nil || len(reports) != 1 {
		b.t.Fatalf("Poll: %d reports, %v", len(reports), err)
	}
	return reports[0]
}

func (b *bench) do(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// untouched demands that the pump received read requests and nothing else.
func (b *bench) untouched() {
	b.t.Helper()
	if c := b.front.Counts(); c.Control != 0 || c.Unknown != 0 || c.BadFrames != 0 {
		b.t.Errorf("the pump received %+v", c)
	}
}

// Front and driver agree on what a simulator's serial number looks like.
// Covers GW-08.
func TestSimulatorSerialOfTheFront(t *testing.T) {
	b := newBench(t, pumpmodel.Program{Rate: 10, VTBIML: 40}, 50)
	if serial := asenafront.Describe().Serial; !b.port.profile.SimulatorSerials.MatchString(serial) {
		t.Errorf("the front's %q is none for the driver", serial)
	}
	if info := asenafront.Describe(); info.Baud != b.port.profile.Line.Baud || info.Protocol != b.port.profile.Name {
		t.Errorf("%+v, the driver has %+v", info, b.port.profile.Line)
	}
}

// Covers GW-26.
func TestOcclusionOnASimulatedPump(t *testing.T) {
	b := newBench(t, pumpmodel.Program{Rate: 10, VTBIML: 40}, 50)
	r := b.poll()
	if r.State != drivers.RunStopped || r.PumpReportedRate.Decimal() != "0.00" || r.ProgrammedRate.Decimal() != "10.00" || r.Mode != "HLD" {
		t.Fatalf("before the start: %+v", r)
	}
	b.do(b.pump.Run())
	r = b.poll()
	if r.State != drivers.RunInfusing || r.PumpReportedRate.Decimal() != "10.00" || !r.AlarmsKnown || len(r.Alarms) > 0 || r.DrugName != "MILRINONE" {
		t.Fatalf("running: %+v", r)
	}
	b.do(b.pump.OccludeDownstream(1))
	before, polls := r.DownstreamSensor.Mantissa, 0
	for ; len(r.Alarms) == 0 && polls < 720; polls++ {
		r = b.poll()
	}
	if len(r.Alarms) != 1 || r.Alarms[0].Code != drivers.AlarmOcclusion || r.State != drivers.RunStoppedByAlarm || r.DownstreamSensor.Mantissa < before+300_00 {
		t.Fatalf("occluded: state %d, pressure %s, alarms %+v", r.State, r.DownstreamSensor.Decimal(), r.Alarms)
	}
	if minutes := float64(polls) * 5 / 60; minutes < 4 || minutes > 9 { // 1.5 mL/bar · 0.7 bar at 10 mL/h is 6.3 min
		t.Errorf("alarm after %.1f min", minutes)
	}
	b.do(b.pump.OccludeDownstream(0))
	b.do(b.pump.Acknowledge())
	b.do(b.pump.Run())
	if r = b.poll(); len(r.Alarms) != 0 || !r.AlarmsKnown || r.State != drivers.RunInfusing {
		t.Errorf("released: state %d, alarms %+v (known %v)", r.State, r.Alarms, r.AlarmsKnown)
	}
	b.untouched()
}

// Every number that is reported is the model's, within its resolution, over an infusion up to its end.
func TestAnInfusionUpToItsEnd(t *testing.T) {
	b := newBench(t, pumpmodel.Program{Rate: 12.5, VTBIML: 2.5}, 50)
	b.do(b.pump.Run())
	var r drivers.Report
	for range 150 {
		r = b.poll()
		v := b.pump.View()
		if math.Abs(number(t, r.VolumeInfused)-v.InfusedML) > 0.0031 || math.Abs(number(t, r.PumpReportedRate)-v.Rate) > 0.001 {
			t.Fatalf("volume %s, rate %s; the model has %v, %v", r.VolumeInfused.Decimal(), r.PumpReportedRate.Decimal(), v.InfusedML, v.Rate)
		}
		if left := (2.5 - v.InfusedML) / 12.5 * 3600; math.Abs(number(t, r.TimeRemaining)-left) > 2 {
			t.Fatalf("%s s left, the model has %v", r.TimeRemaining.Decimal(), left)
		}
		if r.VTBI.Decimal() != "2.500" || r.DownstreamSensor.Unit != drivers.MillimetreOfMercury {
			t.Fatalf("%+v", r)
		}
	}
	if r.State != drivers.RunComplete || len(r.Alarms) != 1 || r.Alarms[0].RawCode != "AL_VTBIS" || r.VolumeInfused.Decimal() != "2.500" {
		t.Errorf("at the end: state %d, %+v, %s", r.State, r.Alarms, r.VolumeInfused.Decimal())
	}
	b.untouched()
}

func number(t *testing.T, q drivers.Quantity) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(q.Decimal(), 64)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return v
}

// One alarm at a time: the more urgent one takes the place, and the other one comes back behind it.
func TestOneAlarmAtATime(t *testing.T) {
	b := newBench(t, pumpmodel.Program{Rate: 10, VTBIML: 40}, 50)
	b.do(b.pump.Run())
	shown := func() string {
		r := b.poll()
		if !r.AlarmsKnown || len(r.Alarms) > 1 || slices.Contains(r.Uncertain, "Alarms") != (len(r.Alarms) == 1) {
			t.Fatalf("%+v", r)
		}
		if len(r.Alarms) == 0 {
			return ""
		}
		return r.Alarms[0].RawCode
	}
	var got []string
	got = append(got, shown())
	b.do(b.pump.SetBattery(0.2))
	got = append(got, shown())
	b.do(b.pump.Inject(pumpmodel.AlarmOcclusionDownstream, 0))
	got = append(got, shown())
	b.do(b.pump.Acknowledge())
	got = append(got, shown())
	b.do(b.pump.SetBattery(1))
	got = append(got, shown())
	if want := []string{"", "AL_LWBAT", "AL_OCCLU", "AL_LWBAT", ""}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	b.untouched()
}

func TestACycleFitsTheShortestPollInterval(t *testing.T) {
	b := newBench(t, pumpmodel.Program{Rate: 10, VTBIML: 40}, 50)
	b.do(b.pump.Run())
	for range 8 {
		b.port.Pass(2 * time.Second)
		began := b.port.Now()
		if _, err := drivers.Collect(t.Context(), b.conn); err != nil {
			t.Fatal(err)
		}
		took := b.port.Now() - began
		t.Logf("a cycle takes %v of line time", took)
		if shortest := b.port.profile.MinPollInterval; took > shortest/4 {
			t.Errorf("%v, more than a quarter of %v", took, shortest)
		}
	}
}

// A pump on hold says two rates that differ: 0 as it runs, 10 as it is set. Under every fault of the simulator's
// line no answer stands in for another, and an occlusion is never taken for no alarm.
// Covers GW-09.
func TestNoAnswerTakesThePlaceOfAnotherUnderFaults(t *testing.T) {
	perByte := map[string]bool{"noise": true, "drop": true, "lose": true} // a share of bytes, not of answers
	for _, kind := range fault.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			b := newBench(t, pumpmodel.Program{Rate: 10, VTBIML: 40}, 50)
			b.do(b.pump.Run())
			b.poll()
			b.do(b.pump.Inject(pumpmodel.AlarmOcclusionDownstream, 0))
			b.poll()
			good := 0
			for round := range 300 {
				rate := 0.05
				if perByte[string(kind)] {
					rate = 0.002
				}
				delay := 450*time.Millisecond + time.Duration(round)*17*time.Millisecond
				b.do(b.wire.Add(b.pump.Elapsed(), fault.Fault{Kind: kind, Rate: rate, Delay: delay}))
				b.port.Pass(5 * time.Second)
				reports, err := drivers.Collect(t.Context(), b.conn)
				if err != nil {
					continue
				}
				good++
				r := reports[0]
				if q := r.PumpReportedRate; q.Valid && q.Mantissa != 0 {
					t.Errorf("round %d: pump-reported rate %+v", round, q)
				}
				if q := r.ProgrammedRate; q.Valid && q.Decimal() != "10.00" {
					t.Errorf("round %d: programmed rate %+v", round, q)
				}
				if r.State != drivers.RunStoppedByAlarm && r.State != drivers.RunStopped || r.Identity.Serial != "SIM1-00042" {
					t.Errorf("round %d: state %d, serial %q", round, r.State, r.Identity.Serial)
				}
				if r.AlarmsKnown && (len(r.Alarms) != 1 || r.Alarms[0].RawCode != "AL_OCCLU") {
					t.Errorf("round %d: alarms %+v", round, r.Alarms)
				}
			}
			if good < 150 {
				t.Errorf("only %d good cycles of 300", good)
			}
			if c := b.front.Counts(); c.Control != 0 || c.Unknown != 0 {
				t.Errorf("the pump received %+v", c)
			}
		})
	}
}
