// Package control lets other programs act on a running simulator over HTTP, on a
// loopback address or a unix socket only, without a password: whoever may
// log in on the machine may play with its simulated pumps.
//
//	GET  /pumps                    every pump: what it says beside what really happens
//	GET  /pumps/{pump}             one pump
//	GET  /pumps/{pump}/log?from=0  its event log
//	GET  /pumps/{pump}/queries     the newest queries that it received
//	GET  /commands                 what can be done
//	POST /pumps/{pump}/{command}?in=10s   do it; a value without a key stands alone: ?2.22
//
// Answers are JSON. 400 is a command that is not understood, 404 no such pump, 409
// what the pump itself refuses; the body's "error" says why.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"infusiond/simulator"
)

// DefaultAddress is where a simulator listens unless told otherwise.
const DefaultAddress = "127.0.0.1:7070"

// Listen opens "host:port" on a loopback address or "unix:PATH". A unix socket that a
// dead process left behind is replaced.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	config := &net.ListenConfig{}
	if path, isUnix := strings.CutPrefix(address, "unix:"); isUnix {
		if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			if c, err := (&net.Dialer{}).DialContext(ctx, "unix", path); err == nil {
				return nil, errors.Join(fmt.Errorf("control %s: another simulator listens there", address), c.Close())
			}
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("control %s: %w", address, err)
			}
		}
		l, err := config.Listen(ctx, "unix", path)
		if err != nil {
			return nil, fmt.Errorf("control %s: %w", address, err)
		}
		return l, nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("control %q: known 127.0.0.1:PORT and unix:PATH: %w", address, err)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("control %q: only a loopback address or unix:PATH is allowed", address)
	}
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("control %s: %w", address, err)
	}
	return l, nil
}

// Address returns what a client needs to reach l, in the notation of Listen.
func Address(l net.Listener) string {
	if l.Addr().Network() == "unix" {
		return "unix:" + l.Addr().String()
	}
	return l.Addr().String()
}

// Server answers on a listener.
type Server struct {
	sim *simulator.Simulator
	log *slog.Logger
}

// NewServer returns a server for sim.
func NewServer(sim *simulator.Simulator, log *slog.Logger) *Server { return &Server{sim, log} }

// Run serves l until ctx ends, and closes it.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve control: %w", err)
	}
	return nil
}

// Handler returns the routes of the package comment.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pumps", func(w http.ResponseWriter, _ *http.Request) { s.write(w, s.sim.Statuses(), nil) })
	mux.HandleFunc("GET /pumps/{pump}", func(w http.ResponseWriter, r *http.Request) {
		status, err := s.sim.Status(r.PathValue("pump"))
		s.write(w, status, err)
	})
	mux.HandleFunc("GET /pumps/{pump}/queries", func(w http.ResponseWriter, r *http.Request) {
		queries, err := s.sim.Queries(r.PathValue("pump"))
		s.write(w, queries, err)
	})
	mux.HandleFunc("GET /pumps/{pump}/log", s.getLog)
	mux.HandleFunc("GET /commands", func(w http.ResponseWriter, _ *http.Request) { s.write(w, simulator.Help(), nil) })
	mux.HandleFunc("POST /pumps/{pump}/{command}", s.post)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" { // a page in somebody's browser
			s.write(w, nil, fmt.Errorf("%w: browsers are not served", simulator.ErrCommand))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) getLog(w http.ResponseWriter, r *http.Request) {
	var from uint64
	if text := r.URL.Query().Get("from"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			s.write(w, nil, fmt.Errorf("%w: from=%q is not a sequence number", simulator.ErrCommand, text))
			return
		}
		from = n
	}
	entries, err := s.sim.Entries(r.PathValue("pump"), from)
	s.write(w, entries, err)
}

func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	words := []string{r.PathValue("command")}
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		word, err := url.QueryUnescape(part)
		if err != nil || strings.ContainsAny(word, " \t\r\n") {
			s.write(w, nil, fmt.Errorf("%w: %q", simulator.ErrCommand, part))
			return
		}
		words = append(words, word)
	}
	pump := r.PathValue("pump")
	if err := s.sim.Do(pump, strings.Join(words, " ")); err != nil {
		s.write(w, nil, err)
		return
	}
	status, err := s.sim.Status(pump)
	s.write(w, status, err)
}

// problem is the body of every answer that is not 200.
type problem struct {
	Error string `json:"error"`
}

func (s *Server) write(w http.ResponseWriter, body any, err error) {
	code := http.StatusOK
	switch {
	case err == nil:
	case errors.Is(err, simulator.ErrPump):
		code = http.StatusNotFound
	case errors.Is(err, simulator.ErrCommand):
		code = http.StatusBadRequest
	default:
		code = http.StatusConflict
	}
	if err != nil {
		body = problem{err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Debug("control answer not sent", "error", err)
	}
}
