package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rule is one direction of imports. Patterns are import paths in which * stands for one
// element and /... at the end for everything below as well.
type rule struct {
	name, reason string
	in           []string // the packages that it binds
	except       []string // and those that it does not
	never        []string // imports that it forbids
	ours         []string // when set: all of our own packages that may be imported
	only         []string // when set: everything that may be imported; std is the standard library
	tests        bool     // it binds tests, too
	linked       bool     // it counts everything that the package pulls in, not only what it names
}

// pure packages take data and time as arguments.
var pure = []string{
	"infusiond/gateway/units", "infusiond/gateway/infusion", "infusiond/gateway/normalize", "infusiond/gateway/prescription",
	"infusiond/gateway/check", "infusiond/gateway/alert", "infusiond/gateway/retain", "infusiond/gateway/message",
}

func oneImporter(owner, reason string, clients ...string) rule {
	return rule{
		name: "one importer of " + clients[0], reason: reason, in: []string{"infusiond/..."},
		except: []string{owner, "infusiond/gateway/proof/..."}, never: clients,
	}
}

// rules are the directions of design sections 2 and 3.
func rules() []rule {
	return []rule{
		{
			name: "drivers know no gateway", reason: "a driver is usable and testable alone; what it reports is the gateway's to judge",
			in: []string{"infusiond/drivers/..."}, never: []string{"infusiond/gateway/...", "infusiond/simulator/...", "infusiond/cmd/..."}, linked: true,
		},
		{
			name: "tests of drivers know no gateway", reason: "a driver is proven against bytes and simulated pumps, not against its user",
			in: []string{"infusiond/drivers/..."}, never: []string{"infusiond/gateway/...", "infusiond/cmd/..."}, tests: true,
		},
		{
			name: "wire is the standard library's", reason: "driver and simulator share it: whatever it imported, they would share, too",
			in: []string{"infusiond/drivers/*/wire"}, only: []string{"std"},
		},
		{
			name: "the simulator shares only the codec", reason: "with shared conversions a unit error would cancel itself",
			in: []string{"infusiond/simulator/..."}, ours: []string{"infusiond/drivers/*/wire", "infusiond/simulator/..."}, tests: true,
		},
		{
			name: "the gateway names no protocol", reason: "a new pump is one row in cmd/infusiond's table",
			in: []string{"infusiond/gateway/..."}, except: []string{"infusiond/gateway/proof/..."},
			never: []string{"infusiond/drivers/*/...", "infusiond/simulator/...", "infusiond/cmd/..."},
		},
		{
			name: "nothing imports a proof", reason: "proofs start processes and read everything; only tests use their parts",
			in: []string{"infusiond/..."}, except: []string{"infusiond/gateway/proof/..."}, never: []string{"infusiond/gateway/proof/..."},
		},
		oneImporter("infusiond/gateway/link", "the lowest write, with its allow-list, stands in one place", "go.bug.st/serial/..."),
		oneImporter("infusiond/gateway/publish", "paho's defaults lose messages: the settings that do not stand in one place", "github.com/eclipse/paho.mqtt.golang/..."),
		oneImporter("infusiond/gateway/store", "the client's asynchronous writer loses points: one place uses the other one", "github.com/influxdata/influxdb-client-go/..."),
		oneImporter("infusiond/gateway/spool", "durability is decided by pragmas that stand in one place", "modernc.org/sqlite/...", "database/sql/..."),
		oneImporter("infusiond/gateway/broker", "a gateway with an outside broker can leave the inside one out", "github.com/nats-io/..."),
		{
			name: "pure packages do no I/O", reason: "a judgement must follow from its arguments alone, or it cannot be proven",
			in: pure, ours: append([]string{"infusiond/drivers", "infusiond/gateway/document"}, pure...),
			never: []string{
				"os/...", "net/...", "log/...", "io/fs", "io/ioutil", "path/filepath", "syscall", "runtime/...", "context", "database/...", "testing/...",
				"math/rand/...", "crypto/rand", "embed", "golang.org/...", "github.com/...", "go.bug.st/...", "modernc.org/...", "go.yaml.in/...",
			},
		},
		{
			name: "only prescription reads documents", reason: "reading a file is I/O: it belongs to the edge, and prescriptions are files",
			in: pure, except: []string{"infusiond/gateway/prescription"}, never: []string{"infusiond/gateway/document"},
		},
		{
			name: "infusiond links nothing of tests", reason: "the program beside the pump holds what it needs and nothing else",
			in: []string{"infusiond/cmd/infusiond"}, linked: true,
			never: []string{
				"github.com/santhosh-tekuri/jsonschema/...", "github.com/chromedp/...", "infusiond/simulator/...", "infusiond/gateway/proof/...",
				"infusiond/gateway/message/schema", "infusiond/drivers/drivertest", "testing/...", "github.com/google/go-cmp/...", "github.com/creack/pty",
			},
		},
		{
			name: "infusim links nothing of the gateway", reason: "the simulator is the other side: it must not know how it is judged",
			in: []string{"infusiond/cmd/infusim"}, linked: true, never: []string{"infusiond/gateway/...", "infusiond/drivers", "testing/..."},
		},
	}
}

// node is what go list says of one package.
type node struct {
	ImportPath                               string
	Imports, TestImports, XTestImports, Deps []string
}

func matches(pattern, path string) bool {
	if pattern == "std" {
		first, _, _ := strings.Cut(path, "/")
		return first != "infusiond" && !strings.Contains(first, ".")
	}
	want, below := strings.CutSuffix(pattern, "/...")
	w, p := strings.Split(want, "/"), strings.Split(path, "/")
	if len(p) < len(w) || len(p) > len(w) && !below {
		return false
	}
	for i := range w {
		if w[i] != "*" && w[i] != p[i] {
			return false
		}
	}
	return true
}

func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path) })
}

// broken lists every import of the graph that breaks the rule. A rule that binds no package
// is broken, too: what it was about has moved.
func (r rule) broken(graph []node) []string {
	var out []string
	bound := false
	for _, n := range graph {
		if !matchesAny(r.in, n.ImportPath) || matchesAny(r.except, n.ImportPath) {
			continue
		}
		bound = true
		imports := slices.Clone(n.Imports)
		if r.linked {
			imports = slices.Clone(n.Deps)
		}
		if r.tests {
			imports = append(append(imports, n.TestImports...), n.XTestImports...)
		}
		slices.Sort(imports)
		for _, i := range slices.Compact(imports) {
			if i != n.ImportPath && !r.allows(i) {
				out = append(out, n.ImportPath+" imports "+i)
			}
		}
	}
	if !bound {
		out = append(out, fmt.Sprintf("no package matches %v", r.in))
	}
	return out
}

func (r rule) allows(path string) bool {
	switch {
	case matchesAny(r.never, path):
		return false
	case r.ours != nil && matches("infusiond/...", path):
		return matchesAny(r.ours, path)
	case r.only != nil:
		return matchesAny(r.only, path)
	}
	return true
}

// Covers GW-113.
func TestImportDirections(t *testing.T) {
	graph := packages(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, b := range r.broken(graph) {
				t.Errorf("%s; forbidden because %s", b, r.reason)
			}
		})
	}
}

func packages(t *testing.T) []node {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "./...")
	list.Dir = filepath.Join("..", "..")
	var stderr bytes.Buffer
	list.Stderr = &stderr
	text, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var graph []node
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var n node
		if err := d.Decode(&n); err != nil {
			t.Fatalf("read go list: %v", err)
		}
		graph = append(graph, n)
	}
	return graph
}

// TestRulesBite breaks every rule in a made-up graph.
// Covers GW-113.
func TestRulesBite(t *testing.T) {
	byName := map[string]rule{}
	for _, r := range rules() {
		byName[r.name] = r
	}
	proven := map[string]bool{}
	for _, row := range []struct {
		rule string
		node node
		want string // empty: allowed
	}{
		{"drivers know no gateway", node{ImportPath: "infusiond/drivers/x", Deps: []string{"infusiond/gateway/units"}}, "infusiond/gateway/units"},
		{"drivers know no gateway", node{ImportPath: "infusiond/drivers", Deps: []string{"infusiond/simulator"}}, "infusiond/simulator"},
		{"drivers know no gateway", node{ImportPath: "infusiond/drivers/x", Deps: []string{"infusiond/drivers", "time"}}, ""},
		{"tests of drivers know no gateway", node{ImportPath: "infusiond/drivers/x", XTestImports: []string{"infusiond/gateway/link"}}, "infusiond/gateway/link"},
		{"tests of drivers know no gateway", node{ImportPath: "infusiond/drivers/x", XTestImports: []string{"infusiond/simulator"}}, ""},
		{"wire is the standard library's", node{ImportPath: "infusiond/drivers/x/wire", Imports: []string{"infusiond/drivers"}}, "infusiond/drivers"},
		{"wire is the standard library's", node{ImportPath: "infusiond/drivers/x/wire", Imports: []string{"golang.org/x/sys/unix"}}, "golang.org/x/sys/unix"},
		{"wire is the standard library's", node{ImportPath: "infusiond/drivers/x/wire", Imports: []string{"encoding/binary"}, TestImports: []string{"github.com/google/go-cmp/cmp"}}, ""},
		{"the simulator shares only the codec", node{ImportPath: "infusiond/simulator/x", Imports: []string{"infusiond/drivers"}}, "infusiond/drivers"},
		{"the simulator shares only the codec", node{ImportPath: "infusiond/simulator/x", TestImports: []string{"infusiond/gateway/units"}}, "infusiond/gateway/units"},
		{"the simulator shares only the codec", node{ImportPath: "infusiond/simulator", Imports: []string{"infusiond/drivers/x/wire", "infusiond/simulator/line", "github.com/creack/pty"}}, ""},
		{"the gateway names no protocol", node{ImportPath: "infusiond/gateway/x", Imports: []string{"infusiond/drivers/x"}}, "infusiond/drivers/x"},
		{"the gateway names no protocol", node{ImportPath: "infusiond/gateway", Imports: []string{"infusiond/drivers/x/wire"}}, "infusiond/drivers/x/wire"},
		{"the gateway names no protocol", node{ImportPath: "infusiond/gateway", Imports: []string{"infusiond/drivers"}, TestImports: []string{"infusiond/drivers/x"}}, ""},
		{"nothing imports a proof", node{ImportPath: "infusiond/gateway", Imports: []string{"infusiond/gateway/proof/parts"}}, "infusiond/gateway/proof/parts"},
		{"one importer of go.bug.st/serial/...", node{ImportPath: "infusiond/drivers/x", Imports: []string{"go.bug.st/serial/enumerator"}}, "go.bug.st/serial/enumerator"},
		{"one importer of go.bug.st/serial/...", node{ImportPath: "infusiond/gateway/poll", Imports: []string{"infusiond/gateway/link"}, TestImports: []string{"go.bug.st/serial"}}, ""},
		{"one importer of github.com/eclipse/paho.mqtt.golang/...", node{ImportPath: "infusiond/gateway", Imports: []string{"github.com/eclipse/paho.mqtt.golang"}}, "github.com/eclipse/paho.mqtt.golang"},
		{"one importer of github.com/influxdata/influxdb-client-go/...", node{ImportPath: "infusiond/gateway/relay", Imports: []string{"github.com/influxdata/influxdb-client-go/v2"}}, "github.com/influxdata/influxdb-client-go/v2"},
		{"one importer of modernc.org/sqlite/...", node{ImportPath: "infusiond/gateway/relay", Imports: []string{"database/sql"}}, "database/sql"},
		{"one importer of github.com/nats-io/...", node{ImportPath: "infusiond/gateway/publish", Imports: []string{"github.com/nats-io/nats-server/v2/server"}}, "github.com/nats-io/nats-server/v2/server"},
		{"pure packages do no I/O", node{ImportPath: "infusiond/gateway/check", Imports: []string{"log/slog"}}, "log/slog"},
		{"pure packages do no I/O", node{ImportPath: "infusiond/gateway/units", Imports: []string{"os"}}, "os"},
		{"pure packages do no I/O", node{ImportPath: "infusiond/gateway/alert", Imports: []string{"infusiond/gateway/clock"}}, "infusiond/gateway/clock"},
		{"pure packages do no I/O", node{ImportPath: "infusiond/gateway/alert", Imports: []string{"infusiond/gateway/check", "time"}}, ""},
		{"only prescription reads documents", node{ImportPath: "infusiond/gateway/check", Imports: []string{"infusiond/gateway/document"}}, "infusiond/gateway/document"},
		{"infusiond links nothing of tests", node{ImportPath: "infusiond/cmd/infusiond", Deps: []string{"infusiond/gateway/message", "testing"}}, "testing"},
		{"infusiond links nothing of tests", node{ImportPath: "infusiond/cmd/infusiond", Deps: []string{"github.com/santhosh-tekuri/jsonschema/v6"}}, "github.com/santhosh-tekuri/jsonschema/v6"},
		{"infusim links nothing of the gateway", node{ImportPath: "infusiond/cmd/infusim", Deps: []string{"infusiond/gateway/units"}}, "infusiond/gateway/units"},
		{"infusim links nothing of the gateway", node{ImportPath: "infusiond/cmd/infusiond"}, "no package matches"},
	} {
		t.Run(row.rule+"/"+row.want, func(t *testing.T) {
			r, found := byName[row.rule]
			if !found {
				t.Fatalf("no such rule: %s", row.rule)
			}
			proven[row.rule] = proven[row.rule] || row.want != ""
			got := r.broken([]node{row.node})
			switch {
			case row.want == "" && len(got) > 0:
				t.Errorf("refused: %v", got)
			case row.want != "" && (len(got) != 1 || !strings.Contains(got[0], row.want)):
				t.Errorf("got %v, want one that names %s", got, row.want)
			}
		})
	}
	for name := range byName {
		if !proven[name] {
			t.Errorf("no row breaks the rule %q", name)
		}
	}
}
