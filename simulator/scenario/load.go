package scenario

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4" // the YAML organisation's own; keeps the line of each key
)

//go:embed files/*.yaml
var shipped embed.FS

// All returns the shipped scenarios in the order of their ids.
func All() ([]*Scenario, error) {
	entries, err := shipped.ReadDir("files")
	if err != nil {
		return nil, err
	}
	var all []*Scenario
	for _, e := range entries {
		data, err := shipped.ReadFile(path.Join("files", e.Name()))
		if err != nil {
			return nil, err
		}
		s, err := Parse(e.Name(), data)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Load reads a scenario: a file, or the id of a shipped one such as SC-10.
func Load(name string) (*Scenario, error) {
	if data, err := shipped.ReadFile("files/" + strings.ToLower(name) + ".yaml"); err == nil {
		return Parse(name, data)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("scenario %s: no such file, and no shipped scenario of that name: infusim scenarios lists them: %w", name, err)
	}
	return Parse(name, data)
}

// maxBytes is the longest file that is read.
const maxBytes = 1 << 20

// reader collects what is wrong with one file.
type reader struct {
	file string
	errs []error
}

func (r *reader) fail(line int, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s:%d: %s", r.file, line, fmt.Sprintf(format, args...)))
}

// Parse reads the content of a scenario file. The error names everything that is wrong, with its line and the mend.
func Parse(file string, data []byte) (*Scenario, error) {
	r := &reader{file: file}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("%s is %d bytes long, at most %d are read; name the right file", file, len(data), maxBytes)
	}
	var docs []yaml.Node
	if err := yaml.Load(data, &docs, yaml.WithAllDocuments()); err != nil {
		return nil, fmt.Errorf("%s: %w; mend the line; mind indentation and quotes", file, err)
	}
	if len(docs) != 1 || len(docs[0].Content) != 1 {
		return nil, fmt.Errorf("%s: holds %d scenarios; write one, without ---", file, len(docs))
	}
	root := docs[0].Content[0]
	s := r.scenario(root)
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// mapping returns the values of a mapping by key; unknown and double keys are errors.
func (r *reader) mapping(n *yaml.Node, known ...string) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	if n == nil || n.Kind != yaml.MappingNode {
		if n != nil {
			r.fail(n.Line, "want a mapping with the keys %s", strings.Join(known, ", "))
		}
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if known != nil && !slices.Contains(known, key.Value) {
			r.fail(key.Line, "unknown key %q; known are %s", key.Value, strings.Join(known, ", "))
			continue
		}
		if out[key.Value] != nil {
			r.fail(key.Line, "key %q stands twice", key.Value)
		}
		out[key.Value] = n.Content[i+1]
	}
	return out
}

func (r *reader) list(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n.Line, "want a list")
		return nil
	}
	return n.Content
}

func (r *reader) text(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		r.fail(n.Line, "want a text")
		return ""
	}
	return n.Value
}

func (r *reader) duration(n *yaml.Node) time.Duration {
	text := r.text(n)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.fail(n.Line, "%q is not a time; write it like 90s, 5m or 26h", text)
	}
	return d
}

func (r *reader) number(n *yaml.Node, otherwise float64) float64 {
	if n == nil {
		return otherwise
	}
	v, err := strconv.ParseFloat(r.text(n), 64)
	if err != nil {
		r.fail(n.Line, "%q is not a number", n.Value)
	}
	return v
}
