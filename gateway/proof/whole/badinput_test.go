package whole

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"infusiond/gateway/message"
)

// replace returns a function that puts one text in place of another, which must be there.
func replace(t *testing.T, old, with string) func(string) string {
	t.Helper()
	return func(text string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in\n%s", old, text)
		}
		return strings.Replace(text, old, with, 1)
	}
}

// lineOf is the place of a text in a file, as problems name it: "file:7".
func lineOf(file, content, text string) string {
	return fmt.Sprintf("%s:%d", file, 1+strings.Count(content[:strings.Index(content, text)], "\n"))
}

// TestWrongConfigurationIsRefused: with a wrong configuration nothing starts, and both commands say
// file, line, value and mend.
// Covers GW-08, GW-110.
func TestWrongConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, plan{gateway: "refused", pumps: []pump{blue()}})
	for _, row := range []struct{ name, old, with, want string }{
		{"unknown key", "data_dir: records", "data_dir: records\nhistroy: 24h", `histroy: this key is not known; did you mean "history"?`},
		{"wrong type", "simulated: true", "simulated: [7]", "simulated: is not true or false"},
		{"simulator under the real root", "simulated: true\n", "", `pumps[0].serial: "SIM00001": is a simulator's serial number, and this gateway is real; set simulated: true`},
		{"real pump under the simulated root", "SIM00001", "SN800008", `pumps[0].serial: "SN800008": is not a simulator's serial number, and this gateway is simulated; `},
		{"unknown driver", "driver: miva", "driver: mivaa", `pumps[0].driver: "mivaa": is not one of asena, bcc, miva, newera, sapphire; did you mean "miva"?`},
	} {
		t.Run(row.name, func(t *testing.T) {
			content := replace(t, row.old, row.with)(r.configText())
			file := filepath.Join(t.TempDir(), "infusiond.yaml")
			r.write(mustRel(t, r.dir, file), content)
			line, _, _ := strings.Cut(row.want, ": ")
			if i := strings.LastIndexByte(line, '.'); i >= 0 {
				line = line[i+1:]
			}
			want := lineOf(file, content, line+":") + ": " + row.want
			for _, command := range []string{"check-config", "run"} {
				if code, text := run(t, command, file); code != 2 || !strings.Contains(text, want) {
					t.Errorf("%s: exit code %d, it says\n%s\nwant 2 and %s", command, code, text, want)
				}
			}
		})
	}
	t.Run("missing file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "none.yaml")
		for _, command := range []string{"check-config", "run"} {
			if code, text := run(t, command, file); code != 2 || !strings.Contains(text, file) {
				t.Errorf("%s: exit code %d, it says %s", command, code, text)
			}
		}
	})
	t.Run("good", func(t *testing.T) {
		if code, text := run(t, "check-config", r.config); code != 0 || !strings.HasSuffix(text, "ok\n") || !strings.Contains(text, "1.11 mL/h") {
			t.Errorf("exit code %d, it says\n%s", code, text)
		}
	})
	if s, err := r.sim.Status("blue"); err != nil || s.Wire.Queries != 0 {
		t.Errorf("the pump was asked %d times (%v) by programs that refused their configuration", s.Wire.Queries, err)
	}
}

func mustRel(t *testing.T, base, path string) string {
	t.Helper()
	rel, err := filepath.Rel(base, path)
	if err != nil {
		t.Fatal(err)
	}
	return rel
}

// TestWrongPrescriptionIsNotUsed: check-config names the mistake; the gateway runs all the same, says
// in its health what is wrong, and judges nothing.
// Covers GW-110, GW-126.
func TestWrongPrescriptionIsNotUsed(t *testing.T) {
	t.Parallel()
	for i, row := range []struct{ name, old, with, key, want string }{
		{"unknown key", "reason: test", "raeson: test", "raeson", `raeson: this key is not known; did you mean "reason"?`},
		{"wrong type", "dose_mcg_per_kg_per_min: 0.5", "dose_mcg_per_kg_per_min: much", "dose_mcg_per_kg_per_min", `infusions[0].dose_mcg_per_kg_per_min: "much": is not a plain decimal number; `},
		{"impossible weight", "kg: 7.4", "kg: 740", "weight", `weight.kg: "740": is not between 2 and 200 kg; `},
		{"impossible concentration", "concentration_mcg_per_ml: 200", "concentration_mcg_per_ml: 2", "concentration_mcg_per_ml", `infusions[0].concentration_mcg_per_ml: "2": is beyond the hard low limit of `},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, plan{gateway: fmt.Sprintf("wrong-rx-%d", i), pumps: []pump{blue()}, prescription: replace(t, row.old, row.with)})
			file := filepath.Join(r.dir, "prescription.yaml")
			want := lineOf(file, r.prescriptionText(), row.key+":") + ": " + row.want
			code, text := run(t, "check-config", r.config)
			problem := problemIn(text, want)
			if code != 2 || !strings.Contains(problem, "; ") {
				t.Errorf("check-config: exit code %d, it says\n%s\nwant 2 and %s, with a mend", code, text, want)
			}
			w := r.watch()
			r.start()
			h, _ := await(w, 0, "the condition", r.topics.Health(), func(h message.Health) bool { return has(h, "prescription_invalid") })
			if !slices.ContainsFunc(h.Conditions, func(c message.Condition) bool {
				return c.Code == "prescription_invalid" && c.Subject == file && strings.Contains(c.Detail, want) && c.Hint != ""
			}) {
				t.Errorf("conditions %+v, want %s", h.Conditions, want)
			}
			o, _ := await(w, 0, "a reading", r.topics.Observation("blue"), isReading)
			if o.Verdict.Verdict != message.VerdictUnknown || o.Verdict.Reasons[0].Code != message.CodeNoPrescription || o.ProgrammedRateMlPerH.String() != "1.11" {
				t.Errorf("observation %+v", o)
			}
			records(t, w.Messages())
		})
	}
}

// problemIn is the line of a text that holds the wanted part, empty when none does.
func problemIn(text, want string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, want) {
			return line
		}
	}
	return ""
}
