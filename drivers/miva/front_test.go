package miva_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/miva"
	"infusiond/simulator/fault"
	"infusiond/simulator/line"
	"infusiond/simulator/mivafront"
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

// bench is a simulated pump with physics, on a line of 9600 baud in virtual time.
type bench struct {
	t     *testing.T
	pump  *pumpmodel.Pump
	front *mivafront.Front
	wire  *fault.Wire
	port  guarded
	conn  drivers.Conn
}

func newBench(t *testing.T, o mivafront.Options) *bench {
	t.Helper()
	setup := pumpmodel.Setup{Program: pumpmodel.Program{Name: "DAILY 1", Rate: 10, VTBIML: 100}}
	pump, err := pumpmodel.New(pumpmodel.Default(), setup, rand.New(rand.NewPCG(3, 4)))
	if err != nil {
		t.Fatal(err)
	}
	o.Serial = "SIM00042"
	front, err := mivafront.New(pump, o)
	if err != nil {
		t.Fatal(err)
	}
	d, err := miva.New(map[string]string{"checksum": o.Checksum.String()})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, pump: pump, front: front, wire: fault.New(rand.New(rand.NewPCG(5, 6)))}
	memory := line.NewMemory(b, line.Pace{Baud: mivafront.Baud, Gap: mivafront.Gap}, pump.Advance)
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

func TestOcclusionOnASimulatedPump(t *testing.T) {
	rows := []struct {
		name string
		o    mivafront.Options
	}{
		{"new firmware", mivafront.Options{}},
		{"older firmware", mivafront.Options{OldFirmware: true}},
		{"long programs, old log around the ring", mivafront.Options{LongProgram: true, Drug: "MILRINONE", LogFill: 60, LogStart: 43260, Platform: "01"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, row.o)
			b.do(b.pump.Run())
			r := b.poll()
			for !r.LogSeen {
				r = b.poll()
			}
			if r.State != drivers.RunInfusing || r.PumpReportedRate.Unit != drivers.MilliliterPerHour || !r.AlarmsKnown || len(r.Alarms) > 0 {
				t.Fatalf("running: %+v", r)
			}
			b.do(b.pump.OccludeDownstream(1))
			for range 720 {
				if r = b.poll(); len(r.Alarms) > 0 {
					break
				}
			}
			if len(r.Alarms) != 1 || r.Alarms[0].Code != drivers.AlarmOcclusionDownstream || r.State != drivers.RunStoppedByAlarm || !r.Alarms[0].AgeS.Valid || r.Alarms[0].AgeS.Mantissa > 8 {
				t.Fatalf("occluded: state %d, alarms %+v", r.State, r.Alarms)
			}
			b.do(b.pump.OccludeDownstream(0))
			b.do(b.pump.Acknowledge())
			b.do(b.pump.Run())
			if r = b.poll(); len(r.Alarms) != 0 || !r.AlarmsKnown || r.State != drivers.RunInfusing {
				t.Errorf("released: state %d, alarms %+v (known %v)", r.State, r.Alarms, r.AlarmsKnown)
			}
			if c := b.front.Counts(); c.Control != 0 || c.Unknown != 0 || c.BadFrames != 0 {
				t.Errorf("the pump received %+v", c)
			}
		})
	}
}

func TestFastCycleFitsTheShortestPollInterval(t *testing.T) {
	b := newBench(t, mivafront.Options{})
	b.do(b.pump.Run())
	b.poll()
	b.port.Pass(time.Second)
	began := b.port.Now()
	if _, err := drivers.Collect(t.Context(), b.conn); err != nil {
		t.Fatal(err)
	}
	took := b.port.Now() - began
	t.Logf("a fast cycle takes %v of line time", took)
	if shortest := b.port.profile.MinPollInterval; took > shortest {
		t.Errorf("%v, longer than %v", took, shortest)
	}
}

func TestSensorFramesOfASimulatedPumpAreAccepted(t *testing.T) {
	b := newBench(t, mivafront.Options{})
	b.front.SendSensors(true)
	counted := 0
	for range 200 {
		r := b.poll()
		counted += r.Unsolicited
		if !r.VolumeInfused.Valid || r.BadFrames != 0 {
			t.Fatalf("report %+v", r)
		}
	}
	if counted == 0 {
		t.Error("no sensor frame was met in 200 cycles")
	}
}

// A paused pump says two rates that differ: 0 as it runs, 10 as it is set. Under
// every fault of the simulator's line no answer stands in for another.
// Covers GW-09.
func TestNoRateTakesThePlaceOfAnotherUnderFaults(t *testing.T) {
	perByte := map[string]bool{"noise": true, "drop": true, "lose": true} // a share of bytes, not of answers
	for _, kind := range fault.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			b := newBench(t, mivafront.Options{})
			b.do(b.pump.Run())
			b.poll()
			b.do(b.pump.Pause())
			b.poll()
			good := 0
			for round := range 300 {
				rate := 0.03
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
				if r.State != drivers.RunPaused && r.State != drivers.RunStopped && r.State != drivers.RunUnknown {
					t.Errorf("round %d: state %d", round, r.State)
				}
				if len(r.LogGaps) > 0 || r.Identity.Serial != "SIM00042" {
					t.Errorf("round %d: gaps %+v, serial %q", round, r.LogGaps, r.Identity.Serial)
				}
			}
			if good < 100 {
				t.Errorf("only %d good cycles of 300", good)
			}
			if c := b.front.Counts(); c.Control != 0 || c.Unknown != 0 {
				t.Errorf("the pump received %+v", c)
			}
		})
	}
}
