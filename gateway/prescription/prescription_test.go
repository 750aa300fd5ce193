package prescription

import (
	"os"
	"strings"
	"testing"
	"time"

	"infusiond/gateway/units"
)

const good = `patient: p-1
version: 2
effective_from: 2026-03-01T08:00:00+01:00
author: {name: Dr. A, role: cardiologist}
reason: start
review_by: 2026-04-01
weight: {kg: 7.4, date: 2026-02-27}
infusions:
- name: milrinone
  pump: blue
  drug: primacor
  dose_mcg_per_kg_per_min: 0.5
  concentration_mcg_per_ml: 200
  pump_step_ml_per_h: 0.01
  schedule: {type: continuous, from: 2026-03-01T08:00:00+01:00}
  bag: {drug: milrinone, concentration_mcg_per_ml: 200, volume_ml: 50, confirmed_by: two, confirmed_at: 2026-03-01T07:50:00+01:00}
`

func library(t testing.TB) *Library {
	t.Helper()
	data, err := os.ReadFile("../../configs/drug-library.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseLibrary("library.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Covers GW-63.
func TestRateIsExact(t *testing.T) {
	for _, row := range []struct{ name, weight, dose, concentration, step, rate, rounded string }{
		{"worked example of the domain facts", "7.4", "0.5", "200", "0.01", "1.11", "1.11"},
		{"dobutamine 5 at 1000", "7.4", "5", "1000", "0.01", "2.22", "2.22"},
		{"nurse's step up", "7.4", "0.625", "200", "0.01", "1.3875", "1.39"},
		{"adult", "70", "0.375", "200", "0.1", "7.875", "7.9"},
		{"small infant at a fine step", "3.5", "0.25", "200", "0.01", "0.2625", "0.26"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := strings.NewReplacer("kg: 7.4", "kg: "+row.weight, "min: 0.5", "min: "+row.dose,
				"  concentration_mcg_per_ml: 200\n", "  concentration_mcg_per_ml: "+row.concentration+"\n", "per_h: 0.01", "per_h: "+row.step).Replace(good)
			p, err := Parse("rx.yaml", []byte(text), []string{"blue"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if inf := p.Infusions[0]; inf.Rate.MlPerH() != row.rate || inf.Rounded.MlPerH() != row.rounded {
				t.Errorf("rate %s rounded %s, want %s %s", inf.Rate.MlPerH(), inf.Rounded.MlPerH(), row.rate, row.rounded)
			}
		})
	}
}

// Covers GW-66.
func TestABrandNameIsStoredAsItsGenericName(t *testing.T) {
	p, err := Parse("rx.yaml", []byte(good), []string{"blue"}, library(t))
	if err != nil {
		t.Fatal(err)
	}
	if inf := p.Infusions[0]; inf.Drug != "milrinone" || inf.Limits == nil || inf.Limits.Stop != Slow || !inf.Bag.Confirmed() {
		t.Errorf("%+v", inf)
	}
}

// Covers GW-63.
func TestDoseOfIsTheInverse(t *testing.T) {
	p, err := Parse("rx.yaml", []byte(good), []string{"blue"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	inf := p.Infusions[0]
	if got := DoseOf(inf.Rate, p.WeightKg, inf.ConcentrationMcgPerMl); got.Cmp(inf.DoseMcgPerKgPerMin) != 0 {
		t.Errorf("dose %s", units.FormatDecimal(got))
	}
}

// Covers GW-64, GW-65, GW-67, GW-68, GW-110.
func TestBadPrescriptionsNameLineValueAndMend(t *testing.T) {
	for _, row := range []struct{ name, old, replacement, want string }{
		{"weight ten times", "kg: 7.4", "kg: 740", `rx.yaml:7: weight.kg: "740": is not between 2 and 200 kg`},
		{"weight in pounds", "kg: 7.4", "lb: 16.3", `rx.yaml:7: weight.lb: this key is not known; possible: kg, date`},
		{"weight too fine", "kg: 7.4", "kg: 7.412", "is finer than 0.01 kg"},
		{"weight with trailing zero", "kg: 7.4", "kg: 7.40", `ends in a zero after the point`},
		{"no leading zero", "min: 0.5", "min: .5", `rx.yaml:12: infusions[0].dose_mcg_per_kg_per_min: ".5": has no digit before the point, which can be misread tenfold; write "0.5"`},
		{"dose beyond hard limit", "min: 0.5", "min: 5", "is beyond the hard high limit of infusiond-example version 1 (example, not signed by a clinic)"},
		{"dose beyond soft limit without a reason", "min: 0.5", "min: 0.8", "if it is meant, say why in soft_limit_reason"},
		{"dose negative", "min: 0.5", "min: -0.5", "is not between 0.001 and 100 mcg/kg/min"},
		{"concentration impossible", "  concentration_mcg_per_ml: 200\n", "  concentration_mcg_per_ml: 0\n", "is not between 1 and 20000 mcg/mL"},
		{"concentration below the drug's limit", "  concentration_mcg_per_ml: 200\n", "  concentration_mcg_per_ml: 20\n", "is beyond the hard low limit"},
		{"the heaviest weight is accepted", "kg: 7.4", "kg: 200", ""},
		{"unknown pump", "pump: blue", "pump: bleu", `infusions[0].pump: "bleu": is not one of blue, red; did you mean "blue"?`},
		{"unknown drug", "drug: primacor", "drug: milrinon", "is not in the drug library"},
		{"rounding changes the dose", "per_h: 0.01", "per_h: 0.5", "1.11 mL/h becomes 1 at this step, which changes the dose by more than 5 %"},
		{"step missing", "  pump_step_ml_per_h: 0.01\n", "", "write the step in which the pump's rate can be set"},
		{"bag half confirmed", "confirmed_by: two, ", "", "is confirmed only by half"},
		{"end before beginning", "from: 2026-03-01T08:00:00+01:00}", "from: 2026-03-01T08:00:00+01:00, until: 2026-02-01T08:00:00+01:00}", "is not after its beginning"},
		{"schedule of another kind", "type: continuous", "type: weekly", "is not one of continuous"},
		{"no author", "author: {name: Dr. A, role: cardiologist}\n", "", "rx.yaml:1: author: is missing; say who ordered this"},
		{"second infusion on the pump", "", "- name: b\n  pump: blue\n", "has the pump blue of the infusion in line 9, too"},
		{"patient's name instead of a pseudonym", "patient: p-1", "patient: Mia Muster", "is not a name"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := strings.Replace(good, row.old, row.replacement, 1)
			if row.old == "" {
				text = good + row.replacement
			}
			_, err := Parse("rx.yaml", []byte(text), []string{"blue", "red"}, library(t))
			if row.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got  %v\nwant %s", err, row.want)
			}
		})
	}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// Covers GW-67.
func TestBookAppliesTheVersionInEffect(t *testing.T) {
	first := &Prescription{
		Patient: "p", Version: 1, EffectiveFrom: at("2026-03-01T08:00:00Z"),
		Infusions: []Infusion{{Name: "a", Pump: "blue", Start: at("2026-03-01T09:00:00Z"), End: at("2026-03-03T09:00:00Z")}},
	}
	second := &Prescription{
		Patient: "p", Version: 2, EffectiveFrom: at("2026-03-02T08:00:00Z"),
		Infusions: []Infusion{{Name: "b", Pump: "blue", Start: at("2026-03-02T08:00:00Z")}},
	}
	book := Book{Prescriptions: []*Prescription{second, first}}
	for _, row := range []struct {
		name, at, infusion string
		expected           bool
	}{
		{"before any version", "2026-03-01T07:59:59Z", "", false},
		{"in effect, not begun", "2026-03-01T08:30:00Z", "a", false},
		{"begun", "2026-03-01T09:00:00Z", "a", true},
		{"next version at its second", "2026-03-02T08:00:00Z", "b", true},
		{"long after", "2027-03-02T08:00:00Z", "b", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			order, found := book.At("blue", at(row.at))
			if found != (row.infusion != "") || found && (order.Name != row.infusion || order.Expected != row.expected) {
				t.Errorf("found %v, order %+v", found, order)
			}
		})
	}
	if _, found := book.At("red", at("2026-03-02T08:00:00Z")); found {
		t.Error("a pump that no prescription names has an order")
	}
	alone := Book{Prescriptions: []*Prescription{first}}
	if order, found := alone.At("blue", at("2026-03-03T09:00:00Z")); !found || order.Expected || !order.Ended(at("2026-03-03T09:00:00Z")) {
		t.Errorf("after the planned end: %v %+v", found, order)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	l := library(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("rx.yaml", data, []string{"blue"}, l)
		if err != nil {
			return
		}
		for _, inf := range p.Infusions {
			if inf.Rate <= 0 || inf.Step <= 0 || inf.Limits == nil || inf.DoseMcgPerKgPerMin == nil || inf.Pump != "blue" {
				t.Errorf("accepted without what the checks need: %+v", inf)
			}
			if side := inf.Limits.Dose.Beyond(inf.DoseMcgPerKgPerMin); strings.HasPrefix(side, "hard") {
				t.Errorf("accepted beyond a hard limit: %+v", inf)
			}
		}
	})
}
