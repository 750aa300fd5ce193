package message_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"infusiond/gateway/message/schema"
)

// node is one schema of a file, references resolved.
type node struct {
	file string
	m    map[string]any
}

// load reads a schema file.
func load(t *testing.T, file string) node {
	t.Helper()
	text, err := fs.ReadFile(schema.Files, file)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return node{file: file, m: m}
}

// resolve follows $ref and keeps what stands beside it.
func (n node) resolve(t *testing.T) node {
	t.Helper()
	ref, has := n.m["$ref"].(string)
	if !has {
		return n
	}
	file, name, ok := strings.Cut(ref, "#/$defs/")
	if !ok {
		t.Fatalf("%s: reference %q is not to a definition", n.file, ref)
	}
	if file == "" {
		file = n.file
	}
	defs, _ := load(t, file).m["$defs"].(map[string]any)
	target, found := defs[name].(map[string]any)
	if !found {
		t.Fatalf("%s: reference %q leads nowhere", n.file, ref)
	}
	out := node{file: file, m: map[string]any{}}
	maps.Copy(out.m, node{file: file, m: target}.resolve(t).m)
	for k, v := range n.m {
		if k != "$ref" && k != "properties" {
			out.m[k] = v
		}
	}
	return out
}

// child is a member such as properties/x or items, resolved; false when there is none.
func (n node) child(t *testing.T, keys ...string) (node, bool) {
	t.Helper()
	var at any = n.m
	for _, k := range keys {
		m, _ := at.(map[string]any)
		at = m[k]
	}
	m, is := at.(map[string]any)
	if !is {
		return node{}, false
	}
	return node{file: n.file, m: m}.resolve(t), true
}

func (n node) properties() []string {
	p, _ := n.m["properties"].(map[string]any)
	names := make([]string, 0, len(p))
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (n node) strings(key string) []string {
	list, _ := n.m[key].([]any)
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

// walk visits every property below n with its path.
func walk(t *testing.T, n node, at string, visit func(at string, n node)) {
	t.Helper()
	for _, name := range n.properties() {
		p, ok := n.child(t, "properties", name)
		if !ok {
			t.Errorf("%s.%s is no schema", at, name)
			continue
		}
		visit(at+"."+name, p)
		walk(t, p, at+"."+name, visit)
		if items, has := p.child(t, "items"); has {
			walk(t, items, at+"."+name+"[]", visit)
		}
	}
}

// enumOf gives the enumeration of a definition or of a top-level property.
func enumOf(t *testing.T, file, name string) []string {
	t.Helper()
	for _, in := range []string{"$defs", "properties"} {
		if n, ok := load(t, file).child(t, in, name); ok {
			return n.strings("enum")
		}
	}
	t.Fatalf("%s has no %s", file, name)
	return nil
}

// Every object is closed, every field is described, every value of an enumeration is explained.
func TestSchemaExplainsItself(t *testing.T) {
	for _, id := range schema.IDs() {
		root := load(t, schema.File(id))
		closed(t, id, root)
		walk(t, root, id, func(at string, n node) {
			if text, _ := n.m["description"].(string); len(text) < 4 || !strings.HasSuffix(text, ".") {
				t.Errorf("%s: description %q is no sentence", at, text)
			}
			switch n.m["type"] {
			case "object":
				closed(t, at, n)
			case "array":
				if items, ok := n.child(t, "items"); !ok {
					t.Errorf("%s: array without items", at)
				} else if items.m["type"] == "object" {
					closed(t, at+"[]", items)
				}
			case nil:
				t.Errorf("%s has no type", at)
			}
			explained(t, at, n)
		})
	}
}

func closed(t *testing.T, at string, n node) {
	t.Helper()
	if _, isMap := n.child(t, "additionalProperties"); !isMap && n.m["additionalProperties"] != false {
		t.Errorf("%s does not forbid further fields", at)
	}
	for _, r := range n.strings("required") {
		if !slices.Contains(n.properties(), r) {
			t.Errorf("%s requires %s, which it does not have", at, r)
		}
	}
}

func explained(t *testing.T, at string, n node) {
	t.Helper()
	enum, values := n.strings("enum"), map[string]any{}
	if x, ok := n.child(t, "x-values"); ok {
		values = x.m
	}
	for _, v := range enum {
		x, _ := values[v].(map[string]any)
		if d, _ := x["description"].(string); d == "" {
			t.Errorf("%s: value %q is not explained", at, v)
		}
	}
	if len(values) != len(enum) {
		t.Errorf("%s: %d values, %d explanations", at, len(enum), len(values))
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
