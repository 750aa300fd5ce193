package schema_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
)

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Covers GW-08, GW-48.
func TestValidateTopic(t *testing.T) {
	sim, home := message.TopicsOf("home-17", true), message.TopicsOf("home-17", false)
	state := example(t, "state-ok")
	realState := strings.Replace(state, `"source": "sim"`, `"source": "pump"`, 1)
	for _, row := range []struct {
		name, topic, payload string
		valid                bool
	}{
		{"simulated state", sim.State("blue"), state, true},
		{"real state", home.State("blue"), realState, true},
		{"simulated below the real root", home.State("blue"), state, false},
		{"real below the simulated root", sim.State("blue"), realState, false},
		{"another pump", sim.State("green"), state, false},
		{"another gateway", message.TopicsOf("home-18", true).State("blue"), state, false},
		{"another kind", sim.Observation("blue"), state, false},
		{"state on the gateway's topic", sim.Root() + "state", state, false},
		{"pump event", sim.Event("blue"), example(t, "event-link"), true},
		{"pump event as the gateway's", sim.GatewayEvent(), example(t, "event-link"), false},
		{"gateway event", sim.GatewayEvent(), example(t, "event-started"), true},
		{"gateway event as a pump's", sim.Event("blue"), example(t, "event-clock-step"), false},
		{"cleared state", sim.State("blue"), "", true},
		{"cleared alerts", home.Alerts("blue"), "", true},
		{"cleared status", home.Status(), "", true},
		{"empty observation", sim.Observation("blue"), "", false},
		{"empty event", sim.GatewayEvent(), "", false},
		{"topic of nobody", "infusiond-sim/v1/home-17/pump/blue/rate", state, false},
		{"version 2", "infusiond-sim/v2/home-17/pump/blue/state", state, false},
		{"pump in capitals", "infusiond-sim/v1/home-17/pump/Blue/state", state, false},
		{"one level more", sim.State("blue") + "/x", state, false},
		{"empty topic", "", state, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := schema.ValidateTopic(row.topic, []byte(row.payload))
			if row.valid && err != nil {
				t.Error(err)
			}
			if !row.valid && !errors.Is(err, schema.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
		})
	}
}

func TestValidateByIDAndByName(t *testing.T) {
	payload := []byte(example(t, "alerts-empty"))
	for _, kind := range []string{"alerts", message.SchemaAlerts} {
		if err := schema.Validate(kind, payload); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := schema.Validate("alarm", payload); err == nil || errors.Is(err, schema.ErrInvalid) {
		t.Errorf("an unknown kind is the caller's mistake, not the message's; got %v", err)
	}
}

// An error must lead a developer to the field.
func TestErrorNamesTheField(t *testing.T) {
	payload := strings.Replace(example(t, "observation-ok"), `"infusing"`, `"running"`, 1)
	err := schema.Validate("observation", []byte(payload))
	if err == nil || !strings.Contains(err.Error(), "delivery_status") || !strings.Contains(err.Error(), "infusiond/observation/1") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkValidateTopic(b *testing.B) {
	payload, err := os.ReadFile(filepath.Join("..", "testdata", "observation-full.json"))
	if err != nil {
		b.Fatal(err)
	}
	topic := message.TopicsOf("home-17", true).Observation("blue")
	for b.Loop() {
		if err := schema.ValidateTopic(topic, payload); err != nil {
			b.Fatal(err)
		}
	}
}
