package gateway_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// requirement is one row of REQUIREMENTS.md.
type requirement struct{ id, text, sources, status string }

var (
	cites = regexp.MustCompile(`Covers (GW-[^.]*)\.`)
	rowID = regexp.MustCompile(`^GW-\d{2,3}$`)
)

// TestRequirements holds REQUIREMENTS.md against the tests of the whole repository.
func TestRequirements(t *testing.T) {
	document, err := os.ReadFile("REQUIREMENTS.md")
	if err != nil {
		t.Fatal(err)
	}
	required, problems := read(string(document))
	cited := map[string][]string{}
	err = filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != ".." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "bin"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		wrong, err := citations(path, source, cited)
		problems = append(problems, wrong...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	problems = append(problems, judge(required, cited)...)
	for _, p := range problems {
		t.Error(p)
	}
}

// read takes the rows of the tables and says what is wrong with them.
func read(document string) (required []requirement, problems []string) {
	numbers := map[int]bool{}
	for line := range strings.Lines(document) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| GW-") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 4 || !rowID.MatchString(cells[0]) {
			problems = append(problems, "not a row of id, requirement, sources and status: "+line)
			continue
		}
		r := requirement{cells[0], cells[1], cells[2], cells[3]}
		var n int
		if _, err := fmt.Sscanf(r.id, "GW-%d", &n); err != nil || numbers[n] {
			problems = append(problems, r.id+" is there twice")
		}
		numbers[n] = true
		why, waiting := strings.CutPrefix(r.status, "waiting: ")
		if r.status != "done" && (!waiting || why == "") {
			problems = append(problems, r.id+": the status is neither done nor waiting with a reason: "+r.status)
		}
		if !strings.HasSuffix(r.text, ".") || r.sources == "" {
			problems = append(problems, r.id+": the requirement is no sentence, or has no source")
		}
		required = append(required, r)
	}
	for n := range len(numbers) {
		if !numbers[n+1] {
			problems = append(problems, fmt.Sprintf("GW-%02d is missing: numbers have no holes", n+1))
		}
	}
	if len(required) == 0 {
		problems = append(problems, "no requirement found")
	}
	return required, problems
}

// citations adds to cited what the tests and fuzz targets of a file cite, and says where something is
// cited that is no test.
func citations(path string, source []byte, cited map[string][]string) (problems []string, err error) {
	tree, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	tests := map[*ast.CommentGroup]string{}
	for _, d := range tree.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Doc != nil && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Fuzz")) {
			tests[f.Doc] = f.Name.Name
		}
	}
	for _, group := range tree.Comments {
		for _, match := range cites.FindAllStringSubmatch(strings.ReplaceAll(group.Text(), "\n", " "), -1) {
			name, isTest := tests[group]
			if !isTest {
				problems = append(problems, fmt.Sprintf("%s: %s is cited where no test begins", path, match[1]))
				continue
			}
			for id := range strings.SplitSeq(match[1], ",") {
				id = strings.TrimSpace(id)
				cited[id] = append(cited[id], path+" "+name)
			}
		}
	}
	return problems, nil
}

// judge compares what is required with what is cited.
func judge(required []requirement, cited map[string][]string) (problems []string) {
	known := map[string]bool{}
	for _, r := range required {
		known[r.id] = true
		switch tests := cited[r.id]; {
		case r.status == "done" && len(tests) == 0:
			problems = append(problems, fmt.Sprintf("%s is done and no test cites it: %s", r.id, r.text))
		case r.status != "done" && len(tests) > 0:
			problems = append(problems, fmt.Sprintf("%s waits, and is cited by %s: is it done?", r.id, strings.Join(tests, ", ")))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(cited)) {
		if !known[id] {
			problems = append(problems, fmt.Sprintf("%s does not exist, cited by %s", id, strings.Join(cited[id], ", ")))
		}
	}
	return problems
}

// TestRequirementRulesBite breaks each rule in made-up documents and tests.
func TestRequirementRulesBite(t *testing.T) {
	const row = "| GW-01 | One. | design 1 | done |\n"
	const covered = "package x\n\n// Covers GW-01.\nfunc TestOne(t *testing.T) {}\n"
	for _, c := range []struct{ name, document, source, want string }{
		{"all is well", row, covered, ""},
		{"cited by a fuzz target, over two lines", row + "| GW-02 | Two. | design 1 | done |\n", "package x\n\n// FuzzOne does it.\n// Covers GW-01,\n// GW-02.\nfunc FuzzOne(f *testing.F) {}\n", ""},
		{"a number out of its place", "| GW-02 | Two. | design 1 | waiting: later issue |\n" + row, covered, ""},
		{"done without a test", row, "package x\n", "GW-01 is done and no test cites it"},
		{"a helper is no test", row, "package x\n\n// Covers GW-01.\nfunc helper() {}\n", "cited where no test begins"},
		{"a loose comment is no test", row, "package x\n\n// Covers GW-01.\n\nfunc TestOne(t *testing.T) {}\n", "cited where no test begins"},
		{"unknown number", row, covered + "\n// Covers GW-07.\nfunc TestTwo(t *testing.T) {}\n", "GW-07 does not exist"},
		{"waiting and cited", "| GW-01 | One. | design 1 | waiting: later issue |\n", covered, "GW-01 waits, and is cited by x_test.go TestOne"},
		{"waiting without a reason", "| GW-01 | One. | design 1 | waiting |\n", "package x\n", "neither done nor waiting"},
		{"number twice", row + row, covered, "GW-01 is there twice"},
		{"number left out", row + "| GW-03 | Three. | design 1 | waiting: later issue |\n", covered, "GW-02 is missing"},
		{"cell missing", "| GW-01 | One. | done |\n", "package x\n", "not a row"},
		{"no sentence", "| GW-01 | One | design 1 | done |\n", covered, "no sentence"},
		{"nothing", "", "package x\n", "no requirement found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			required, problems := read(c.document)
			cited := map[string][]string{}
			wrong, err := citations("x_test.go", []byte(c.source), cited)
			if err != nil {
				t.Fatal(err)
			}
			problems = slices.Concat(problems, wrong, judge(required, cited))
			if c.want == "" && len(problems) > 0 || c.want != "" && !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, c.want) }) {
				t.Errorf("got %q, want %q", problems, c.want)
			}
		})
	}
}
