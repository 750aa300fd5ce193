package message_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
)

// typeOf is the Go type of each payload type.
func typeOf() map[string]reflect.Type {
	return map[string]reflect.Type{
		message.SchemaStatus:      reflect.TypeFor[message.Status](),
		message.SchemaHealth:      reflect.TypeFor[message.Health](),
		message.SchemaState:       reflect.TypeFor[message.State](),
		message.SchemaAlerts:      reflect.TypeFor[message.Alerts](),
		message.SchemaObservation: reflect.TypeFor[message.Observation](),
		message.SchemaEvent:       reflect.TypeFor[message.Event](),
		message.SchemaAlert:       reflect.TypeFor[message.AlertTransition](),
	}
}

// goldens are the example messages by name; the name begins with the kind.
func goldens(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("examples: %v, %d found", err, len(paths))
	}
	out := map[string][]byte{}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(p), ".json")] = text
	}
	return out
}

func kindOf(name string) string {
	kind, _, _ := strings.Cut(name, "-")
	return kind
}

// topicFor is the topic on which an example belongs.
func topicFor(t *testing.T, name string, payload []byte) string {
	t.Helper()
	var e message.Envelope
	if err := json.Unmarshal(payload, &e); err != nil {
		t.Fatal(err)
	}
	root := message.TopicsOf(e.Gateway, e.Source == message.SourceSim).Root()
	if e.Pump == "" {
		return root + kindOf(name)
	}
	return root + "pump/" + e.Pump + "/" + kindOf(name)
}

// Covers GW-48.
func TestGoldenIsValid(t *testing.T) {
	for name, payload := range goldens(t) {
		t.Run(name, func(t *testing.T) {
			if err := schema.Validate(kindOf(name), payload); err != nil {
				t.Error(err)
			}
			if err := schema.ValidateTopic(topicFor(t, name, payload), payload); err != nil {
				t.Error(err)
			}
		})
	}
}

// Reading an example into its Go type and writing it again changes nothing, to the letter
// of every number.
func TestGoldenRoundTrip(t *testing.T) {
	types := typeOf()
	for name, payload := range goldens(t) {
		t.Run(name, func(t *testing.T) {
			value := reflect.New(types["infusiond/"+kindOf(name)+"/1"])
			d := json.NewDecoder(bytes.NewReader(payload))
			d.DisallowUnknownFields()
			if err := d.Decode(value.Interface()); err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(value.Interface())
			if err != nil {
				t.Fatal(err)
			}
			var want bytes.Buffer
			if err := json.Compact(&want, payload); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), string(got)); diff != "" {
				t.Errorf("example and Go type differ (-example +Go):\n%s", diff)
			}
		})
	}
}

// The examples together show every field and, of the enumerations that a subscriber must
// tell apart, every value.
func TestGoldenShowsEveryField(t *testing.T) {
	shown := map[string]bool{ // the set holds open alerts only
		"alerts.alerts[].ended_ts": true, "alerts.alerts[].ended_reason": true,
	}
	events := map[string]bool{}
	for name, payload := range goldens(t) {
		var doc map[string]any
		if err := json.Unmarshal(payload, &doc); err != nil {
			t.Fatal(err)
		}
		collect(kindOf(name), doc, shown)
		if e, is := doc["event"].(string); is {
			events[e] = true
		}
	}
	for _, id := range schema.IDs() {
		walk(t, load(t, schema.File(id)), kindOf(strings.TrimSuffix(schema.File(id), ".json")), func(at string, _ node) {
			if !shown[at] {
				t.Errorf("no example shows %s", at)
			}
		})
	}
	for _, kind := range enumOf(t, "event.json", "event") {
		if !events[kind] {
			t.Errorf("no example of event %s", kind)
		}
	}
}

// collect records the paths of the fields of a message.
func collect(at string, value any, out map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			out[at+"."+name] = true
			collect(at+"."+name, member, out)
		}
	case []any:
		for _, item := range v {
			collect(at+"[]", item, out)
		}
	}
}
