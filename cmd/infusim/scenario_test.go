package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A scenario of ten minutes, played in real time a thousand times as fast.
func TestRunPlaysAScenarioAndEnds(t *testing.T) {
	var out, errOut bytes.Buffer
	args := []string{"run", "SC-02", "--model", "asena", "--speed", "1000", "--control", "off", "--folder", t.TempDir()}
	if code := realMain(t.Context(), args, streams{strings.NewReader(""), &out, &errOut}); code != 0 {
		t.Fatalf("exit code %d: %s%s", code, out.String(), errOut.String())
	}
	for _, want := range []string{`step="5m0s b: stop"`, "scenario=SC-02 done steps=1 for_the_harness=0 refused=0 wrong=0"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}

func TestAScenarioThatGoesWrongIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	text := "id: X\ntitle: t\nduration: 1m\nfacts:\n  - {at: 1m, pump: a, quantity: state, is: stopped}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	args := []string{"run", file, "--speed", "1000", "--control", "off", "--folder", t.TempDir()}
	if code := realMain(t.Context(), args, streams{strings.NewReader(""), &out, &errOut}); code != 1 || !strings.Contains(errOut.String(), "facts of the scenario do not hold") {
		t.Errorf("exit code %d: %s", code, errOut.String())
	}
}

func TestScenariosAreListedShownAndMatched(t *testing.T) {
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"scenarios"}, "SC-30"}, {[]string{"scenarios", "--matrix"}, "no pressure"}, {[]string{"scenarios", "SC-10"}, "pump a: map["},
	} {
		var out, errOut bytes.Buffer
		if code := realMain(t.Context(), row.args, streams{strings.NewReader(""), &out, &errOut}); code != 0 || !strings.Contains(out.String(), row.want) {
			t.Errorf("%v: exit code %d, %q is missing: %s", row.args, code, row.want, errOut.String())
		}
	}
	var out, errOut bytes.Buffer
	if code := realMain(t.Context(), []string{"run", "SC-99"}, streams{strings.NewReader(""), &out, &errOut}); code != 1 || !strings.Contains(errOut.String(), "infusim scenarios lists them") {
		t.Errorf("an unknown scenario: exit code %d, %s", code, errOut.String())
	}
}
