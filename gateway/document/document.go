package document

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxBytes bounds a file; configurations and prescriptions are a few kilobytes.
const maxBytes = 1 << 20

// Document is one YAML file being read.
type Document struct {
	file     string
	problems Problems
	root     *yaml.Node
}

// Open reads and parses a file. A document with a problem can still be read: every
// value that is missing is reported where it is asked for.
func Open(path string) *Document {
	info, err := os.Stat(path)
	if err != nil {
		return broken(path, 0, "cannot be read: "+cause(err), "check the path and its permissions")
	}
	if info.Size() > maxBytes {
		return broken(path, 0, fmt.Sprintf("is %d bytes long, at most %d are read", info.Size(), maxBytes), "name the right file")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return broken(path, 0, "cannot be read: "+cause(err), "check the path and its permissions")
	}
	return Parse(path, data)
}

// Parse parses the content of a file; the name appears in problems.
func Parse(file string, data []byte) *Document {
	if len(data) > maxBytes {
		return broken(file, 0, fmt.Sprintf("is %d bytes long, at most %d are read", len(data), maxBytes), "name the right file")
	}
	var docs []yaml.Node
	if err := yaml.Load(data, &docs, yaml.WithAllDocuments()); err != nil {
		line, text := 0, err.Error()
		if loadErr, ok := errors.AsType[*yaml.LoadError](err); ok {
			line, text = loadErr.Mark.Line, loadErr.Message
		}
		return broken(file, line, "is not YAML: "+text, "mend the line; mind indentation and quotes")
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 {
		return broken(file, 0, "is empty", "see the examples in configs/")
	}
	if len(docs) > 1 {
		return broken(file, docs[1].Line, "holds more than one document", "remove the --- and what follows")
	}
	d := &Document{file: file, root: docs[0].Content[0]}
	d.checkTree(d.root, "", 0)
	if len(d.problems) > 0 {
		d.root = nil
	}
	return d
}

func broken(file string, line int, text, mend string) *Document {
	return &Document{file: file, problems: Problems{{File: file, Line: line, Text: text, Mend: mend}}}
}

func cause(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// File is the name of the file.
func (d *Document) File() string { return d.file }

// Root is the top of the document as a mapping with the given keys.
func (d *Document) Root(keys ...string) Mapping {
	return Node{doc: d, node: d.root}.Mapping(keys...)
}

// Problems returns what was wrong so far, by line, and nil when nothing was.
func (d *Document) Problems() Problems {
	slices.SortStableFunc(d.problems, func(a, b Problem) int { return a.Line - b.Line })
	return d.problems
}

// Err is Problems as an error.
func (d *Document) Err() error {
	if len(d.problems) == 0 {
		return nil
	}
	return d.Problems()
}

// checkTree refuses what makes a file mean something else than it seems to: doubled
// keys, anchors, aliases and custom tags.
func (d *Document) checkTree(n *yaml.Node, path string, depth int) {
	report := func(text, mend string) {
		d.problems = append(d.problems, Problem{File: d.file, Line: n.Line, Key: path, Text: text, Mend: mend})
	}
	switch {
	case depth > 20:
		report("is nested too deeply", "see the examples in configs/")
		return
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		report("anchors and aliases are not read", "write the value out")
		return
	case strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!"):
		report("tag "+n.Tag+" is not known", "remove it")
		return
	}
	if n.Kind != yaml.MappingNode {
		for i, c := range n.Content {
			d.checkTree(c, fmt.Sprintf("%s[%d]", path, i), depth+1)
		}
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if first, twice := seen[key.Value]; twice {
			d.problems = append(d.problems, Problem{
				File: d.file, Line: key.Line, Key: join(path, key.Value),
				Text: fmt.Sprintf("stands twice, first in line %d", first), Mend: "remove one",
			})
		}
		seen[key.Value] = key.Line
		d.checkTree(n.Content[i+1], join(path, key.Value), depth+1)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
