package broker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"

	"infusiond/gateway/broker"
	"infusiond/gateway/proof/parts"
)

// Covers GW-55.
func TestNewRefusesNetworks(t *testing.T) {
	for _, tt := range []struct {
		name, listen string
		loopback     bool // the address is one
		ok           bool
	}{
		{name: "default", listen: "", ok: true},
		{name: "loopback with free port", listen: "127.0.0.1:0", ok: true},
		{name: "minus one is a free port too", listen: "127.0.0.1:-1", ok: true},
		{name: "localhost", listen: "localhost:1884", ok: true},
		{name: "IPv6 loopback", listen: "[::1]:1884", ok: true},
		{name: "all addresses", listen: "0.0.0.0:1883"},
		{name: "all addresses, short", listen: ":1883"},
		{name: "a LAN address", listen: "192.168.1.5:1883"},
		{name: "a host name", listen: "broker.example:1883"},
		{name: "no port", listen: "127.0.0.1", loopback: true},
		{name: "not a port", listen: "127.0.0.1:mqtt", loopback: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := broker.New(broker.Options{Listen: tt.listen, StoreDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
			if (err == nil) != tt.ok {
				t.Fatalf("New(%q) = %v", tt.listen, err)
			}
			if !tt.ok && !tt.loopback && !errors.Is(err, broker.ErrNotLoopback) {
				t.Errorf("New(%q) = %v, want ErrNotLoopback", tt.listen, err)
			}
		})
	}
}

func TestPublishRetainWill(t *testing.T) {
	b := run(t, "127.0.0.1:0", t.TempDir())
	c := parts.Collect(t, parts.Subscription{URL: b.URL(), Filter: "g/#"})

	var socket net.Conn
	o := mqtt.NewClientOptions().AddBroker(b.URL()).SetClientID("victim").SetAutoReconnect(false).
		SetWill("g/status", "offline", 1, true).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) {
			var err error
			socket, err = net.Dial("tcp", b.Addr())
			return socket, err
		})
	client := connect(t, o)
	wait(t, client.Publish("g/status", 1, true, "online"))
	wait(t, client.Publish("g/stream", 1, false, "one"))
	c.WaitFor("g/stream", "one")
	if err := socket.Close(); err != nil { // no DISCONNECT: the will is due
		t.Fatal(err)
	}
	c.WaitFor("g/status", "offline")

	got := parts.Retained(t, parts.Subscription{URL: b.URL()}, "g/status", "offline")
	if diff := cmp.Diff(parts.Message{Topic: "g/status", Payload: "offline", Retained: true}, got); diff != "" {
		t.Errorf("retained will (-want +got):\n%s", diff)
	}
}

// Covers GW-55.
func TestRetainedAndQueuedSurviveRestart(t *testing.T) {
	dir := t.TempDir()
	first := run(t, "127.0.0.1:0", dir)
	addr := first.Addr()
	durable := connect(t, mqtt.NewClientOptions().AddBroker(first.URL()).SetClientID("centre").
		SetCleanSession(false).SetAutoReconnect(false))
	wait(t, durable.Subscribe("g/#", 1, nil))
	durable.Disconnect(250)
	p := connect(t, mqtt.NewClientOptions().AddBroker(first.URL()).SetClientID("p").SetAutoReconnect(false))
	wait(t, p.Publish("g/state", 1, true, "last word"))
	wait(t, p.Publish("g/stream", 1, false, "while away"))
	p.Disconnect(250)
	first.stop(t)

	second := run(t, addr, dir)
	got := parts.Collect(t, parts.Subscription{URL: second.URL(), Filter: "g/#", ClientID: "centre"})
	got.WaitFor("g/state", "last word")
	got.WaitFor("g/stream", "while away")
}

// An absent subscriber must not stop the gateway from publishing.
// Covers GW-55.
func TestFullStoreDropsOldest(t *testing.T) {
	b, err := broker.New(broker.Options{
		Listen: "127.0.0.1:0", StoreDir: t.TempDir(), MaxWaiting: 64 << 10, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	start(t, b)
	o := mqtt.NewClientOptions().AddBroker(b.URL()).SetClientID("centre").SetCleanSession(false).SetAutoReconnect(false)
	durable := connect(t, o)
	wait(t, durable.Subscribe("g/#", 1, nil))
	durable.Disconnect(250)
	p := connect(t, mqtt.NewClientOptions().AddBroker(b.URL()).SetClientID("p").SetAutoReconnect(false))
	body := strings.Repeat("x", 1000)
	for i := range 500 {
		wait(t, p.Publish("g/stream", 1, false, fmt.Sprintf("%04d %s", i, body)))
	}
	c := parts.Collect(t, parts.Subscription{URL: b.URL(), Filter: "g/#", ClientID: "centre"})
	c.WaitFor("g/stream", "0499 ")
	if n := len(c.Messages()); n >= 500 || n < 10 {
		t.Errorf("%d of 500 messages waited in a store of 64 KiB", n)
	}
}

func TestPortBusy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b, err := broker.New(broker.Options{Listen: l.Addr().String(), StoreDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	err = b.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), "mqtt.url") {
		t.Errorf("Run on a busy port = %v, want the cause and the mend", err)
	}
}

func TestStoreIsNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := broker.New(broker.Options{Listen: "127.0.0.1:0", StoreDir: file, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(t.Context()); err == nil {
		t.Error("Run with a file in place of the store folder succeeded")
	}
}

// running is a broker whose Run is joined by the test.
type running struct {
	*broker.Broker
	cancel context.CancelFunc
	ended  chan error
}

func run(t *testing.T, listen, dir string) *running {
	t.Helper()
	b, err := broker.New(broker.Options{Listen: listen, StoreDir: dir, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return start(t, b)
}

func start(t *testing.T, b *broker.Broker) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{Broker: b, cancel: cancel, ended: make(chan error, 1)}
	go func() { r.ended <- b.Run(ctx) }()
	t.Cleanup(func() { r.stop(t) })
	select {
	case <-b.Ready():
	case err := <-r.ended:
		r.ended <- err
		t.Fatalf("Run: %v", err)
	}
	return r
}

func (r *running) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	if err := <-r.ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	r.ended <- nil // for the next stop
}

func connect(t *testing.T, o *mqtt.ClientOptions) mqtt.Client {
	t.Helper()
	client := mqtt.NewClient(o.SetProtocolVersion(4).SetConnectTimeout(10 * time.Second))
	wait(t, client.Connect())
	t.Cleanup(func() { client.Disconnect(100) })
	return client
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
