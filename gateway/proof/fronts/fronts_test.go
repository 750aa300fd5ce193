package fronts

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/simulator"
	"infusiond/simulator/fault"
)

// A life of a pump on a good line: run, pause, run, rate, occlusion, release.
// Covers GW-26.
func TestAPumpsLife(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.String(), func(t *testing.T) {
			b := newBench(t, k, "rate=10,vtbi=100", 3)
			r := b.poll()
			for !r.LogSeen && k.name == "miva" {
				r = b.poll()
			}
			if r.State != drivers.RunInfusing {
				t.Errorf("running: state %d", r.State)
			}
			if k.programmed && value(t, r.ProgrammedRate) != 10 || k.reported && value(t, r.PumpReportedRate) != 10 {
				t.Errorf("running: rates %+v, %+v", r.ProgrammedRate, r.PumpReportedRate)
			}
			said := b.line.View(pump)
			if v := value(t, r.VolumeInfused); math.IsNaN(v) || math.Abs(v-said.InfusedML) > 0.11 {
				t.Errorf("running: volume %v, the pump has %v", v, said.InfusedML)
			}
			if (k.occlusion != "") != r.AlarmsKnown || len(r.Alarms) > 0 || !r.AlarmsKnown && r.AlarmsReason == "" {
				t.Errorf("running: alarms %+v, known %v (%s)", r.Alarms, r.AlarmsKnown, r.AlarmsReason)
			}
			b.do("pause")
			if r = b.poll(); !slices.Contains(k.stopped, r.State) || k.reported && value(t, r.PumpReportedRate) != 0 {
				t.Errorf("paused: state %d, rate %+v", r.State, r.PumpReportedRate)
			}
			b.do("rate 5")
			b.do("run")
			if r = b.poll(); k.programmed && value(t, r.ProgrammedRate) != 5 || k.reported && value(t, r.PumpReportedRate) != 5 {
				t.Errorf("after a change: rates %+v, %+v", r.ProgrammedRate, r.PumpReportedRate)
			}
			occluded(t, k, b)
			b.untouched()
		})
	}
}

// occluded closes the line until the pump alarms, and opens it again.
func occluded(t *testing.T, k kind, b *bench) {
	t.Helper()
	b.do("occlude in=1m")
	var r drivers.Report
	for range 60 {
		if r = b.poll(); slices.Contains(k.ended, r.State) {
			break
		}
	}
	if !slices.Contains(k.ended, r.State) {
		t.Fatalf("occluded: state %d", r.State)
	}
	if k.occlusion != "" && (!r.AlarmsKnown || !slices.Contains(codes(r.Alarms), k.occlusion)) {
		t.Errorf("occluded: alarms %+v, known %v (%s)", r.Alarms, r.AlarmsKnown, r.AlarmsReason)
	}
	b.do("release")
	if err := b.line.Do(pump, "ack"); err != nil {
		t.Fatal(err)
	}
	b.do("run")
	if r = b.poll(); r.State != drivers.RunInfusing || len(r.Alarms) > 0 {
		t.Errorf("released: state %d, alarms %+v", r.State, r.Alarms)
	}
}

// A pump that is switched off is silent, and comes back by itself.
func TestPowerOffIsSilenceAndReturns(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.String(), func(t *testing.T) {
			b := newBench(t, k, "rate=10,vtbi=100", 3)
			b.poll()
			b.do("power off")
			silent := false
			for range 4 {
				reports, err := b.try()
				silent = silent || errors.Is(err, drivers.ErrSilent)
				for _, r := range reports {
					if r.State == drivers.RunInfusing || r.State == drivers.RunKVO {
						t.Errorf("a pump that is off runs: %+v", r)
					}
				}
			}
			if !silent {
				t.Error("a pump that is off was not found silent")
			}
			b.do("power on")
			b.do("run")
			if r := b.poll(); r.State != drivers.RunInfusing {
				t.Errorf("switched on: state %d", r.State)
			}
			b.untouched()
		})
	}
}

// Keep vein open is told apart from running where the protocol can.
func TestKeepVeinOpen(t *testing.T) {
	for _, k := range kinds() {
		if k.name != "bcc" && k.name != "asena" {
			continue
		}
		t.Run(k.String(), func(t *testing.T) {
			b := newBench(t, k, "rate=20,vtbi=1,kvo=1", 3)
			var r drivers.Report
			for range 60 {
				if r = b.poll(); r.State == drivers.RunKVO {
					break
				}
			}
			if r.State != drivers.RunKVO {
				t.Errorf("state %d, alarms %+v", r.State, r.Alarms)
			}
		})
	}
}

// Under every fault of the line: what is reported is what the pump said within the cycle, or nothing.
// Covers GW-09, GW-10, GW-22, GW-26.
func TestNothingButTheTruthOnASpoiledLine(t *testing.T) {
	perByte := []string{"noise", "lose"}
	for _, k := range kinds() {
		for _, name := range fault.Kinds() {
			t.Run(k.String()+" "+string(name), func(t *testing.T) {
				b := newBench(t, k, "rate=10,vtbi=100", 5)
				first := b.poll()
				b.do("pause")
				b.do("run")
				good := 0
				const rounds = 60
				for round := range rounds {
					share := 0.1
					if slices.Contains(perByte, string(name)) {
						share = 0.003 // for long answers; short ones are hit seldom then
						if round%2 == 1 {
							share = 0.02
						}
					}
					command := fmt.Sprintf("%s rate=%v for=5m", name, share)
					if takes(name, "delay") {
						command += fmt.Sprintf(" delay=%v", time.Duration(200+60*round)*time.Millisecond)
					}
					b.do(command)
					before := b.line.View(pump)
					reports, err := b.try()
					after := b.line.View(pump)
					if err != nil {
						continue
					}
					good++
					for _, r := range reports {
						if r.Identity.Serial != first.Identity.Serial {
							t.Errorf("round %d: serial number %q, the pump has %q", round, r.Identity.Serial, first.Identity.Serial)
						}
						for what, q := range map[string]drivers.Quantity{"programmed": r.ProgrammedRate, "pump-reported": r.PumpReportedRate} {
							if v := value(t, q); !math.IsNaN(v) && v != 10 {
								t.Errorf("round %d: %s rate %v, the pump has 10", round, what, v)
							}
						}
						if v := value(t, r.VolumeInfused); !math.IsNaN(v) && (v < before.InfusedML-0.051 || v > after.InfusedML+0.051) {
							t.Errorf("round %d: volume %v, the pump had %v to %v", round, v, before.InfusedML, after.InfusedML)
						}
						if r.State != drivers.RunInfusing && r.State != drivers.RunUnknown {
							t.Errorf("round %d: state %d of a pump that runs", round, r.State)
						}
						if len(r.Alarms) > 0 {
							t.Errorf("round %d: alarms %+v of a pump that has none", round, r.Alarms)
						}
					}
				}
				t.Logf("%d good cycles of %d", good, rounds)
				b.do("clean")
				b.line.Pass(10 * time.Minute)
				if r := b.poll(); r.State != drivers.RunInfusing {
					t.Errorf("afterwards: state %d", r.State)
				}
				b.untouched()
			})
		}
	}
}

// takes says whether a fault has an argument.
func takes(k fault.Kind, argument string) bool {
	_, lines := simulator.FaultHelp()
	return slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, string(k)+" ") && strings.Contains(l, argument+"=") })
}

// Two pumps on one line, and one of them dead: the other one's report comes, and without waiting for the dead one's retries.
// Covers GW-14.
func TestADeadPumpOnASharedLine(t *testing.T) {
	for _, k := range kinds() {
		if k.name != "bcc" && k.name != "newera" {
			continue
		}
		t.Run(k.String(), func(t *testing.T) {
			var list []simulator.PumpOptions
			for i, address := range map[string][]string{"bcc": {"11", "12"}, "newera": {"03", "04"}}[k.name] {
				keys := fmt.Sprintf("name=p%d,model=%s,line=x,address=%s,rate=%d", i, k.name, address, 10+i)
				if k.pump != "" {
					keys += "," + k.pump
				}
				o, err := simulator.ParsePump(keys)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, o)
			}
			l, err := simulator.NewVirtualLine(list, 9)
			if err != nil {
				t.Fatal(err)
			}
			d, err := k.driver(k.setup)
			if err != nil {
				t.Fatal(err)
			}
			port := &guarded{Memory: l.Memory, profile: d.Profile()}
			conn, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now, Addresses: []string{list[0].Address, list[1].Address}})
			if err != nil {
				t.Fatal(err)
			}
			rates := map[string]float64{list[0].Address: 10, list[1].Address: 11}
			poll := func() map[string]time.Duration {
				l.Pass(5 * time.Second)
				began, came := port.Now(), map[string]time.Duration{}
				err := conn.Poll(t.Context(), func(r drivers.Report) {
					came[r.Address] = port.Now() - began
					if v := value(t, r.ProgrammedRate); v != rates[r.Address] {
						t.Errorf("pump %s: rate %v, want %v", r.Address, v, rates[r.Address])
					}
				})
				if err != nil {
					t.Errorf("Poll: %v", err)
				}
				return came
			}
			var both map[string]time.Duration
			for range 3 {
				both = poll()
			}
			if len(both) != 2 {
				t.Fatalf("reports %v", both)
			}
			if err := l.Do("p0", "power off"); err != nil {
				t.Fatal(err)
			}
			poll() // the cycle in which it dies
			for range 3 {
				alone := poll()
				at, there := alone[list[1].Address]
				if _, dead := alone[list[0].Address]; dead || !there {
					t.Fatalf("reports %v", alone)
				}
				if limit := both[list[1].Address] + 200*time.Millisecond; at > limit {
					t.Errorf("the live pump's report came after %v, beside a live neighbour after %v", at, both[list[1].Address])
				}
			}
			if err := l.Do("p0", "power on"); err != nil {
				t.Fatal(err)
			}
			if again := poll(); len(again) != 2 {
				t.Errorf("switched on again: reports %v", again)
			}
		})
	}
}
