package scenario

import (
	"maps"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"infusiond/simulator"
)

func (r *reader) scenario(n *yaml.Node) *Scenario {
	m := r.mapping(n, "id", "title", "expected", "duration", "needs", "pumps", "orders", "steps", "expect", "facts")
	s := &Scenario{
		File: r.file, ID: r.text(m["id"]), Title: r.text(m["title"]), Expected: strings.TrimSpace(r.text(m["expected"])), Duration: r.duration(m["duration"]),
	}
	line := 1
	if n != nil {
		line = n.Line
	}
	if s.ID == "" || s.Title == "" || s.Duration == 0 {
		r.fail(line, "id, title and duration are needed")
	}
	for _, need := range r.list(m["needs"]) {
		a := Ability(r.text(need))
		if !slices.Contains(Abilities(), a) {
			r.fail(need.Line, "unknown ability %q; known are %v", a, Abilities())
		}
		s.Needs = append(s.Needs, a)
	}
	r.pumps(s, m["pumps"])
	for _, o := range r.list(m["orders"]) {
		r.order(s, o)
	}
	for _, step := range r.list(m["steps"]) {
		r.step(s, step)
	}
	for _, e := range r.list(m["expect"]) {
		r.expectation(s, e)
	}
	for _, f := range r.list(m["facts"]) {
		r.fact(s, f)
	}
	return s
}

// usual are the two pumps of the domain facts: 7.4 kg, milrinone 0.5 at 200 on a and dobutamine 5 at 1000 on b.
func usual() []Pump {
	return []Pump{
		{"a", map[string]string{"rate": "1.11", "vtbi": "100", "drug": "milrinone"}, 0},
		{"b", map[string]string{"rate": "2.22", "vtbi": "200", "drug": "dobutamine"}, 0},
	}
}

func (r *reader) pumps(s *Scenario, n *yaml.Node) {
	if n == nil {
		s.Pumps = usual()
		return
	}
	named := r.mapping(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		p := Pump{Name: name, Keys: map[string]string{}, Line: n.Content[i].Line}
		values := r.mapping(named[name])
		for key, value := range values {
			p.Keys[key] = r.text(value)
		}
		s.Pumps = append(s.Pumps, p)
	}
	r.describable(s)
	if len(s.Pumps) == 0 {
		r.fail(n.Line, "holds no pump; remove the key for the two pumps a and b")
	}
}

// describable refuses pumps that no protocol can have: a key or a value that is known nowhere.
func (r *reader) describable(s *Scenario) {
	var first error
	for _, info := range simulator.Models() {
		_, err := (&Scenario{File: s.File, Pumps: s.Pumps}).PumpOptions(info.Protocol)
		if err == nil {
			return
		}
		if first == nil {
			first = err
		}
	}
	if first != nil && len(r.errs) == 0 {
		r.errs = append(r.errs, first)
	}
}

// pump reads the name of a pump, which must exist.
func (r *reader) pump(s *Scenario, n *yaml.Node, line int) string {
	name := r.text(n)
	if !slices.ContainsFunc(s.Pumps, func(p Pump) bool { return p.Name == name }) {
		var names []string
		for _, p := range s.Pumps {
			names = append(names, p.Name)
		}
		r.fail(line, "no pump %q; this scenario has %s", name, strings.Join(names, ", "))
	}
	return name
}

func (r *reader) order(s *Scenario, n *yaml.Node) {
	m := r.mapping(n, "at", "pump", "drug", "dose_mcg_per_kg_per_min", "concentration_mcg_per_ml", "weight_kg", "note")
	s.Orders = append(s.Orders, Order{
		At: r.duration(m["at"]), Pump: r.pump(s, m["pump"], n.Line), Drug: r.text(m["drug"]), Dose: r.text(m["dose_mcg_per_kg_per_min"]),
		Concentration: r.text(m["concentration_mcg_per_ml"]), WeightKg: r.text(m["weight_kg"]), Note: r.text(m["note"]),
	})
}

func (r *reader) step(s *Scenario, n *yaml.Node) {
	m := r.mapping(n, "at", "pump", "do", "harness")
	step := Step{At: r.duration(m["at"]), Do: r.text(m["do"]), Harness: r.text(m["harness"]), Line: n.Line}
	switch {
	case m["at"] == nil:
		r.fail(n.Line, "a step needs at")
	case (step.Do == "") == (step.Harness == ""):
		r.fail(n.Line, "a step has either do, a command to a pump, or harness")
	case step.Do != "":
		step.Pump = r.pump(s, m["pump"], n.Line)
		if err := simulator.CheckCommand(step.Do); err != nil {
			r.fail(n.Line, "%v", err)
		}
	}
	if len(s.Steps) > 0 && step.At < s.Steps[len(s.Steps)-1].At {
		r.fail(n.Line, "at %v comes after a step at %v; write the steps in their order", step.At, s.Steps[len(s.Steps)-1].At)
	}
	if step.At > s.Duration {
		r.fail(n.Line, "at %v is behind the end of the scenario, %v", step.At, s.Duration)
	}
	s.Steps = append(s.Steps, step)
}

func (r *reader) expectation(s *Scenario, n *yaml.Node) {
	m := r.mapping(n, "pump", "code", "after", "within", "absent", "note")
	e := Expectation{
		Code: r.text(m["code"]), After: r.duration(m["after"]), Within: r.duration(m["within"]), Absent: r.yes(m["absent"]), Note: r.text(m["note"]),
	}
	if m["pump"] != nil {
		e.Pump = r.pump(s, m["pump"], n.Line)
	}
	switch {
	case e.Code == "":
		r.fail(n.Line, "an expectation needs a code")
	case e.After > s.Duration:
		r.fail(n.Line, "after %v is behind the end of the scenario, %v", e.After, s.Duration)
	}
	s.Expect = append(s.Expect, e)
}

func (r *reader) fact(s *Scenario, n *yaml.Node) {
	m := r.mapping(n, "at", "pump", "for", "quantity", "is", "least", "most", "since", "event", "nth", "from", "to", "never")
	f := Fact{
		At: r.duration(m["at"]), Pump: r.pump(s, m["pump"], n.Line), For: r.protocols(m["for"]), Quantity: r.text(m["quantity"]), Is: r.text(m["is"]),
		Least: r.number(m["least"], math.Inf(-1)), Most: r.number(m["most"], math.Inf(1)), Since: r.duration(m["since"]), Difference: m["since"] != nil,
		Event: r.text(m["event"]), Nth: int(r.number(m["nth"], 1)), From: r.duration(m["from"]), To: r.duration(m["to"]), Never: r.yes(m["never"]), Line: n.Line,
	}
	switch {
	case f.Event != "" && f.Quantity != "":
		r.fail(n.Line, "a fact is about a quantity or about an event; make two of it")
	case f.Event != "":
		r.eventFact(s, &f, m, n.Line)
	default:
		r.quantityFact(&f, m, n.Line)
	}
	if f.At > s.Duration {
		r.fail(n.Line, "at %v is behind the end of the scenario, %v", f.At, s.Duration)
	}
	s.Facts = append(s.Facts, f)
}

func (r *reader) quantityFact(f *Fact, m map[string]*yaml.Node, line int) {
	_, isNumber := numbers[f.Quantity]
	_, isWord := words[f.Quantity]
	switch {
	case m["at"] == nil:
		r.fail(line, "a fact needs at")
	case !isNumber && !isWord:
		r.fail(line, "unknown quantity %q; known are %s", f.Quantity, strings.Join(quantities(), ", "))
	case isWord && (f.Is == "" || m["least"] != nil || m["most"] != nil || f.Difference):
		r.fail(line, "%s is a word: write is, and no least, most or since", f.Quantity)
	case isNumber && (m["is"] != nil || m["least"] == nil && m["most"] == nil):
		r.fail(line, "%s is a number: write least, most or both", f.Quantity)
	case f.Least > f.Most:
		r.fail(line, "least %v is above most %v", f.Least, f.Most)
	case f.Difference && f.Since >= f.At:
		r.fail(line, "since %v is not before at %v", f.Since, f.At)
	}
}

// eventFact reads a fact about an event: it is judged when it must have come, or at the end.
func (r *reader) eventFact(s *Scenario, f *Fact, m map[string]*yaml.Node, line int) {
	if !slices.Contains(knownEvents(), f.Event) {
		r.fail(line, "unknown event %q; known are %s", f.Event, strings.Join(knownEvents(), ", "))
	}
	switch {
	case f.Never && (m["from"] != nil || m["to"] != nil):
		r.fail(line, "an event that never comes has no from and to; at says until when it is watched for")
	case f.Never && m["at"] == nil:
		f.At = s.Duration
	case f.Never:
	case m["at"] != nil || m["to"] == nil || f.From > f.To:
		r.fail(line, "an event needs from and to, or never: true, and no at")
	case f.Nth < 1:
		r.fail(line, "nth is %d; write 1 for the first", f.Nth)
	default:
		f.At = f.To
	}
}

// protocols reads a list of protocols.
func (r *reader) protocols(n *yaml.Node) []string {
	var names []string
	for _, e := range r.list(n) {
		name := r.text(e)
		if able[name] == nil {
			r.fail(e.Line, "unknown protocol %q; known are %s", name, strings.Join(slices.Sorted(maps.Keys(able)), ", "))
		}
		names = append(names, name)
	}
	return names
}

// yes reads true or false; what is missing is false.
func (r *reader) yes(n *yaml.Node) bool {
	switch text := r.text(n); text {
	case "true":
		return true
	case "", "false":
	default:
		r.fail(n.Line, "%q; write true or false", text)
	}
	return false
}
