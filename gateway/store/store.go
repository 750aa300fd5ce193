package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"

	"infusiond/gateway/relay"
	"infusiond/gateway/spool"
)

const (
	maxLines = 5000             // of one write
	writeFor = 30 * time.Second // one write may take
	maxAsked = 5 * time.Minute  // the longest Retry-After that is believed
)

// Options say where to write.
type Options struct {
	URL    string // http(s)://host:port
	Org    string // empty for 1.8
	Bucket string // for 1.8 database/retention policy
	// Token is asked at each write; nil when the server wants none.
	Token func() (string, error)
	TLS   *tls.Config // nil trusts the system's authorities
	// Insecure allows a plain connection to another machine, and TLS without verification.
	Insecure bool
	Log      *slog.Logger
}

// Store is the InfluxDB sink. Deliver has one caller at a time.
type Store struct {
	client influxdb2.Client
	write  api.WriteAPIBlocking
	http   *http.Client
	log    *slog.Logger

	notBefore time.Time // what Retry-After asked for; of Deliver's caller
}

var _ relay.Sink = (*Store)(nil)

// New checks the options. It opens nothing: the server may come later.
func New(o Options) (*Store, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	s := &Store{log: o.Log}
	s.http = &http.Client{
		Transport:     &guard{next: o.transport(), token: o.Token},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// The precision is sent with each write; nanoseconds carry events of one millisecond.
	options := influxdb2.DefaultOptions().SetUseGZip(true).SetPrecision(time.Nanosecond).
		SetHTTPClient(s.http).SetApplicationName("infusiond")
	s.client = influxdb2.NewClientWithOptions(o.URL, "", options)
	s.write = s.client.WriteAPIBlocking(o.Org, o.Bucket)
	return s, nil
}

// Name implements relay.Sink.
func (*Store) Name() string { return "influxdb" }

// Close ends idle connections.
func (s *Store) Close() {
	s.client.Close()
	s.http.CloseIdleConnections()
}

// Deliver implements relay.Sink.
func (s *Store) Deliver(ctx context.Context, batch []spool.Record) (relay.Outcome, error) {
	if err := s.pause(ctx); err != nil {
		return relay.Outcome{}, err
	}
	d := &delivery{s: s}
	for start := 0; start < len(batch); start += maxLines {
		if err := d.chunk(ctx, batch[start:min(start+maxLines, len(batch))]); err != nil {
			return d.outcome, err
		}
	}
	return d.outcome, nil
}

// pause waits as long as the server asked for.
func (s *Store) pause(ctx context.Context) error {
	wait := time.Until(s.notBefore)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send writes lines once.
func (s *Store) send(ctx context.Context, lines ...string) error {
	limited, cancel := context.WithTimeout(ctx, writeFor)
	defer cancel()
	err := s.write.WriteRecord(limited, lines...)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if e, ok := errors.AsType[*influxhttp.Error](err); ok && e.RetryAfter > 0 {
		s.notBefore = time.Now().Add(min(maxAsked, time.Duration(e.RetryAfter)*time.Second))
	}
	return err
}

// probe writes a point that no healthy server refuses.
func (s *Store) probe(ctx context.Context) error {
	l := newLine(measurementHealth)
	l.flag("write_check", true)
	text, err := l.end(time.Now().UnixMilli() * 1_000_000)
	if err != nil {
		return fmt.Errorf("build the probe: %w", err)
	}
	return s.send(ctx, text)
}
