package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/retain"
)

// ErrNotLoopback says that the listen address is reachable from other machines, which
// this version refuses because the page has no log-in.
var ErrNotLoopback = errors.New("not a loopback address")

// History gives the observations of one pump from the gateway's own record.
type History interface {
	// Range calls fn with the payload of every observation (message.Observation) of the pump with
	// from <= ts < to, in the order of the record. The payload is valid during the call only.
	// It stops at fn's first error and returns it.
	Range(ctx context.Context, pump string, from, to time.Time, fn func(payload []byte) error) error
}

// Pump is one configured pump.
type Pump struct {
	Name  string        // as in the topics
	Label message.Label // as people call it, shown also while there is no state
}

// Options says what a page shows and where. Listen, Set and Log are required.
type Options struct {
	Listen    string // loopback host:port; port 0 takes a free one
	Set       *retain.Set
	Topics    message.Topics
	Gateway   string
	Simulated bool
	Pumps     []Pump
	History   History // nil: the page says that there is no history
	Log       *slog.Logger
	Now       func() time.Time // UTC wall clock, also with a monotonic part; nil is time.Now
	Version   string
}

// The bounds of the server.
const (
	beatEvery    = 2 * time.Second  // the browser calls the daemon silent after four missed ones
	writeWithin  = 10 * time.Second // a client that takes longer is dropped; it will ask again
	maxClients   = 32               // live clients at once
	maxReaders   = 2                // history readings at once
	readWithin   = 30 * time.Second // one history reading
	shutdownTime = 3 * time.Second
)

// Page serves the home page.
type Page struct {
	options Options
	topics  map[string]topic // the retained topics that are forwarded
	files   map[string]file
	clients chan struct{} // one element per live client
	readers chan struct{} // one element per history reading
	started time.Time
	ready   chan struct{}
	beat    time.Duration

	mu   sync.Mutex
	addr string
}

// New checks the options. It opens nothing; ErrNotLoopback is in the chain when the
// address would be reachable from elsewhere.
func New(o Options) (*Page, error) {
	if o.Set == nil || o.Log == nil {
		return nil, errors.New("page: Set and Log are required")
	}
	if err := checkListen(o.Listen); err != nil {
		return nil, err
	}
	files, err := staticFiles()
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Page{
		options: o,
		topics:  forwarded(o.Topics, o.Pumps),
		files:   files,
		clients: make(chan struct{}, maxClients),
		readers: make(chan struct{}, maxReaders),
		started: o.Now(),
		ready:   make(chan struct{}),
		beat:    beatEvery,
	}, nil
}

func checkListen(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("page: listen address %q is not host:port: %w", address, err)
	}
	if !loopbackName(host) {
		return fmt.Errorf("page: listen address %q: %w: the page has no log-in and serves this machine only; "+
			"use 127.0.0.1:PORT, from elsewhere through a tunnel (ssh -L)", address, ErrNotLoopback)
	}
	return nil
}

// loopbackName accepts localhost and loopback addresses.
func loopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Ready is closed once the page listens; Addr is valid from then on.
func (p *Page) Ready() <-chan struct{} { return p.ready }

// Addr is the host:port that the page listens on, empty before Ready.
func (p *Page) Addr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

// Run listens and serves until ctx ends, which is no error. It may be called once.
func (p *Page) Run(ctx context.Context) error {
	listener, err := p.listen(ctx)
	if err != nil {
		return err
	}
	live, stop := context.WithCancel(ctx)
	defer stop()
	server := &http.Server{
		Handler:           p.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      writeWithin + readWithin, // live streams set their own deadlines
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return live },
		ErrorLog:          slog.NewLogLogger(p.options.Log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	p.options.Log.Info("home page listens", "address", p.Addr())

	select {
	case err = <-served:
		return fmt.Errorf("page: serve: %w", err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err = server.Shutdown(limit)
	if errors.Is(err, context.DeadlineExceeded) {
		// A browser's spare connection counts as busy for 5 s. Nothing here is worth waiting for.
		err = server.Close()
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	if err != nil {
		return fmt.Errorf("page: shut down: %w", err)
	}
	return nil
}

func (p *Page) listen(ctx context.Context) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", p.options.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("page: another program listens on %s: stop it, or give the page another port: %w", p.options.Listen, err)
	case err != nil:
		return nil, fmt.Errorf("page: listen on %s: %w", p.options.Listen, err)
	}
	// What "localhost" resolves to is the machine's business, so the result is checked as well.
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("page: %s became %s: %w", p.options.Listen, listener.Addr(), ErrNotLoopback), listener.Close())
	}
	p.mu.Lock()
	p.addr = listener.Addr().String()
	p.mu.Unlock()
	close(p.ready)
	return listener, nil
}
