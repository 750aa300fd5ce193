package bcc_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/bcc"
	"infusiond/simulator/bccfront"
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

// bench is a station with simulated pumps and their physics, on a line of 9600 baud in virtual time.
type bench struct {
	t     testing.TB
	pumps []*pumpmodel.Pump
	front *bccfront.Front
	wire  *fault.Wire
	port  guarded
	conn  drivers.Conn
}

var addresses = []string{"11", "2A", "3O"}

func newBench(t testing.TB, o bccfront.Options, settings map[string]string, pumps int) *bench {
	t.Helper()
	b := &bench{t: t, wire: fault.New(rand.New(rand.NewPCG(5, 6)))}
	var members []front.Member
	for i := range pumps {
		rate := 5 + float64(i)/100
		pump, err := pumpmodel.New(bccfront.Physics(), pumpmodel.Setup{Program: pumpmodel.Program{Rate: rate, VTBIML: 400}, BagML: 500}, rand.New(rand.NewPCG(3, uint64(i))))
		if err != nil {
			t.Fatal(err)
		}
		b.pumps = append(b.pumps, pump)
		members = append(members, front.Member{Pump: pump, Serial: fmt.Sprintf("SIM0000%d", i+1), Address: addresses[i], Drug: "DOBUTAMINE"})
	}
	d, err := bcc.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	o.Now = func() time.Duration { return b.port.Now() }
	if b.front, err = bccfront.New(o, members); err != nil {
		t.Fatal(err)
	}
	b.port.profile = d.Profile()
	b.port.Memory = line.NewMemory(b, line.Pace{Baud: bccfront.Baud, Gap: bccfront.Gap}, func(d time.Duration) {
		for _, pump := range b.pumps {
			pump.Advance(d)
		}
	})
	if b.conn, err = d.Open(t.Context(), b.port, drivers.OpenOptions{Now: b.port.Now, Addresses: addresses[:pumps]}); err != nil {
		t.Fatal(err)
	}
	return b
}

// Exchange is the station behind a line that may be spoiled.
func (b *bench) Exchange(in []byte) ([]byte, time.Duration) {
	return b.wire.Shape(b.port.Now(), in, b.front.Handle(in))
}

// Unsolicited and PushEvery are those of the station.
func (b *bench) Unsolicited() []byte      { return b.front.Unsolicited() }
func (b *bench) PushEvery() time.Duration { return b.front.PushEvery() }

func (b *bench) poll() []drivers.Report {
	b.t.Helper()
	b.port.Pass(5 * time.Second)
	reports, err := drivers.Collect(b.t.Context(), b.conn)
	if err != nil || len(reports) != len(b.pumps) {
		b.t.Fatalf("Poll: %d reports of %d pumps, %v", len(reports), len(b.pumps), err)
	}
	return reports
}

func (b *bench) do(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// untouched demands that the station received nothing but what it knows.
func (b *bench) untouched() {
	b.t.Helper()
	if c := b.front.Counts(); c.Control != 0 || c.Unknown != 0 {
		b.t.Errorf("the station received %+v", c)
	}
}

func codes(r drivers.Report) string {
	var all []string
	for _, a := range r.Alarms {
		all = append(all, string(a.Code))
	}
	return strings.Join(all, " ")
}

// Front and driver agree on what a simulator's serial number looks like, and on the line.
// Covers GW-26.
func TestSimulatorSerialOfTheFront(t *testing.T) {
	b := newBench(t, bccfront.Options{}, nil, 1)
	if serial := bccfront.Describe().Serial; !b.port.profile.SimulatorSerials.MatchString(serial) {
		t.Errorf("the front's %q is none for the driver", serial)
	}
	if info := bccfront.Describe(); info.Baud != b.port.profile.Line.Baud || info.Protocol != b.port.profile.Name {
		t.Errorf("%+v, the driver has %+v", info, b.port.profile.Line)
	}
}

// Covers GW-26.
func TestOcclusionOnASimulatedStation(t *testing.T) {
	for _, row := range []struct {
		name     string
		o        bccfront.Options
		settings map[string]string
	}{
		{"flags", bccfront.Options{}, nil},
		{"words", bccfront.Options{Words: true}, nil},
		{"plain", bccfront.Options{Plain: true}, map[string]string{"stuffing": "off"}},
		{"Perfusor", bccfront.Options{Models: map[string]string{"11": "688L030007"}}, nil},
		{"cyclic", bccfront.Options{Cyclic: 5 * time.Second}, map[string]string{"mode": "cyclic"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, row.o, row.settings, 2)
			if r := b.poll()[0]; r.State != drivers.RunStopped || r.ProgrammedRate.Decimal() != "5.00" || codes(r) != "" || !r.AlarmsKnown {
				t.Fatalf("before the start: %+v", r)
			}
			b.do(b.pumps[0].Run())
			for range 12 {
				if r := b.poll()[0]; r.State != drivers.RunInfusing || codes(r) != "" || !r.AlarmsKnown {
					t.Fatalf("running: %+v", r)
				}
			}
			b.do(b.pumps[0].OccludeDownstream(1))
			for n := 0; b.pumps[0].View().State != pumpmodel.AlarmStop; n++ {
				if b.poll(); n > 2000 {
					t.Fatal("the pump raises no alarm")
				}
			}
			reports := b.poll()
			if r := reports[0]; r.State != drivers.RunStoppedByAlarm || codes(r) != "occlusion_downstream" {
				t.Errorf("occluded: %+v", r)
			}
			if r := reports[1]; r.Address != "2A" || r.Identity.Serial != "SIM00002" || codes(r) != "" {
				t.Errorf("the other pump: %+v", r)
			}
			b.untouched()
		})
	}
}

// No value is older than the cycle, and none is asked for twice without a reason.
// Covers GW-26.
func TestValuesAreOfTheirCycle(t *testing.T) {
	for _, row := range []struct {
		name     string
		o        bccfront.Options
		settings map[string]string
		repeats  int
	}{
		{"request", bccfront.Options{}, nil, 9},
		{"cyclic", bccfront.Options{Cyclic: 5 * time.Second}, map[string]string{"mode": "cyclic"}, 9},
		{"cyclic, seldom", bccfront.Options{Cyclic: 6 * time.Second}, map[string]string{"mode": "cyclic"}, 9},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, row.o, row.settings, 3)
			for _, pump := range b.pumps {
				b.do(pump.SetRate(1000)) // 1.4 mL in five seconds: fourteen steps of the counter
				b.do(pump.Run())
			}
			for range 100 {
				b.port.Pass(5 * time.Second)
				var least []float64
				for _, pump := range b.pumps {
					least = append(least, pump.View().InfusedML)
				}
				reports, err := drivers.Collect(t.Context(), b.conn)
				if err != nil || len(reports) != 3 {
					t.Fatalf("%d reports, %v", len(reports), err)
				}
				for i, r := range reports {
					if got := float64(r.VolumeInfused.Mantissa) / 10; got < least[i]-0.051 || got > b.pumps[i].View().InfusedML+0.051 {
						t.Fatalf("pump %s: %v mL, at the beginning of the cycle it had %v and now %v", r.Address, got, least[i], b.pumps[i].View().InfusedML)
					}
				}
			}
			repeated := 0
			for _, q := range b.front.Received() {
				if q == "NAK" {
					repeated++
				}
			}
			if repeated > row.repeats {
				t.Errorf("%d blocks were asked for again", repeated)
			}
			b.untouched()
		})
	}
}

// A pump that is switched off has no report, and its neighbour is not held up.
// Covers GW-26.
func TestAPumpThatIsSwitchedOff(t *testing.T) {
	b := newBench(t, bccfront.Options{}, nil, 2)
	b.poll()
	b.do(b.pumps[0].PowerOff())
	for range 3 {
		b.port.Pass(5 * time.Second)
		reports, err := drivers.Collect(t.Context(), b.conn)
		if err != nil || len(reports) != 1 || reports[0].Address != "2A" {
			t.Fatalf("%+v, %v", reports, err)
		}
	}
	b.do(b.pumps[1].PowerOff())
	for range 2 {
		b.port.Pass(5 * time.Second)
		if reports, err := drivers.Collect(t.Context(), b.conn); !errors.Is(err, drivers.ErrSilent) || len(reports) > 0 {
			t.Fatalf("both off: %+v, %v", reports, err)
		}
	}
	b.do(b.pumps[0].PowerOn())
	b.do(b.pumps[1].PowerOn())
	b.port.Pass(time.Minute)
	b.poll()
}

// Under each fault of the line a report is what the pump says, or there is none.
// Covers GW-10, GW-26.
func TestFaultsOfTheLine(t *testing.T) {
	for _, kind := range fault.Rows() {
		t.Run(string(kind.Kind), func(t *testing.T) {
			b := newBench(t, bccfront.Options{}, nil, 2)
			for _, pump := range b.pumps {
				b.do(pump.Run())
			}
			b.poll()
			rate := min(kind.Usual, 0.3)
			if kind.Usual < 0.05 {
				rate = 0.001
			}
			f := fault.Fault{Kind: kind.Kind, Rate: rate}
			if kind.Delay {
				f.Delay = 700 * time.Millisecond
			}
			b.do(b.wire.Add(b.port.Now(), f))
			good := 0
			for range 200 {
				b.port.Pass(5 * time.Second)
				reports, err := drivers.Collect(t.Context(), b.conn)
				if err != nil && errors.Is(err, drivers.ErrForbidden) {
					t.Fatal(err)
				}
				for _, r := range reports {
					i := slices.Index(addresses, r.Address)
					v := b.pumps[max(i, 0)].View()
					volume := float64(r.VolumeInfused.Mantissa) / 10
					if i < 0 || r.Identity.Serial != fmt.Sprintf("SIM0000%d", i+1) || r.ProgrammedRate.Decimal() != fmt.Sprintf("5.0%d", i) || r.VTBI.Decimal() != "400.0" ||
						r.State != drivers.RunInfusing || codes(r) != "" || !r.AlarmsKnown || volume > v.InfusedML+0.06 || volume < v.InfusedML-0.2 {
						t.Fatalf("%+v\nthe pump: %+v", r, v)
					}
					good++
				}
			}
			if good == 0 {
				t.Error("no report came through")
			}
			b.untouched()
		})
	}
}
