package parts_test

import (
	"strings"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"

	"infusiond/gateway/proof/parts"
)

func TestMosquittoKeepsRetainedOverRestart(t *testing.T) {
	b := parts.Mosquitto(t, parts.MosquittoOptions{})
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(b.URL).SetClientID("p").SetAutoReconnect(false))
	wait(t, client.Connect())
	wait(t, client.Publish("a/b", 1, true, "kept"))
	client.Disconnect(250)
	if err := b.Restart(); err != nil {
		t.Fatal(err)
	}
	c := parts.Collect(t, parts.Subscription{URL: b.URL, Filter: "a/#"})
	got := c.WaitFor("a/b", "kept")
	if diff := cmp.Diff(parts.Message{Topic: "a/b", Payload: "kept", Retained: true}, got); diff != "" {
		t.Errorf("retained message (-want +got):\n%s", diff)
	}
	if !strings.Contains(b.Log(), "mosquitto version") {
		t.Errorf("the log is not kept: %q", b.Log())
	}
}

func TestInfluxQueryAndRestart(t *testing.T) {
	s := parts.Influx(t)
	rows, err := s.Query(t.Context(), "SHOW DATABASES")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]parts.Row{{"name": "edge"}}, rows); diff != "" {
		t.Errorf("databases (-want +got):\n%s", diff)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Query(t.Context(), "SHOW DATABASES"); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

func wait(t *testing.T, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(parts.Patience) {
		t.Fatal("the broker does not answer")
	}
	if err := token.Error(); err != nil {
		t.Fatal(err)
	}
}
