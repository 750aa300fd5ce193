package document

import (
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// read exercises every kind of value the way config and prescription do.
func read(d *Document) {
	root := d.Root("name", "rate", "every", "on", "count", "at", "day", "kind", "list", "free", "note")
	root.Get("name").Need("give it a name").Name()
	root.Get("rate").Within("0.1", "99", "mL/h")
	root.Get("every").Duration(time.Second, time.Minute, 5*time.Second)
	root.Get("on").Bool(false)
	root.Get("count").Int(1, 9, 3)
	root.Get("at").Time()
	root.Get("day").Date()
	root.Get("kind").OneOf("continuous", "intermittent")
	root.Get("note").Text()
	root.Get("free").Keys()
	for _, n := range root.Get("list").List() {
		n.Mapping("port").Get("port").Text()
	}
}

// Covers GW-110.
func TestProblemsNamePlaceValueAndMend(t *testing.T) {
	for _, row := range []struct{ name, yaml, want string }{
		{"good", "name: a-1\nrate: 0.5\nevery: 5s\non: true\ncount: 2\nat: 2026-03-01T08:00:00+01:00\nday: 2026-03-01\nkind: continuous\nlist:\n- port: x\n", ""},
		{"missing", "rate: 1\n", "f.yaml:1: name: is missing; give it a name"},
		{"null is missing", "name:\n", "f.yaml:1: name: is missing; give it a name"},
		{"unknown key", "name: a\nrat: 1\n", `f.yaml:2: rat: this key is not known; did you mean "rate"?`},
		{"unknown key far from all", "name: a\nzzzzzzzz: 1\n", "f.yaml:2: zzzzzzzz: this key is not known; possible: name, rate"},
		{"unknown nested key", "name: a\nlist:\n- prot: 1\n", `f.yaml:3: list[0].prot: this key is not known; did you mean "port"?`},
		{"name form", "name: Blue Pump\n", `f.yaml:1: name: "Blue Pump": is not a name; use 1 to 32 of a-z, 0-9 and -`},
		{"no leading zero", "name: a\nrate: .5\n", `f.yaml:2: rate: ".5": has no digit before the point, which can be misread tenfold; write "0.5"`},
		{"trailing zero", "name: a\nrate: 5.0\n", `f.yaml:2: rate: "5.0": ends in a zero after the point, which can be misread tenfold; write "5"`},
		{"unit in a number", "name: a\nrate: 5 mL/h\n", `f.yaml:2: rate: "5 mL/h": is not a plain decimal number`},
		{"exponent", "name: a\nrate: 5e1\n", "is not a plain decimal number"},
		{"infinity", "name: a\nrate: .inf\n", "has no digit before the point"},
		{"range", "name: a\nrate: 100\n", `f.yaml:2: rate: "100": is not between 0.1 and 99 mL/h; check the number and its unit`},
		{"duration without unit", "name: a\nevery: 5\n", `f.yaml:2: every: "5": is not a duration; write a number with its unit`},
		{"duration range", "name: a\nevery: 5h\n", "is not between 1s and 1m0s"},
		{"yes is no bool", "name: a\non: yes\n", `f.yaml:2: on: "yes": is not true or false`},
		{"int", "name: a\ncount: 2.5\n", "is not a whole number from 1 to 9"},
		{"time without zone", "name: a\nat: 2026-03-01T08:00:00\n", "is not a time with its zone"},
		{"date", "name: a\nday: 1.3.2026\n", "is not a date"},
		{"word", "name: a\nkind: contnuous\n", `f.yaml:2: kind: "contnuous": is not one of continuous, intermittent; did you mean "continuous"?`},
		{"list expected", "name: a\nlist: 5\n", "f.yaml:2: list: \"5\": is not a list"},
		{"mapping expected", "- a\n", "f.yaml:1: is not a group of keys"},
		{"text expected", "name: [a]\n", "f.yaml:1: name: is not a name"},
		{"control character", "name: a\nnote: \"\\u0001\"\n", "holds a control character"},
		{"twice", "name: a\nrate: 1\nname: b\n", "f.yaml:3: name: stands twice, first in line 1; remove one"},
		{"alias", "name: &x a\nnote: *x\n", "f.yaml:1: name: anchors and aliases are not read"},
		{"tag", "name: !secret a\n", "tag !secret is not known"},
		{"two documents", "name: a\n---\nname: b\n", "holds more than one document"},
		{"empty", "# nothing\n", "f.yaml: is empty"},
		{"syntax", "name: a\nrate: [1,\n", "f.yaml:"},
		{"tab", "name: a\nlist:\n\t- port: x\n", "is not YAML"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := Parse("f.yaml", []byte(row.yaml))
			read(d)
			got := ""
			if err := d.Err(); err != nil {
				got = err.Error()
			}
			if (row.want == "") != (got == "") || !strings.Contains(got, row.want) {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

// Covers GW-110.
func TestAllProblemsAreReportedAtOnceInTheOrderOfTheirLines(t *testing.T) {
	d := Parse("f.yaml", []byte("rate: x\nname: B\nevery: 1\n"))
	read(d)
	got := d.Problems()
	if len(got) != 3 || got[0].Line != 1 || got[1].Line != 2 || got[2].Line != 3 {
		t.Errorf("got %v", got)
	}
}

func TestDecimalIsExact(t *testing.T) {
	d := Parse("f.yaml", []byte("rate: 0.2625\n"))
	if got := d.Root("rate").Get("rate").Decimal(); got.Cmp(big.NewRat(21, 80)) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestOpenNamesTheFileThatIsMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yaml")
	if err := Open(path).Err(); err == nil || !strings.Contains(err.Error(), path+": cannot be read: no such file or directory") {
		t.Errorf("got %v", err)
	}
	big := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(big, make([]byte, maxBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Open(big).Err(); err == nil || !strings.Contains(err.Error(), "at most 1048576 are read") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("name: a\nrate: 0.5\nlist:\n- port: x\n"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := Parse("f.yaml", data)
		read(d)
		for _, p := range d.Problems() {
			if p.File != "f.yaml" || p.Text == "" {
				t.Errorf("problem without a place: %+v", p)
			}
		}
	})
}
