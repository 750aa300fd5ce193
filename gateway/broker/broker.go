// Package broker runs an MQTT broker inside the gateway's process, for a gateway that has
// none configured: nats-server with MQTT and JetStream, on loopback only. It is the engine
// that a monitoring centre can run as a cluster.
//
// Its store is bounded. When a subscriber with a durable session stays away until the
// bound is reached, the oldest of its waiting messages are dropped; publishing
// never stops for it, and the subscriber sees the hole in seq. The store is
// flushed every few seconds: a power cut can cost a waiting subscriber that much. The
// truth is the gateway's spool.
//
// A retained message is acknowledged a moment before new subscribers get it: who subscribes
// within these milliseconds gets it when it is next published, which the publisher
// does every few minutes even when nothing changed.
//
// Run owns every goroutine. The package is the only importer of nats-server (the engine
// decided in the design) and of nats.go (its own client, to bound the message store).
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// DefaultListen is where the broker listens when nothing else is said.
const DefaultListen = "127.0.0.1:1883"

const (
	maxWaiting = 256 << 20 // bytes
	maxRest    = 256 << 20 // bytes on disk for retained messages and sessions
	maxClients = 100
	startFor   = 30 * time.Second
	syncEvery  = 5 * time.Second
)

// ErrNotLoopback says that the embedded broker was asked to listen on a network.
var ErrNotLoopback = errors.New("the embedded broker has no passwords and listens on loopback only; for a network use Mosquitto with TLS (configs/mosquitto)")

// Options say how the broker runs.
type Options struct {
	Listen   string // host:port, DefaultListen when empty; port 0 takes a free one
	StoreDir string // a folder of its own; it is made when missing
	// MaxWaiting bounds the messages that wait for absent subscribers, in bytes on
	// disk; 256 MiB when 0.
	MaxWaiting int64
	Log        *slog.Logger
}

// Broker is the embedded broker.
type Broker struct {
	server  *server.Server
	options *server.Options
	log     *bridge
	listen  string
	waiting int64
	ready   chan struct{}
	addr    string // valid once ready is closed
}

// New checks the options. It opens nothing.
func New(o Options) (*Broker, error) {
	if o.Listen == "" {
		o.Listen = DefaultListen
	}
	host, port, err := splitLoopback(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %w", o.Listen, err)
	}
	if o.StoreDir == "" {
		return nil, errors.New("the embedded broker needs a store folder")
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = maxWaiting
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	b := &Broker{log: &bridge{log: o.Log}, listen: o.Listen, waiting: o.MaxWaiting, ready: make(chan struct{})}
	b.options = &server.Options{
		ServerName: "infusiond", Host: host, DontListen: true, // MQTT only, no NATS port
		NoSigs: true, NoLog: true,
		MaxConn:   maxClients,
		JetStream: true, StoreDir: o.StoreDir, JetStreamMaxStore: o.MaxWaiting + maxRest, JetStreamMaxMemory: 16 << 20,
		SyncInterval: syncEvery,
		MQTT:         server.MQTTOpts{Host: host, Port: port, AckWait: 10 * time.Second},
	}
	return b, nil
}

// Ready is closed when clients can connect.
func (b *Broker) Ready() <-chan struct{} { return b.ready }

// Addr is the real host:port, valid once Ready is closed.
func (b *Broker) Addr() string { return b.addr }

// URL is the broker's address for an MQTT client, valid once Ready is closed.
func (b *Broker) URL() string { return "tcp://" + b.addr }

// Run serves until ctx ends. It returns nil then, and an error when the broker cannot
// start, such as a port that is taken.
func (b *Broker) Run(ctx context.Context) error {
	s, err := server.NewServer(b.options)
	if err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	b.server = s
	s.SetLoggerV2(b.log, false, false, false)
	s.Start()
	defer func() {
		s.Shutdown()
		s.WaitForShutdown()
	}()
	if err := b.log.fatal(); err != nil {
		return b.startError(err)
	}
	if !s.ReadyForConnections(startFor) {
		return b.startError(fmt.Errorf("not ready after %v", startFor))
	}
	if err := b.bound(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end was asked for while starting
		}
		return b.startError(err)
	}
	b.addr = net.JoinHostPort(b.options.MQTT.Host, strconv.Itoa(b.options.MQTT.Port))
	close(b.ready)
	<-ctx.Done()
	return nil
}

func (b *Broker) startError(err error) error {
	return fmt.Errorf("embedded broker on %s (another broker may run there: stop it, or set mqtt.url to it, or change the port): %w", b.listen, err)
}

// bound makes the stream of waiting messages before the MQTT side would make it
// without a limit; that side then takes what it finds.
func (b *Broker) bound(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startFor)
	defer cancel()
	conn, err := nats.Connect("", nats.InProcessServer(b.server))
	if err != nil {
		return fmt.Errorf("connect to itself: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return fmt.Errorf("reach the message store: %w", err)
	}
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: "$MQTT_msgs", Subjects: []string{"$MQTT.msgs.>"},
		Storage: jetstream.FileStorage, Retention: jetstream.InterestPolicy,
		MaxBytes: b.waiting, Discard: jetstream.DiscardOld,
	})
	if err != nil {
		return fmt.Errorf("bound the message store: %w", err)
	}
	return nil
}

func splitLoopback(listen string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, err
	}
	if port, err = strconv.Atoi(text); err != nil || port < -1 || port > 65535 {
		return "", 0, fmt.Errorf("%q is not a port", text)
	}
	if host == "localhost" {
		return "127.0.0.1", port, nil
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return "", 0, ErrNotLoopback
	}
	return host, port, nil
}
