package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"infusiond/gateway/broker"
	"infusiond/gateway/config"
	"infusiond/gateway/message"
	"infusiond/gateway/page"
	"infusiond/gateway/publish"
	"infusiond/gateway/relay"
	"infusiond/gateway/spool"
)

// tryAgain is the pause before a part that could not start is started again.
const tryAgain = 10 * time.Second

// ownBroker is the broker inside this process.
type ownBroker struct {
	done chan struct{} // closed when it is up, has failed for the first time, or is not wanted
	url  atomic.Pointer[string]
}

// startBroker starts the gateway's own broker when no outside one is configured.
func (g *Gateway) startBroker(s *stage) *ownBroker {
	own := &ownBroker{done: make(chan struct{})}
	c := g.options.Config
	if !c.Embedded() || c.MQTT.Listen == "" {
		close(own.done)
		return own
	}
	g.tracker.Report("no_outside_broker", "", "the gateway's own broker listens on this machine only", "")
	listen := c.MQTT.Listen
	g.again(s, "broker", "embedded_broker_failed", own.done, func(ctx context.Context, up func()) error {
		b, err := broker.New(broker.Options{Listen: listen, StoreDir: filepath.Join(c.DataDir, "broker"), Log: g.options.Log})
		if err != nil {
			return err
		}
		ended := make(chan error, 1)
		go func() { ended <- b.Run(ctx) }()
		select {
		case err := <-ended:
			return err
		case <-b.Ready():
		}
		listen = b.Addr() // the same port after a failure
		url := b.URL()
		own.url.Store(&url)
		up()
		return <-ended
	})
	return own
}

// startPage starts the home page.
func (g *Gateway) startPage(s *stage) <-chan struct{} {
	done := make(chan struct{})
	c := g.options.Config
	if c.Page.Listen == "" {
		close(done)
		return done
	}
	pumps := make([]page.Pump, len(c.Pumps))
	for i, p := range c.Pumps {
		pumps[i] = page.Pump{Name: p.Name, Label: message.Label{Text: p.Label, Colour: p.Colour}}
	}
	g.again(s, "page", "page_unavailable", done, func(ctx context.Context, up func()) error {
		p, err := page.New(page.Options{
			Listen: c.Page.Listen, Set: g.set, Topics: g.sender.topics, Gateway: c.Gateway, Simulated: c.Simulated, Pumps: pumps,
			History: history{g.spool}, Log: g.options.Log, Version: g.options.Version,
		})
		if err != nil {
			return err
		}
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		select {
		case err := <-ended:
			return err
		case <-p.Ready():
		}
		g.mu.Lock()
		g.pageURL = "http://" + p.Addr()
		g.mu.Unlock()
		up()
		return <-ended
	})
	return done
}

// history serves the page from the spool.
type history struct{ spool *spool.Spool }

// Range implements page.History.
func (h history) Range(ctx context.Context, pump string, from, to time.Time, fn func([]byte) error) error {
	return h.spool.Range(ctx, pump, spool.Observation, from, to, func(r spool.Record) error { return fn(r.Payload) })
}

// again runs a part until ctx ends. A failure is a condition, never the end of the gateway: the part
// is started anew after a pause. Done is closed at the first success or failure.
func (g *Gateway) again(s *stage, name, code string, done chan struct{}, part func(ctx context.Context, up func()) error) {
	s.run(name, func(ctx context.Context) error {
		first := true
		settled := func() {
			if first {
				close(done)
				first = false
			}
		}
		for {
			err := part(ctx, func() {
				g.tracker.Report(code, "", "", "")
				settled()
			})
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the end of the stage is no failure of the part
			}
			if err == nil {
				err = fmt.Errorf("%s ended by itself", name)
			}
			g.tracker.Report(code, "", err.Error(), "")
			settled()
			if !pause(ctx, tryAgain) {
				return nil
			}
		}
	})
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// startDelivery starts publisher and store, each with its relay. The returned channel is closed
// when the publisher exists or cannot.
func (g *Gateway) startDelivery(s *stage, own *ownBroker) <-chan struct{} {
	done := make(chan struct{})
	c := g.options.Config
	if c.Embedded() && c.MQTT.Listen == "" {
		close(done)
	} else {
		g.again(s, "mqtt", "broker_tls", done, func(ctx context.Context, up func()) error { return g.runMQTT(ctx, own, up) })
	}
	if c.Influx.URL != "" {
		g.again(s, "influxdb", "influxdb_refused", make(chan struct{}), g.runInflux)
	}
	return done
}

func (g *Gateway) runMQTT(ctx context.Context, own *ownBroker, up func()) error {
	m := g.options.Config.MQTT
	url := m.URL
	if url == "" {
		select {
		case <-own.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		for own.url.Load() == nil { // its failure is reported by itself
			if !pause(ctx, time.Second) {
				return ctx.Err()
			}
		}
		url = *own.url.Load()
	}
	tc, err := tlsConfig(m.TLS)
	if err != nil {
		return err
	}
	p, err := publish.New(publish.Options{
		URL: url, ClientID: "infusiond-" + g.sender.gateway, TLS: tc, Username: m.Username, Password: secret(m.PasswordFile),
		Insecure: m.Insecure, Topics: g.sender.topics, Set: g.set, Birth: g.birth, Goodbye: g.goodbye, Will: g.will,
		Log: g.options.Log, Report: g.tracker.Report, Now: func() time.Time { return g.options.Clock().UTC },
	})
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.mqtt = brokerStatus{url: url, connected: func() bool { return p.Status().Connected }}
	g.mu.Unlock()
	up()
	return g.runSink(ctx, p, p.Run)
}

// runSink runs a sink's relay, and around it the sink's own connection.
func (g *Gateway) runSink(ctx context.Context, sink relay.Sink, connection func(context.Context) error) error {
	r := relay.New(relay.Options{Spool: g.spool, Sink: sink, Log: g.options.Log, Report: g.tracker.Report, Now: func() time.Time { return g.options.Clock().UTC }})
	g.mu.Lock()
	g.relays = append(g.relays, r)
	g.mu.Unlock()
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	connected := make(chan error, 1)
	go func() { connected <- connection(inner) }()
	err := r.Run(ctx)
	cancel()
	if closed := <-connected; err == nil {
		err = closed
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range g.relays {
		if other == r {
			g.relays = append(g.relays[:i], g.relays[i+1:]...)
			break
		}
	}
	return err
}

// drain waits, for a bounded time, until the sinks have what the spool holds.
func (g *Gateway) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, r := range g.running() {
		if err := r.Drain(ctx); err != nil {
			g.options.Log.Warn("not everything was delivered before the end; it is on disk", slog.Any("error", err))
		}
	}
}

// secret reads a secret file at each use, so that a renewed one is taken without a restart.
func secret(path string) func() (string, error) {
	if path == "" {
		return nil
	}
	return func() (string, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read secret: %w", err)
		}
		return strings.TrimSpace(string(data)), nil
	}
}

func tlsConfig(t config.TLS) (*tls.Config, error) {
	if t == (config.TLS{}) {
		return nil, nil //nolint:nilnil // no files: the system's authorities
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read certificate authority: %w", err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificate authority %s holds no certificate", t.CA)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("load client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
