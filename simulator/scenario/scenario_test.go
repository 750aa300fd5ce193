package scenario

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"infusiond/simulator"
	"infusiond/simulator/line"
	"infusiond/simulator/pumpmodel"
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
			for seed := uint64(1); seed <= 3; seed++ {
				t.Run(fmt.Sprintf("%s %s seed %d", s.ID, info.Protocol, seed), func(t *testing.T) { plays(t, s, info.Protocol, seed) })
			}
		}
	}
}

func plays(t *testing.T, s *Scenario, protocol string, seed uint64) {
	t.Helper()
	stage, err := NewVirtual(s, protocol, seed)
	if err != nil {
		t.Fatal(err)
	}
	var truth bytes.Buffer
	result, err := Run(t.Context(), s, stage, Options{Truth: &truth})
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range append(result.Wrong, result.Refused...) {
		t.Error(wrong)
	}
	harness, facts := 0, 0
	for _, step := range s.Steps {
		if step.Harness != "" {
			harness++
		}
	}
	for _, f := range s.Facts {
		if f.about(protocol) {
			facts++
		}
	}
	if len(result.Left) != harness || result.Steps != len(s.Steps) {
		t.Errorf("%d steps of %d, %d of %d left for a harness", result.Steps, len(s.Steps), len(result.Left), harness)
	}
	if result.Judged != facts || facts == 0 {
		t.Errorf("%d facts judged of %d", result.Judged, facts)
	}
	if lines := bytes.Count(truth.Bytes(), []byte("\n")); lines < len(s.Pumps) {
		t.Errorf("%d lines of truth", lines)
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

// What each protocol is said to be able to tell agrees with what its front declares.
func TestAbilitiesAgreeWithTheFronts(t *testing.T) {
	for _, info := range simulator.Models() {
		says := info.Announces
		for _, row := range []struct {
			ability Ability
			has     bool
		}{
			{AbleAlarms, says(pumpmodel.AlarmOcclusionDownstream)},
			{AbleAir, says(pumpmodel.AlarmAirInLine)},
			{AbleDryBag, says(pumpmodel.AlarmAirInLine) || says(pumpmodel.AlarmOcclusionUpstream) && info.Physics().UpstreamSensor},
			{AbleBattery, says(pumpmodel.AlarmBatteryLow) && says(pumpmodel.AlarmBatteryDepleted)},
			{AbleSeveralAlarms, says(pumpmodel.AlarmOcclusionDownstream) && !info.OneAlarm},
			{AbleLog, info.HasLog},
			{AbleSerial, info.Serial != ""},
		} {
			if got := slices.Contains(able[info.Protocol], row.ability); got != row.has {
				t.Errorf("%s: %s is said to be %t, the front declares %t", info.Protocol, row.ability, got, row.has)
			}
		}
	}
}

// What a pump has no word for is refused before anything runs.
func TestACommandThatAProtocolCannotTakeIsRefused(t *testing.T) {
	const head = "id: X\ntitle: t\nduration: 1h\nsteps:\n"
	for _, row := range []struct{ step, protocol, want string }{
		{"  - {at: 1m, pump: a, do: alarm air_in_line}\n", "miva", "x.yaml:5: a miva has no word for the alarm air_in_line; choose another model"},
		{"  - {at: 1m, pump: a, do: serial SIM00007}\n", "newera", "x.yaml:5: a newera has no serial number"},
		{"  - {at: 1m, pump: a, do: alarm air_in_line}\n", "bcc", ""},
		{"  - {at: 1m, pump: a, do: stop}\n", "fax", `model "fax" is not known`},
	} {
		s, err := Parse("x.yaml", []byte(head+row.step))
		if err != nil {
			t.Fatal(err)
		}
		_, err = NewVirtual(s, row.protocol, 1)
		switch {
		case err == nil && row.want != "":
			t.Errorf("%s %q: accepted, want %q", row.protocol, row.step, row.want)
		case err != nil && (row.want == "" || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%s %q: %v, want %q", row.protocol, row.step, err, row.want)
		}
	}
}

// Covers GW-121.
func TestTheSameSeedGivesTheSameTruth(t *testing.T) {
	run := func(seed uint64) string {
		s, err := Load("SC-10")
		if err != nil {
			t.Fatal(err)
		}
		stage, err := NewVirtual(s, "bcc", seed)
		if err != nil {
			t.Fatal(err)
		}
		var truth bytes.Buffer
		if _, err := Run(t.Context(), s, stage, Options{Truth: &truth, Every: time.Minute}); err != nil {
			t.Fatal(err)
		}
		return truth.String()
	}
	first := run(4)
	if first != run(4) {
		t.Error("seed 4 gave two truths")
	}
	if first == run(5) {
		t.Error("seeds 4 and 5 gave one truth")
	}
	if !strings.Contains(first, `"steps":["a occlude"]`) || strings.Count(first, "\n") < 180 {
		t.Errorf("%d lines, or the step is missing", strings.Count(first, "\n"))
	}
}

func TestTimesOfCommandsAtASpeed(t *testing.T) {
	for command, want := range map[string]string{
		"occlude in=1m": "occlude in=1s", "unplug for=2h": "unplug for=2m0s", "heat 20 for=1h": "heat 20 for=1h", "late delay=700ms for=1m": "late delay=700ms for=1s",
		"bag 50 set=new": "bag 50 set=new", "stop": "stop",
	} {
		if got := onTheWire(command, 60); got != want {
			t.Errorf("%q at 60 times the speed: %q, want %q", command, got, want)
		}
	}
}

func TestHarnessGetsWhatIsNotForThePumps(t *testing.T) {
	s, err := Load("SC-20")
	if err != nil {
		t.Fatal(err)
	}
	stage, err := NewVirtual(s, "miva", 1)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	result, err := Run(t.Context(), s, stage, Options{Harness: func(_ context.Context, step Step) error {
		got = append(got, fmt.Sprintf("%v %s", step.At, step.Harness))
		return nil
	}})
	if err != nil || len(result.Left) != 0 || strings.Join(got, "|") != "1h0m0s broker down|7h0m0s broker up" {
		t.Errorf("%v, left %v, %v", got, result.Left, err)
	}
	broken := errors.New("no broker")
	if stage, err = NewVirtual(s, "miva", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), s, stage, Options{Harness: func(context.Context, Step) error { return broken }}); !errors.Is(err, broken) {
		t.Errorf("a harness that fails: %v", err)
	}
}

// BenchmarkScenario plays 48 h of two pumps and prints pump-days per second.
func BenchmarkScenario(b *testing.B) {
	s, err := Load("SC-01")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		stage, err := NewVirtual(s, "miva", 1)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Run(b.Context(), s, stage, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(4*float64(b.N)/b.Elapsed().Seconds(), "pump-days/s")
}
