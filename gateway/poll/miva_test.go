//go:build linux

package poll

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/miva"
	"infusiond/gateway/infusion"
	"infusiond/simulator"
)

// TestSimulatedMIVA runs simulator, pty, link, driver and loop together.
// Covers GW-120.
func TestSimulatedMIVA(t *testing.T) {
	const serial, seed = "SIM00007", 7
	pump := simulator.DefaultPump("milrinone")
	pump.Serial, pump.Link = serial, filepath.Join(t.TempDir(), "usb-pump")
	sim, err := simulator.New(simulator.Options{Pumps: []simulator.PumpOptions{pump}, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("simulator: %v", err)
		}
	}()
	driver, err := miva.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	settings := func(o *Options) {
		o.Interval = driver.Profile().MinPollInterval
		o.Pumps = []Pump{{Name: "milrinone", Serial: serial}}
	}

	cycles, stop := realTime(t, pump.Link, driver, settings)
	first := await(t, cycles, "a report", online)
	wantRate := drivers.Number(111, -2, drivers.MilliliterPerHour)
	if first.Report.Identity.Serial != serial || first.Report.State != drivers.RunInfusing || first.Report.ProgrammedRate != wantRate {
		t.Errorf("report = %+v", first.Report)
	}
	if first.Report.Anchor == "" || first.Took <= 0 {
		t.Errorf("anchor %q, took %v", first.Report.Anchor, first.Took)
	}
	next := await(t, cycles, "the next report", online)
	if age := next.At.Since(first.At); age < time.Second-100*time.Millisecond {
		t.Errorf("the next cycle began %v after the first, want one interval", age)
	}
	if err := sim.Do("milrinone", "unplug for=1s"); err != nil {
		t.Fatal(err)
	}
	lost := await(t, cycles, "the port gone", func(c Cycle) bool { return c.Gap != nil })
	if r := lost.Gap.Reason; (r != infusion.GapPortLost && r != infusion.GapPortAbsent) || lost.Link.State != infusion.LinkAbsent {
		t.Errorf("cycle while unplugged: gap %+v, link %+v", lost.Gap, lost.Link)
	}
	back := await(t, cycles, "a report after the replug", online)
	if len(back.Report.LogGaps) != 0 {
		t.Errorf("the log does not connect after the replug: %+v", back.Report.LogGaps)
	}
	stop()

	// The same pump under the real root: refused although it is configured.
	cycles, stop = realTime(t, pump.Link, driver, func(o *Options) {
		settings(o)
		o.RefuseSerials = driver.Profile().SimulatorSerials
	})
	refused := await(t, cycles, "a refusal", gap(infusion.GapWrongIdentity))
	if refused.Report != nil {
		t.Errorf("something of the report survived: %+v", refused.Report)
	}
	stop()

	asked, err := sim.Queries("milrinone")
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) == 0 {
		t.Error("the simulator says that it was never asked")
	}
}
