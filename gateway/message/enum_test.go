package message_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
)

// constants reads the string constants of a package directory, by name.
func constants(t *testing.T, dir string) map[string]constant {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %d files", dir, err, len(paths))
	}
	out := map[string]constant{}
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), p, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, is := n.(*ast.ValueSpec)
			if !is || len(spec.Values) != 1 {
				return true
			}
			lit, is := spec.Values[0].(*ast.BasicLit)
			if !is || lit.Kind != token.STRING {
				return true
			}
			value, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			typ, _ := spec.Type.(*ast.Ident)
			c := constant{value: value}
			if typ != nil {
				c.typ = typ.Name
			}
			out[spec.Names[0].Name] = c
			return true
		})
	}
	return out
}

type constant struct{ typ, value string }

func ofType(all map[string]constant, typ string) []string {
	var out []string
	for _, c := range all {
		if c.typ == typ {
			out = append(out, c.value)
		}
	}
	return out
}

func withPrefix(all map[string]constant, prefix string) []string {
	var out []string
	for name, c := range all {
		if strings.HasPrefix(name, prefix) && c.typ == "" {
			out = append(out, c.value)
		}
	}
	return out
}

// Covers GW-49.
func TestEnumerationsEqualGoConstants(t *testing.T) {
	ours := constants(t, ".")
	vocabulary := constants(t, "../infusion")
	contract := constants(t, "../../drivers")
	codes := slices.Concat(enumOf(t, "common.json", "check_code"), enumOf(t, "common.json", "unknown_code"), []string{message.CodeReviewOverdue})
	for _, row := range []struct {
		name         string
		schema, inGo []string
		least        int
	}{
		{"delivery_status", enumOf(t, "common.json", "delivery_status"), ofType(vocabulary, "DeliveryStatus"), 12},
		{"unknown_reason", enumOf(t, "common.json", "unknown_reason"), ofType(vocabulary, "GapReason"), 7},
		{"link_state", enumOf(t, "common.json", "link_state"), ofType(vocabulary, "LinkState"), 5},
		{"pump_alarm_code", enumOf(t, "common.json", "pump_alarm_code"), ofType(contract, "AlarmCode"), 18},
		{"event", enumOf(t, "event.json", "event"), withPrefix(ours, "Event"), 12},
		{"check and unknown codes", codes, withPrefix(ours, "Code"), 35},
		{"verdict", enumOf(t, "common.json", "verdict_word"), withPrefix(ours, "Verdict"), 3},
		{"priority", enumOf(t, "common.json", "priority"), withPrefix(ours, "Priority"), 4},
		{"clock", enumOf(t, "common.json", "clock"), []string{message.ClockSynced, message.ClockUnsynced}, 2},
		{"source", enumOf(t, "common.json", "source"), []string{message.SourcePump, message.SourceSim}, 2},
		{"status", enumOf(t, "status.json", "status"), []string{message.Online, message.Offline}, 2},
		{"transition", enumOf(t, "alert.json", "transition"), []string{message.Raised, message.Changed, message.Acknowledged, message.Ended}, 4},
		{"yes_no", enumOf(t, "common.json", "yes_no"), []string{message.Yes, message.No}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			if len(row.inGo) < row.least {
				t.Fatalf("%d constants found in Go", len(row.inGo))
			}
			less := cmpopts.SortSlices(func(a, b string) bool { return a < b })
			if diff := cmp.Diff(row.inGo, row.schema, less); diff != "" {
				t.Errorf("-Go +schema:\n%s", diff)
			}
		})
	}
	alert, _ := load(t, "common.json").child(t, "$defs", "alert")
	for name, want := range map[string][]string{
		"origin": {message.OriginPump, message.OriginCheck, message.OriginGateway},
		"state":  {message.Raised, message.Acknowledged, message.Ended},
	} {
		p, _ := alert.child(t, "properties", name)
		if diff := cmp.Diff(want, p.strings("enum")); diff != "" {
			t.Errorf("alert.%s: -Go +schema:\n%s", name, diff)
		}
	}
}

// The schema and package drivers give the same term to each canonical alarm.
func TestAlarmTermsEqualTheDrivers(t *testing.T) {
	values, _ := load(t, "common.json").child(t, "$defs", "pump_alarm_code", "x-values")
	codes := drivers.AlarmCodes()
	if len(codes) != len(values.m) {
		t.Errorf("%d codes have a row in package drivers, %d in the schema", len(codes), len(values.m))
	}
	for _, code := range codes {
		value, _ := values.m[string(code)].(map[string]any)
		terms, _ := value["x-mdc"].([]any)
		got := drivers.Term{}
		if len(terms) > 0 {
			first, _ := terms[0].(map[string]any)
			number, _ := first["code"].(float64)
			name, _ := first["term"].(string)
			got = drivers.Term{RefID: name, Code: uint32(number)}
		}
		if got != code.Term() {
			t.Errorf("%s: the schema says %v, package drivers %v", code, got, code.Term())
		}
	}
}

// Whatever a driver reports, its status is a word of the contract.
func TestEveryRunStateHasAStatus(t *testing.T) {
	words := enumOf(t, "common.json", "delivery_status")
	seen := map[infusion.DeliveryStatus]bool{}
	for state := drivers.RunUnknown; state <= drivers.RunPoweredOff; state++ {
		status := infusion.StatusOf(state)
		if !slices.Contains(words, string(status)) || seen[status] {
			t.Errorf("run state %d: status %q is unknown to the contract or stands for two states", state, status)
		}
		seen[status] = true
	}
}

// Covers GW-108.
func TestNoticeIsTheSame(t *testing.T) {
	if n, _ := load(t, "common.json").child(t, "$defs", "notice"); n.m["const"] != message.Notice {
		t.Errorf("notice: Go %q, schema %q", message.Notice, n.m["const"])
	}
}

// Every check has codes, and the codes carry the check's number.
func TestChecksAreComplete(t *testing.T) {
	finding, _ := load(t, "common.json").child(t, "$defs", "finding")
	check, _ := finding.child(t, "properties", "check")
	var want []string
	for n := range 16 {
		want = append(want, "C"+strconv.Itoa(n+1))
	}
	if diff := cmp.Diff(want, check.strings("enum")); diff != "" {
		t.Errorf("checks: %s", diff)
	}
	codes, _ := load(t, "common.json").child(t, "$defs", "check_code", "x-values")
	byCheck := map[string][]string{}
	for code, v := range codes.m {
		x, _ := v.(map[string]any)
		number, _ := x["x-check"].(string)
		byCheck[number] = append(byCheck[number], code)
	}
	rules, _ := finding.m["allOf"].([]any)
	for _, r := range rules[1:] {
		rule := node{file: finding.file, m: r.(map[string]any)}
		number, _ := rule.child(t, "if", "properties", "check")
		allowed, _ := rule.child(t, "then", "properties", "code")
		name, _ := number.m["const"].(string)
		less := cmpopts.SortSlices(func(a, b string) bool { return a < b })
		if diff := cmp.Diff(byCheck[name], allowed.strings("enum"), less); diff != "" || len(byCheck[name]) == 0 {
			t.Errorf("%s: -x-check +rule:\n%s", name, diff)
		}
		delete(byCheck, name)
	}
	if len(byCheck) != 0 {
		t.Errorf("no rule for %v", byCheck)
	}
}

// A term of the standard has one number wherever it stands, and event codes are even codes
// of partition 3.
func TestStandardCodesAreConsistent(t *testing.T) {
	numbers := map[string]float64{}
	var visit func(at string, v any)
	visit = func(at string, v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				visit(at, item)
			}
		case map[string]any:
			for k, member := range v {
				visit(at+"/"+k, member)
			}
			if _, explains := v["x-mdc"]; explains && len(v["x-mdc"].([]any)) == 0 && v["x-mdc-note"] == nil {
				t.Errorf("%s: no code and no word why", at)
			}
			term, isCode := v["term"].(string)
			if !isCode {
				return
			}
			name, code := term, v["code"]
			if token, has := v["token"].(string); has {
				once(t, numbers, term, v["term_code"])
				name = token
				if code == nil {
					return // phases and priorities are texts
				}
			} else if n, _ := code.(float64); strings.HasPrefix(term, "MDC_EVT_") && (int(n)>>16 != 3 || int(n)%2 != 0) {
				t.Errorf("%s: %v is no even event code", term, code)
			}
			once(t, numbers, name, code)
		}
	}
	for _, file := range []string{"common.json", "alert.json"} {
		visit(file, load(t, file).m)
	}
	if len(numbers) < 50 {
		t.Errorf("only %d codes were found", len(numbers))
	}
}

func once(t *testing.T, numbers map[string]float64, name string, code any) {
	t.Helper()
	n, is := code.(float64)
	if !is || (numbers[name] != 0 && numbers[name] != n) {
		t.Errorf("%s: code %v, elsewhere %v", name, code, numbers[name])
	}
	numbers[name] = n
}
