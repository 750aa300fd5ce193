package schema

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"infusiond/gateway/message"
)

// Files are the schema files: one per payload type and common.json.
//
//go:embed *.json
var Files embed.FS

// ErrInvalid says that a message breaks the contract. The error that wraps it says where.
var ErrInvalid = errors.New("message breaks the contract")

// Validator checks messages against the compiled schemas. It is safe for use by several
// goroutines.
type Validator struct{ byID map[string]*jsonschema.Schema }

// New compiles the schemas. An error says that a file of this package is broken.
func New() (*Validator, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	entries, err := Files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("list schemas: %w", err)
	}
	for _, e := range entries {
		text, err := Files.ReadFile(e.Name())
		if err != nil {
			return nil, fmt.Errorf("read schema %s: %w", e.Name(), err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("parse schema %s: %w", e.Name(), err)
		}
		if err := c.AddResource(base+e.Name(), doc); err != nil {
			return nil, fmt.Errorf("add schema %s: %w", e.Name(), err)
		}
	}
	v := &Validator{byID: map[string]*jsonschema.Schema{}}
	for _, id := range IDs() {
		s, err := c.Compile(base + File(id))
		if err != nil {
			return nil, fmt.Errorf("compile schema %s: %w", id, err)
		}
		v.byID[id] = s
	}
	return v, nil
}

// base is where the compiler believes the files to be, so that relative references resolve
// within the embedded files only.
const base = "embedded:///"

// IDs lists the payload types, the values of the field schema.
func IDs() []string {
	return []string{
		message.SchemaStatus, message.SchemaHealth, message.SchemaState, message.SchemaAlerts,
		message.SchemaObservation, message.SchemaEvent, message.SchemaAlert,
	}
}

// File is the name of the file of a payload type: "state.json" for infusiond/state/1.
func File(id string) string { return path.Base(path.Dir(id)) + ".json" }

// shared is compiled at first use and never changes.
var shared = sync.OnceValues(New)

// Validate checks a message. The kind is a payload type (message.SchemaState) or its short
// name ("state"). A message that breaks the contract is ErrInvalid.
func Validate(kind string, payload []byte) error {
	v, err := shared()
	if err != nil {
		return err
	}
	return v.Validate(kind, payload)
}

// ValidateTopic checks a message against the schema of its topic, and that gateway, pump and
// source fit the topic. An empty payload is valid on a retained topic: it clears it.
func ValidateTopic(topic string, payload []byte) error {
	v, err := shared()
	if err != nil {
		return err
	}
	return v.ValidateTopic(topic, payload)
}

// Validate is the function Validate with these schemas.
func (v *Validator) Validate(kind string, payload []byte) error {
	_, err := v.check(kind, payload)
	return err
}

// ValidateTopic is the function ValidateTopic with these schemas.
func (v *Validator) ValidateTopic(topic string, payload []byte) error {
	address, err := message.ParseTopic(topic)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(payload) == 0 {
		if address.Retained {
			return nil
		}
		return fmt.Errorf("%w: empty message on %s, which is not retained", ErrInvalid, topic)
	}
	doc, err := v.check(address.Schema, payload)
	if err != nil {
		return fmt.Errorf("%s: %w", topic, err)
	}
	if err := fits(address, doc); err != nil {
		return fmt.Errorf("%s: %w: %w", topic, ErrInvalid, err)
	}
	return nil
}

// check validates and returns the parsed message.
func (v *Validator) check(kind string, payload []byte) (map[string]any, error) {
	if !strings.Contains(kind, "/") {
		kind = "infusiond/" + kind + "/1"
	}
	s, known := v.byID[kind]
	if !known {
		return nil, fmt.Errorf("no schema for %q", kind)
	}
	if err := plain(payload); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", kind, ErrInvalid, err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", kind, ErrInvalid, err)
	}
	if err := s.Validate(doc); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", kind, ErrInvalid, err)
	}
	object, isObject := doc.(map[string]any)
	if !isObject {
		return nil, fmt.Errorf("%s: %w: not an object", kind, ErrInvalid)
	}
	if err := consistent(object); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", kind, ErrInvalid, err)
	}
	return object, nil
}
