package message_test

import (
	"encoding"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
)

// field is one JSON field of a Go type.
type field struct {
	typ      reflect.Type
	omitzero bool
}

// fieldsOf lists the JSON fields of a struct, embedded ones among them.
func fieldsOf(t *testing.T, typ reflect.Type) map[string]field {
	t.Helper()
	out := map[string]field{}
	for f := range typ.Fields() {
		if f.Anonymous {
			maps.Copy(out, fieldsOf(t, f.Type))
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			t.Errorf("%s.%s has no JSON name", typ, f.Name)
		}
		if options != "" && options != "omitzero" {
			t.Errorf("%s.%s: option %q; absence is omitzero", typ, f.Name, options)
		}
		out[name] = field{typ: f.Type, omitzero: options == "omitzero"}
	}
	return out
}

// The envelope is one Go type for all messages; these of its fields depend on the message.
func envelopeOf(id string) (never, always []string) {
	switch id {
	case message.SchemaStatus, message.SchemaHealth:
		return []string{"seq", "late", "pump", "serial"}, []string{"session"}
	case message.SchemaState, message.SchemaAlerts:
		return []string{"seq", "late"}, []string{"session", "pump"}
	case message.SchemaEvent:
		return []string{"session"}, []string{"seq"}
	default:
		return []string{"session"}, []string{"seq", "pump"}
	}
}

// Covers GW-48, GW-49.
func TestGoTypesAndSchemasAgree(t *testing.T) {
	for id, typ := range typeOf() {
		t.Run(id, func(t *testing.T) {
			root := load(t, schema.File(id))
			if c, _ := root.child(t, "properties", "schema"); c.m["const"] != id {
				t.Errorf("schema is %v", c.m["const"])
			}
			never, always := envelopeOf(id)
			fields := fieldsOf(t, typ)
			for _, name := range never {
				if _, known := fields[name]; !known {
					t.Errorf("%s is no field of %s", name, typ)
				}
				delete(fields, name)
			}
			for _, name := range always {
				f := fields[name]
				f.omitzero = false
				fields[name] = f
			}
			agree(t, id, fields, root)
		})
	}
}

// agree compares the fields of an object with its schema, both ways.
func agree(t *testing.T, at string, fields map[string]field, n node) {
	t.Helper()
	required := n.strings("required")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		p, has := n.child(t, "properties", name)
		if !has {
			t.Errorf("%s.%s: in Go, not in the schema", at, name)
			continue
		}
		if f := fields[name]; f.omitzero == slices.Contains(required, name) {
			t.Errorf("%s.%s: omitzero %v, required %v", at, name, f.omitzero, slices.Contains(required, name))
		}
		sameType(t, at+"."+name, fields[name].typ, p)
	}
	for _, name := range n.properties() {
		if _, has := fields[name]; !has {
			t.Errorf("%s.%s: in the schema, not in Go", at, name)
		}
	}
}

func sameType(t *testing.T, at string, typ reflect.Type, n node) {
	t.Helper()
	want := ""
	switch kind := typ.Kind(); {
	case typ == reflect.TypeFor[message.Decimal]():
		want = "number"
	case typ == reflect.TypeFor[message.Time]():
		want = "string"
		if n.m["format"] != "date-time" {
			t.Errorf("%s: a time without format", at)
		}
	case kind == reflect.Pointer:
		sameType(t, at, typ.Elem(), n)
		return
	case kind == reflect.Struct:
		want = "object"
		agree(t, at, fieldsOf(t, typ), n)
	case kind == reflect.Slice:
		want = "array"
		items, _ := n.child(t, "items")
		sameType(t, at+"[]", typ.Elem(), items)
	case kind == reflect.Map:
		want = "object"
		members, _ := n.child(t, "additionalProperties")
		sameType(t, at+"{}", typ.Elem(), members)
	default:
		want = map[reflect.Kind]string{
			reflect.String: "string", reflect.Bool: "boolean",
			reflect.Int: "integer", reflect.Int64: "integer", reflect.Uint64: "integer",
		}[kind]
	}
	if n.m["type"] != want {
		t.Errorf("%s: Go %s, schema %v", at, typ, n.m["type"])
	}
	if typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		t.Errorf("%s: %s writes itself as text, which this test does not know", at, typ)
	}
}
