package scenario

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"infusiond/simulator"
	"infusiond/simulator/line"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func all(t *testing.T) []*Scenario {
	t.Helper()
	list, err := All()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestThirtyScenariosAreShipped(t *testing.T) {
	list := all(t)
	if len(list) != 30 {
		t.Fatalf("%d scenarios", len(list))
	}
	for i, s := range list {
		if want := fmt.Sprintf("SC-%02d", i+1); s.ID != want || s.Expected == "" {
			t.Errorf("scenario %d is %s (expected %q), want %s", i, s.ID, s.Expected, want)
		}
		if len(s.Expect) == 0 {
			t.Errorf("%s expects nothing", s.ID)
		}
	}
	if s, err := Load("sc-10"); err != nil || s.ID != "SC-10" {
		t.Errorf("Load: %v, %v", s, err)
	}
	if _, err := Load("SC-99"); err == nil || !strings.Contains(err.Error(), "infusim scenarios") {
		t.Errorf("a scenario that is not there: %v", err)
	}
}

func TestMatrix(t *testing.T) {
	got := Matrix(all(t))
	const file = "testdata/matrix.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%v; run with -update and look at the difference:\n%s", err, got)
	}
	for _, info := range simulator.Models() {
		if able[info.Protocol] == nil {
			t.Errorf("nothing is said of what %s can tell", info.Protocol)
		}
	}
}

// Every scenario runs in virtual time on every protocol that has what it needs, and its facts hold.
func TestEveryScenarioOnEveryProtocolThatCanRunIt(t *testing.T) {
	for _, s := range all(t) {
		for _, info := range simulator.Models() {
			if len(s.Missing(info.Protocol)) > 0 {
				continue
			}
			t.Run(s.ID+" "+info.Protocol, func(t *testing.T) {
				const seed = 11
				stage, err := NewVirtual(s, info.Protocol, seed)
				if err != nil {
					t.Fatal(err)
				}
				var truth bytes.Buffer
				result, err := Run(t.Context(), s, stage, Options{Truth: &truth})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				for _, wrong := range append(result.Wrong, result.Refused...) {
					t.Errorf("seed %d: %s", seed, wrong)
				}
				harness := 0
				for _, step := range s.Steps {
					if step.Harness != "" {
						harness++
					}
				}
				if len(result.Left) != harness || result.Steps != len(s.Steps) {
					t.Errorf("%d steps of %d, %d of %d left for a harness", result.Steps, len(s.Steps), len(result.Left), harness)
				}
				if lines := bytes.Count(truth.Bytes(), []byte("\n")); lines < len(s.Pumps) {
					t.Errorf("%d lines of truth", lines)
				}
			})
		}
	}
}

func TestParseNamesThePlaceAndTheMend(t *testing.T) {
	const head = "id: X\ntitle: t\nduration: 1h\n"
	for _, row := range []struct{ name, text, want string }{
		{"unknown key", head + "colour: red\n", `x.yaml:4: unknown key "colour"; known are id, title`},
		{"double key", head + "title: u\n", "stands twice"},
		{"no duration", "id: X\ntitle: t\n", "duration are needed"},
		{"wrong unit", head + "steps:\n  - {at: 5 minutes, pump: a, do: stop}\n", `x.yaml:5: "5 minutes" is not a time; write it like`},
		{"unknown pump", head + "steps:\n  - {at: 5m, pump: c, do: stop}\n", `x.yaml:5: no pump "c"; this scenario has a, b`},
		{"unknown command", head + "steps:\n  - {at: 5m, pump: a, do: explode}\n", `"explode", known run, pause`},
		{"wrong argument", head + "steps:\n  - {at: 5m, pump: a, do: rate}\n", "usage: rate ML_PER_H"},
		{"neither", head + "steps:\n  - {at: 5m, pump: a}\n", "either do"},
		{"order", head + "steps:\n  - {at: 5m, pump: a, do: stop}\n  - {at: 4m, pump: a, do: run}\n", "write the steps in their order"},
		{"behind the end", head + "steps:\n  - {at: 2h, pump: a, do: stop}\n", "behind the end of the scenario"},
		{"ability", head + "needs: [wings]\n", `unknown ability "wings"`},
		{"quantity", head + "facts:\n  - {at: 5m, pump: a, quantity: mood, is: good}\n", `unknown quantity "mood"; known are`},
		{"number without bounds", head + "facts:\n  - {at: 5m, pump: a, quantity: bag_ml}\n", "least, most or both"},
		{"no code", head + "expect:\n  - {pump: a}\n", "needs a code"},
		{"no mapping", "- 1\n", "want a mapping"},
		{"no YAML", "\t: [", "x.yaml"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := Parse("x.yaml", []byte(row.text)); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}

func TestAFactThatDoesNotHoldIsSaid(t *testing.T) {
	s, err := Parse("x.yaml", []byte("id: X\ntitle: t\nduration: 1h\nsteps:\n  - {at: 5m, pump: a, do: stop}\nfacts:\n  - {at: 10m, pump: a, quantity: state, is: running}\n  - {at: 1h, pump: b, quantity: volume_infused_ml, most: 1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	stage, err := NewVirtual(s, "miva", 1)
	if err != nil {
		t.Fatal(err)
	}
	result, err := Run(t.Context(), s, stage, Options{})
	if err != nil || len(result.Wrong) != 2 || !strings.Contains(result.Wrong[0], `state of a is "stopped", want "running"`) {
		t.Errorf("%v, %v", result.Wrong, err)
	}
}

// A swap exchanges what is behind two ports; the pumps keep their names.
func TestSwapInVirtualTime(t *testing.T) {
	s, err := Load("SC-08")
	if err != nil {
		t.Fatal(err)
	}
	stage, err := NewVirtual(s, "asena", 1)
	if err != nil {
		t.Fatal(err)
	}
	behind := func(pump string) *line.Memory {
		t.Helper()
		port, err := stage.Port(pump)
		if err != nil {
			t.Fatal(err)
		}
		return port
	}
	if err := stage.Until(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := stage.Do("a", "swap b"); err != nil {
		t.Fatal(err)
	}
	if behind("a") != stage.Place("b") || behind("b") != stage.Place("a") {
		t.Error("the ports lead where they led before")
	}
	if status, err := stage.Status("a"); err != nil || status.Says.ProgrammedRate != 1.11 {
		t.Errorf("a: %+v, %v", status.Says, err)
	}
}

func FuzzParse(f *testing.F) {
	entries, err := shipped.ReadDir("files")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		data, err := shipped.ReadFile("files/" + e.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("fuzz.yaml", data)
		if err == nil && (s.ID == "" || s.Duration <= 0) {
			t.Fatalf("accepted: %+v", s)
		}
	})
}
