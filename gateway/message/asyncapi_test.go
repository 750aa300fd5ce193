package message_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
)

type asyncRef struct {
	Ref string `yaml:"$ref"`
}

type asyncDoc struct {
	AsyncAPI string `yaml:"asyncapi"`
	Channels map[string]struct {
		Address    string              `yaml:"address"`
		Parameters map[string]asyncRef `yaml:"parameters"`
		Messages   map[string]asyncRef `yaml:"messages"`
	} `yaml:"channels"`
	Operations map[string]struct {
		Action   string   `yaml:"action"`
		Channel  asyncRef `yaml:"channel"`
		Bindings struct {
			MQTT struct {
				QoS    int   `yaml:"qos"`
				Retain *bool `yaml:"retain"`
			} `yaml:"mqtt"`
		} `yaml:"bindings"`
	} `yaml:"operations"`
	Components struct {
		Parameters map[string]struct {
			Enum []string `yaml:"enum"`
		} `yaml:"parameters"`
		Messages map[string]struct {
			Name    string `yaml:"name"`
			Payload struct {
				Schema asyncRef `yaml:"schema"`
			} `yaml:"payload"`
		} `yaml:"messages"`
	} `yaml:"components"`
}

func asyncAPI(t *testing.T) (asyncDoc, any) {
	t.Helper()
	text, err := os.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc asyncDoc
	var tree any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	if doc.AsyncAPI != "3.0.0" {
		t.Fatalf("asyncapi %q", doc.AsyncAPI)
	}
	return doc, tree
}

// topicsWithPlaceholders calls every topic function with {gateway} and {pump}.
func topicsWithPlaceholders(t *testing.T) []string {
	t.Helper()
	topics := reflect.ValueOf(message.TopicsOf("{gateway}", false))
	var out []string
	for name, m := range topics.Methods() {
		if name.Name == "Root" {
			continue
		}
		var args []reflect.Value
		for range m.Type().NumIn() {
			args = append(args, reflect.ValueOf("{pump}"))
		}
		rest, below := strings.CutPrefix(m.Call(args)[0].String(), "infusiond/")
		if !below {
			t.Errorf("%s is not below infusiond/", name.Name)
		}
		out = append(out, "{root}/"+rest)
	}
	return out
}

func TestAsyncAPIHasEveryTopic(t *testing.T) {
	doc, _ := asyncAPI(t)
	want := topicsWithPlaceholders(t)
	if len(want) < 8 {
		t.Fatalf("only %d topic functions were found", len(want))
	}
	var got []string
	for name, c := range doc.Channels {
		got = append(got, c.Address)
		for p := range c.Parameters {
			if !strings.Contains(c.Address, "{"+p+"}") {
				t.Errorf("channel %s: parameter %s is not in %s", name, p, c.Address)
			}
		}
		if strings.Count(c.Address, "{") != len(c.Parameters) {
			t.Errorf("channel %s: %s has %d parameters declared", name, c.Address, len(c.Parameters))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("topic functions\n%s\nchannels\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
	if roots := doc.Components.Parameters["root"].Enum; !slices.Equal(roots, []string{"infusiond", "infusiond-sim"}) {
		t.Errorf("roots %v", roots)
	}
}

// Each channel has one operation, with the quality of service, the retained flag and the
// payload that ParseTopic says.
// Covers GW-49.
func TestAsyncAPIAgreesWithParseTopic(t *testing.T) {
	doc, _ := asyncAPI(t)
	byChannel := map[string]int{}
	for name, op := range doc.Operations {
		channel := strings.TrimPrefix(op.Channel.Ref, "#/channels/")
		byChannel[channel]++
		c := doc.Channels[channel]
		topic := strings.NewReplacer("{root}", "infusiond", "{gateway}", "g", "{pump}", "p").Replace(c.Address)
		address, err := message.ParseTopic(topic)
		if err != nil {
			t.Errorf("operation %s: %v", name, err)
			continue
		}
		mqtt := op.Bindings.MQTT
		if op.Action != "send" || mqtt.QoS != 1 || mqtt.Retain == nil || *mqtt.Retain != address.Retained {
			t.Errorf("operation %s: %s with %+v, retained is %v", name, op.Action, mqtt, address.Retained)
		}
		if len(c.Messages) != 1 {
			t.Errorf("channel %s has %d messages", channel, len(c.Messages))
		}
		for _, ref := range c.Messages {
			m := doc.Components.Messages[strings.TrimPrefix(ref.Ref, "#/components/messages/")]
			if m.Name != address.Schema || m.Payload.Schema.Ref != "./schema/"+schema.File(address.Schema) {
				t.Errorf("channel %s: message %s with %s, want %s", channel, m.Name, m.Payload.Schema.Ref, address.Schema)
			}
		}
	}
	for name := range doc.Channels {
		if byChannel[name] != 1 {
			t.Errorf("channel %s has %d operations", name, byChannel[name])
		}
	}
}

func TestAsyncAPIReferencesResolve(t *testing.T) {
	_, tree := asyncAPI(t)
	count := 0
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, has := v["$ref"].(string); has {
				count++
				resolves(t, tree, ref)
			}
			for _, member := range v {
				visit(member)
			}
		case []any:
			for _, item := range v {
				visit(item)
			}
		}
	}
	visit(tree)
	if count < 40 {
		t.Errorf("only %d references were found", count)
	}
}

func resolves(t *testing.T, tree any, ref string) {
	t.Helper()
	pointer, inside := strings.CutPrefix(ref, "#/")
	if !inside {
		if _, err := os.Stat(filepath.FromSlash(ref)); err != nil {
			t.Errorf("reference %s: %v", ref, err)
		}
		return
	}
	for key := range strings.SplitSeq(pointer, "/") {
		m, _ := tree.(map[string]any)
		next, has := m[key]
		if !has {
			t.Errorf("reference %s: no %s", ref, key)
			return
		}
		tree = next
	}
}
