package gateway

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"infusiond/gateway/config"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
)

// house is a gateway with a real spool whose other parts do not run.
type house struct {
	*Gateway
	mu  sync.Mutex
	now infusion.Instant
}

func (h *house) step(wall, boot time.Duration) infusion.Instant {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = infusion.Instant{UTC: h.now.UTC.Add(wall), Boot: h.now.Boot + boot, Synced: h.now.Synced}
	return h.now
}

func newHouse(t *testing.T, dir string, pumps ...string) (h *house, stop func()) {
	t.Helper()
	h = &house{now: noon}
	c := &config.Config{Gateway: "home-1", Simulated: true, DataDir: dir, History: time.Hour, MQTT: config.MQTT{Listen: "127.0.0.1:0"}}
	for _, name := range pumps {
		c.Pumps = append(c.Pumps, config.Pump{Name: name, Serial: "SIM00001"})
	}
	h.Gateway = New(Options{Config: c, Version: "test", Log: slog.New(slog.DiscardHandler), Clock: func() infusion.Instant {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.now
	}})
	if err := h.openSpool(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.spool.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := h.spool.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return h, stop
}

// events are the valid events recorded so far, by stream.
func (h *house) events(t *testing.T) map[string][]message.Event {
	t.Helper()
	records, err := h.spool.After(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]message.Event{}
	for _, r := range records {
		topic := h.sender.topics.GatewayEvent()
		if r.Stream != "" {
			topic = h.sender.topics.Event(r.Stream)
		}
		if err := schema.ValidateTopic(topic, r.Payload); err != nil {
			t.Fatalf("%v\n%s", err, r.Payload)
		}
		var e message.Event
		if err := json.Unmarshal(r.Payload, &e); err != nil {
			t.Fatal(err)
		}
		out[r.Stream] = append(out[r.Stream], e)
	}
	return out
}

// A jump of the wall clock is told; time that passes on both clocks is not.
// Covers GW-32.
func TestAJumpOfTheWallClockIsAnEvent(t *testing.T) {
	h, _ := newHouse(t, t.TempDir(), "blue")
	last := h.step(0, 0)
	for _, row := range []struct {
		name       string
		wall, boot time.Duration
		step       int64 // ms; 0: no event
	}{
		{"an hour passes", time.Hour, time.Hour, 0},
		{"set back 30 s by a time server", -29 * time.Second, time.Second, -30_000},
		{"set forward from 1970", 56 * 365 * 24 * time.Hour, time.Second, (56*365*24*time.Hour - time.Second).Milliseconds()},
		{"slewed a little", 1010 * time.Millisecond, time.Second, 0},
		{"slept", 8 * time.Hour, 8 * time.Hour, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := len(h.events(t)[""])
			now := h.step(row.wall, row.boot)
			h.watchClock(t.Context(), last, now)
			last = now
			events := h.events(t)[""]
			if row.step == 0 {
				if len(events) != before {
					t.Errorf("%+v", events[before:])
				}
				return
			}
			if len(events) != before+1 || events[before].Event != message.EventClockStep || events[before].ClockStep.StepMS != row.step {
				t.Errorf("%+v", events[before:])
			}
		})
	}
}

// A pump that leaves the configuration says so in its own stream, and its retained topics are cleared.
// Covers GW-34.
func TestAPumpThatLeavesTheConfigurationIsRemoved(t *testing.T) {
	dir := t.TempDir()
	h, stop := newHouse(t, dir, "blue", "red")
	if err := h.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := h.events(t); len(e[""]) != 1 || e[""][0].Event != message.EventStarted || len(e["red"]) != 0 {
		t.Fatalf("%+v", e)
	}
	stop()
	h, _ = newHouse(t, dir, "blue")
	if err := h.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := h.events(t); len(e["red"]) != 1 || e["red"][0].Event != message.EventRemoved || len(e["blue"]) != 0 {
		t.Errorf("%+v", e)
	}
	all, _ := h.set.Since(0)
	cleared := map[string]bool{}
	for _, m := range all {
		if len(m.Payload) == 0 {
			cleared[m.Topic] = true
		}
	}
	if !cleared[h.sender.topics.State("red")] || !cleared[h.sender.topics.Alerts("red")] || cleared[h.sender.topics.State("blue")] {
		t.Errorf("cleared %v", cleared)
	}
}

// A downgrade starts, tells so, and leaves the newer program's records alone.
// Covers GW-39.
func TestTheRecordsOfANewerProgramAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	h, stop := newHouse(t, dir, "blue")
	if err := h.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	db, err := sql.Open("sqlite", filepath.Join(dir, spoolFile))
	if err != nil {
		t.Fatal(err)
	}
	var id int
	if err := db.QueryRowContext(t.Context(), "PRAGMA application_id").Scan(&id); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"PRAGMA user_version = 99", fmt.Sprintf("PRAGMA application_id = %d", id&^0xff|99)} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	h, _ = newHouse(t, dir, "blue")
	if err := h.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := ""
	for _, c := range h.tracker.Open() {
		told += c.Code + " "
	}
	if !strings.Contains(told, "spool_newer") || !h.spool.Status().Durable {
		t.Errorf("conditions %s, %+v", told, h.spool.Status())
	}
}

// Health says what a person must know, and follows the contract in every state of its parts.
// Covers GW-48, GW-104.
func TestHealthFollowsTheContract(t *testing.T) {
	h, _ := newHouse(t, t.TempDir(), "blue")
	h.channels = append(h.channels, newChannel(channelOptions{Pump: h.options.Config.Pumps[0], Clock: h.options.Clock, Spool: h.spool}))
	for _, prepare := range []func(){
		func() {},
		func() { h.tracker.Report("broker_refused", "mqtt", "connection refused", "") },
		func() { h.options.Config.MQTT.URL = "ssl://broker.example:8883" },
		func() { h.options.Config.Influx.URL = "http://127.0.0.1:8086" },
		func() { h.options.Config.MQTT.URL, h.options.Config.MQTT.Listen = "", "" },
	} {
		prepare()
		if err := h.putHealth(h.step(time.Second, time.Second)); err != nil {
			t.Fatal(err)
		}
		m, _ := h.set.Get(h.sender.topics.Health())
		if err := schema.ValidateTopic(m.Topic, m.Payload); err != nil {
			t.Errorf("%v\n%s", err, m.Payload)
		}
		var got message.Health
		if err := json.Unmarshal(m.Payload, &got); err != nil {
			t.Fatal(err)
		}
		if got.Watching.Confirmed || !strings.Contains(got.Watching.Text, "Watch the pump yourself") || got.ValidUntil.Time().Sub(got.TS.Time()) != healthValidFor {
			t.Errorf("%+v", got)
		}
	}
	for _, build := range []func() []byte{h.will, h.birth, h.goodbye} {
		if err := schema.ValidateTopic(h.sender.topics.Status(), build()); err != nil {
			t.Error(err)
		}
	}
}
