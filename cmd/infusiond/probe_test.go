package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"infusiond/gateway/config"
	"infusiond/gateway/probe"
	"infusiond/simulator"
)

// simulate runs pumps on ptys until the test ends and returns the simulator.
func simulate(t *testing.T, pumps ...simulator.PumpOptions) *simulator.Simulator {
	t.Helper()
	const seed = 5
	sim, err := simulator.New(simulator.Options{Pumps: pumps, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("simulator: %v", err)
		}
	})
	return sim
}

// Covers GW-25, GW-130.
func TestProbeFindsASimulatedPump(t *testing.T) {
	t.Parallel()
	pump := simulator.DefaultPump("blue")
	pump.Serial, pump.Link = "SIM00042", filepath.Join(t.TempDir(), "pump")
	sim := simulate(t, pump)
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"probe", "--protocols", "miva", pump.Link}, &out, &errOut); code != exitUsage || !strings.Contains(errOut.String(), "nothing was sent") {
		t.Errorf("without the statement: %d, %s", code, &errOut)
	}
	if asked, err := sim.Queries("blue"); err != nil || len(asked) != 0 {
		t.Errorf("the pump was asked %v, %v", asked, err)
	}
	if code := run(t.Context(), []string{"probe", "--not-on-a-patient", "--protocols", "miva", pump.Link}, &out, &errOut); code != 0 {
		t.Fatalf("%d: %s%s", code, &out, &errOut)
	}
	text := out.String()
	if !strings.Contains(text, "serial number SIM00042") {
		t.Errorf("%s", text)
	}
	_, pumps, found := strings.Cut(text, "\npumps:\n")
	c, err := config.Parse("probe.yaml", []byte("gateway: home\nsimulated: true\ndata_dir: data\npumps:\n"+pumps), table())
	if !found || err != nil || len(c.Pumps) != 1 || c.Pumps[0].Serial != "SIM00042" || c.Pumps[0].Port != pump.Link {
		t.Errorf("%v: %+v of\n%s", err, c, text)
	}

	out.Reset()
	if code := run(t.Context(), []string{"probe", "--not-on-a-patient", "--json", "--protocols", "miva", pump.Link}, &out, &errOut); code != 0 {
		t.Fatalf("%d: %s%s", code, &out, &errOut)
	}
	var got struct{ Attempts []probe.Attempt }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Attempts) != 1 || got.Attempts[0].Outcome != probe.Found {
		t.Errorf("%v: %s", err, &out)
	}
}

// Covers GW-130. A pump of another protocol is told apart, and is sent nothing but the named queries.
func TestProbeWithTheWrongProtocol(t *testing.T) {
	t.Parallel()
	pump := simulator.DefaultPump("blue")
	pump.Link = filepath.Join(t.TempDir(), "pump")
	sim := simulate(t, pump)
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"probe", "--not-on-a-patient", "--protocols", "asena", pump.Link}, &out, &errOut)
	if code != exitFailed || !strings.Contains(errOut.String(), "no pump answered") || !strings.Contains(out.String(), "asena at 38400 8N1: ") {
		t.Errorf("%d: %s%s", code, &out, &errOut)
	}
	if asked, err := sim.Queries("blue"); err != nil || slices.Contains(asked, "RN") {
		t.Errorf("the pump was asked %v, %v", asked, err)
	}
}

// Covers GW-25, GW-26. Every protocol finds its simulated pumps and prints their entries.
func TestProbeOfEveryProtocol(t *testing.T) {
	for _, model := range table().Names() {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			pump, err := simulator.PumpOf(model, "one")
			if err != nil {
				t.Fatal(err)
			}
			pump.Link = filepath.Join(t.TempDir(), "pump")
			simulate(t, pump)
			var out, errOut bytes.Buffer
			if code := run(t.Context(), []string{"probe", "--not-on-a-patient", "--protocols", model, pump.Link}, &out, &errOut); code != 0 {
				t.Fatalf("%d: %s%s", code, &out, &errOut)
			}
			_, pumps, found := strings.Cut(out.String(), "\npumps:\n")
			c, err := config.Parse("probe.yaml", []byte("gateway: home\nsimulated: true\ndata_dir: data\npumps:\n"+pumps), table())
			if !found || err != nil || len(c.Pumps) != 1 || c.Pumps[0].Driver != model {
				t.Errorf("%v: %+v of\n%s", err, c, &out)
			}
		})
	}
}
