package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxLines is the greatest length of a Go file: a longer one holds more than its name promises.
const maxLines = 500

// vague names say nothing about what a package does, so it collects what belongs elsewhere.
var vague = []string{"util", "utils", "common", "helper", "helpers", "types", "models", "manager"}

// topLevel is everything that may lie there beside dotfiles: a reader finds the door at once.
var topLevel = []string{"cmd", "gateway", "drivers", "simulator", "configs", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE"}

// clockReads are the functions of package time that read the clock or wait.
var clockReads = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func root() string { return filepath.Join("..", "..") }

// Covers GW-113.
func TestTopLevel(t *testing.T) {
	ignored := ignoredByGit(t)
	entries, err := os.ReadDir(root())
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range strangers(entries, ignored) {
		t.Error(problem)
	}
}

// strangers lists what does not belong at the top level.
func strangers(entries []os.DirEntry, ignored []string) []string {
	var out []string
	for _, e := range entries {
		name := e.Name()
		skip := strings.HasPrefix(name, ".") || slices.Contains(topLevel, name) ||
			slices.ContainsFunc(ignored, func(p string) bool { ok, _ := path.Match(p, name); return ok })
		if !skip {
			out = append(out, name+" lies at the top level; documents live in the folder that they explain")
		}
	}
	return out
}

// ignoredByGit are the names that .gitignore keeps out, as patterns of one element.
func ignoredByGit(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(), ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		out = append(out, strings.Trim(strings.TrimSpace(line), "/"))
	}
	return out
}

// TestEveryGoFile reads every Go file of the repository.
// Covers GW-113.
func TestEveryGoFile(t *testing.T) {
	files := 0
	err := filepath.WalkDir(root(), func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root(), file)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(entry.Name(), ".") || name == "bin" || entry.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		files++
		for _, problem := range problems(filepath.ToSlash(name), source) {
			t.Error(problem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 200 {
		t.Errorf("only %d Go files found", files)
	}
}

// problems lists what a file does against the house rules that no import shows.
func problems(name string, source []byte) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, name+": "+fmt.Sprintf(format, args...)) }
	if n := strings.Count(string(source), "\n"); n > maxLines {
		say("%d lines, at most %d", n, maxLines)
	}
	folders := path.Dir(name)
	for element := range strings.SplitSeq(folders, "/") {
		if slices.Contains(vague, element) {
			say("the package name %s says nothing", element)
		}
	}
	tree, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		return append(out, err.Error())
	}
	if strings.HasSuffix(name, "_test.go") {
		return out
	}
	if slices.Contains(vague, tree.Name.Name) {
		say("the package name %s says nothing", tree.Name.Name)
	}
	timeName := importedAs(tree, "time")
	purely := slices.Contains(pure, "infusiond/"+folders) || matches("drivers/*/wire", folders)
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				say("func init: what a program does begins in main")
			}
		case *ast.GoStmt:
			if purely {
				say("a goroutine in a pure package")
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if purely && ok && x.Name == timeName && slices.Contains(clockReads, n.Sel.Name) {
				say("time.%s in a pure package: the time is an argument", n.Sel.Name)
			}
		}
		return true
	})
	return out
}

// importedAs is the name under which a file knows a package of the standard library.
func importedAs(tree *ast.File, library string) string {
	for _, i := range tree.Imports {
		if i.Path.Value == `"`+library+`"` {
			if i.Name != nil {
				return i.Name.Name
			}
			return path.Base(library)
		}
	}
	return ""
}

// entry is a made-up thing at the top level.
type entry struct{ fs.DirEntry }

func (entry) Name() string { return "notes.md" }

// TestTreeRulesBite breaks every rule of this file.
// Covers GW-113.
func TestTreeRulesBite(t *testing.T) {
	for _, row := range []struct{ rule, name, source, want string }{
		{"length", "gateway/a.go", "package gateway\n" + strings.Repeat("\n", maxLines), "501 lines"},
		{"length of a test", "gateway/a_test.go", "package gateway\n" + strings.Repeat("\n", maxLines), "501 lines"},
		{"folder", "gateway/util/a.go", "package text\n", "util says nothing"},
		{"package", "gateway/text/a.go", "package helpers\n", "helpers says nothing"},
		{"init", "gateway/a.go", "package gateway\n\nfunc init() {}\n", "func init"},
		{"goroutine", "gateway/check/a.go", "package check\n\nfunc f() { go f() }\n", "a goroutine"},
		{"clock", "gateway/alert/a.go", "package alert\n\nimport \"time\"\n\nvar t = time.Now()\n", "time.Now"},
		{"clock under another name", "gateway/alert/a.go", "package alert\n\nimport t \"time\"\n\nvar n = t.Since\n", "time.Since"},
		{"clock of a codec", "drivers/x/wire/a.go", "package wire\n\nimport \"time\"\n\nvar t = time.Now()\n", "time.Now"},
		{"clock of another package", "gateway/clock/a.go", "package clock\n\nimport \"time\"\n\nvar t = time.Now()\n", ""},
		{"a field of the same name", "gateway/alert/a.go", "package alert\n\nvar s struct{ Now int }\n\nvar n = s.Now\n", ""},
		{"init of a type", "gateway/a.go", "package gateway\n\ntype t int\n\nfunc (t) init() {}\n", ""},
		{"damaged", "gateway/a.go", "package\n", "expected"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			got := problems(row.name, []byte(row.source))
			if row.want == "" && len(got) > 0 || row.want != "" && (len(got) != 1 || !strings.Contains(got[0], row.want)) {
				t.Errorf("got %q, want one that says %q", got, row.want)
			}
		})
	}
	if got := strangers([]os.DirEntry{entry{}}, []string{"bin", "*.test"}); len(got) != 1 {
		t.Errorf("a stranger at the top level: got %q", got)
	}
	if got := strangers([]os.DirEntry{entry{}}, []string{"*.md"}); len(got) != 0 {
		t.Errorf("what git ignores is no stranger: got %q", got)
	}
}
