package scenario

import (
	"strings"
	"testing"
)

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
		{"step without a time", head + "steps:\n  - {pump: a, do: stop}\n", "x.yaml:5: a step needs at"},
		{"fact without a time", head + "facts:\n  - {pump: a, quantity: state, is: running}\n", "x.yaml:5: a fact needs at"},
		{"bounds exchanged", head + "facts:\n  - {at: 1m, pump: a, quantity: bag_ml, least: 2, most: 1}\n", "least 2 is above most 1"},
		{"bounds of a word", head + "facts:\n  - {at: 1m, pump: a, quantity: state, is: running, least: 2}\n", "state is a word"},
		{"difference to later", head + "facts:\n  - {at: 1m, pump: a, quantity: bag_ml, since: 2m, least: 2}\n", "not before"},
		{"unknown event", head + "facts:\n  - {pump: a, event: party, from: 1m, to: 2m}\n", `unknown event "party"; known are begin, run`},
		{"event without a time", head + "facts:\n  - {pump: a, event: run}\n", "needs from and to"},
		{"event twice", head + "facts:\n  - {pump: a, event: run, quantity: state, from: 1m, to: 2m}\n", "make two of it"},
		{"never, and a time", head + "facts:\n  - {pump: a, event: run, never: true, to: 2m}\n", "has no from and to"},
		{"neither true nor false", head + "facts:\n  - {pump: a, event: run, never: perhaps}\n", "write true or false"},
		{"unknown protocol", head + "facts:\n  - {pump: a, for: [fax], event: run, never: true}\n", `unknown protocol "fax"; known are asena, bcc`},
		{"expected too late", head + "expect:\n  - {pump: a, code: stopped, after: 2h}\n", "behind the end"},
		{"unknown key of a pump", head + "pumps:\n  a: {rate: 1, colour: red}\n", `x.yaml:5: pump a: pump`},
		{"wrong value of a pump", head + "pumps:\n  a: {rate: 1 mL/24h}\n", `x.yaml:5: pump a: rate "1 mL/24h" is not a number`},
		{"two scenarios", head + "---\n" + head, "write one, without ---"},
		{"nothing", "", "holds 0 scenarios"},
		{"no YAML", "\t: [", "x.yaml"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := Parse("x.yaml", []byte(row.text)); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
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
