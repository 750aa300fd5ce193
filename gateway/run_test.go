package gateway

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"infusiond/drivers/miva"
	"infusiond/gateway/config"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
)

// The whole gateway in one process, for the race detector: it comes up with nothing but itself, says what it
// waits for, and ends in order.
// Covers GW-55, GW-115.
func TestRunComesUpAloneAndEndsInOrder(t *testing.T) {
	dir := t.TempDir()
	c := &config.Config{
		Gateway: "home-1", Simulated: true, DataDir: dir, History: time.Hour,
		MQTT: config.MQTT{Listen: "127.0.0.1:0"}, Page: config.Page{Listen: "127.0.0.1:0"},
	}
	for _, name := range []string{"blue", "red", "green", "white"} {
		c.Pumps = append(c.Pumps, config.Pump{
			Name: name, Label: name, Port: filepath.Join(dir, name), Driver: "miva", Serial: "SIM0000" + string(rune('0'+len(c.Pumps))), Interval: time.Second,
		})
	}
	began := time.Now()
	g := New(Options{
		Config: c, Drivers: config.Drivers{"miva": miva.New}, Version: "test", Log: slog.New(slog.DiscardHandler),
		Clock: func() infusion.Instant { return infusion.Instant{UTC: time.Now().UTC(), Boot: time.Since(began)} },
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	select {
	case <-g.Ready():
	case err := <-done:
		t.Fatalf("it ended: %v", err)
	case <-t.Context().Done():
		t.Fatal("it never came up")
	}
	if !strings.HasPrefix(g.PageURL(), "http://127.0.0.1:") || !strings.HasPrefix(g.MQTTURL(), "tcp://127.0.0.1:") {
		t.Errorf("page %q, broker %q", g.PageURL(), g.MQTTURL())
	}
	all, _ := g.set.Since(0)
	states := 0
	for _, m := range all {
		if err := schema.ValidateTopic(m.Topic, m.Payload); err != nil {
			t.Errorf("%v\n%s", err, m.Payload)
		}
		if strings.HasSuffix(m.Topic, "/state") && strings.Contains(string(m.Payload), `"unknown_reason":"port_absent"`) &&
			strings.Contains(string(m.Payload), `"verdict":"`+message.VerdictUnknown) {
			states++
		}
	}
	if states != len(c.Pumps) {
		t.Errorf("%d of %d pumps are said to be unknown because their port is absent", states, len(c.Pumps))
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("it did not end in order: %v", err)
	}
}
