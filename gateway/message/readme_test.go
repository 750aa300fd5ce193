package message_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each fenced block of JSON names its topic and is valid on it, and every topic has one.
// Covers GW-49.
func TestReadmeExamplesAreValid(t *testing.T) {
	shown := map[string]bool{}
	for _, block := range regexp.MustCompile("(?s)```json([^\n]*)\n(.*?)```").FindAllStringSubmatch(readme(t), -1) {
		topic := strings.TrimSpace(block[1])
		if err := schema.ValidateTopic(topic, []byte(block[2])); err != nil {
			t.Error(err)
			continue
		}
		address, err := message.ParseTopic(topic)
		if err != nil {
			t.Fatal(err)
		}
		pattern := strings.Replace(topic, "/"+address.Gateway+"/", "/{gateway}/", 1)
		if address.Pump != "" {
			pattern = strings.Replace(pattern, "/pump/"+address.Pump+"/", "/pump/{pump}/", 1)
		}
		_, below, _ := strings.Cut(pattern, "/")
		shown["{root}/"+below] = true
	}
	for _, topic := range topicsWithPlaceholders(t) {
		if !shown[topic] {
			t.Errorf("no example on %s", topic)
		}
	}
}

// Every field, every value of an enumeration and every standard code of the schemas stands
// in the README.
// Covers GW-49.
func TestReadmeNamesEverything(t *testing.T) {
	text := readme(t)
	has := func(at, word string) {
		t.Helper()
		if !strings.Contains(text, word) {
			t.Errorf("%s: README.md does not have %s", at, word)
		}
	}
	for _, id := range schema.IDs() {
		walk(t, load(t, schema.File(id)), id, func(at string, n node) {
			has(at, "`"+at[strings.LastIndex(at, ".")+1:]+"`")
			for _, value := range n.strings("enum") {
				if !strings.HasSuffix(at, ".check") {
					has(at, "`"+value+"`")
				}
			}
		})
	}
	for _, name := range []string{"check_code", "unknown_code"} {
		for _, value := range enumOf(t, "common.json", name) {
			has(name, "| `"+value+"` |")
		}
	}
	has("review", "`"+message.CodeReviewOverdue+"`")
	for _, name := range []string{"delivery_status", "pump_alarm_code", "check_code", "link_state"} {
		values, _ := load(t, "common.json").child(t, "$defs", name, "x-values")
		for value := range values.m {
			row := strings.Join(regexp.MustCompile("(?m)^\\| `"+value+"` \\|.*$").FindAllString(text, -1), "\n")
			v, _ := values.child(t, value)
			for _, code := range regexp.MustCompile(`\b\d{6}\b`).FindAllString(encode(t, v.m["x-mdc"]), -1) {
				if !strings.Contains(row, code) && !strings.Contains(text, "_STATUS "+code) && !strings.Contains(text, "_REASON "+code) && !strings.Contains(text, "_SOURCES "+code) {
					t.Errorf("%s %s: README.md does not have code %s in %q", name, value, code, row)
				}
			}
		}
	}
}

// What no reader may miss.
// Covers GW-108.
func TestReadmeSaysWhatItMust(t *testing.T) {
	text := readme(t)
	for _, must := range []string{
		"Not a medical device", "never what reached the patient", "mosquitto_sub -v -t 'infusiond-sim/v1/+/#'",
		"Unknown is never ok", "acknowledges a broker, not a person", "wrong drug", "disconnected line",
	} {
		if !strings.Contains(text, must) {
			t.Errorf("README.md does not say %q", must)
		}
	}
}
