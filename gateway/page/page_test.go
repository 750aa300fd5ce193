package page_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"infusiond/gateway/page"
	"infusiond/gateway/page/pagetest"
)

func options(g *pagetest.Gateway) page.Options {
	return page.Options{
		Listen: "127.0.0.1:0", Set: g.Set, Topics: g.Topics, Gateway: g.Name, Simulated: g.Simulated,
		Pumps: pagetest.Pumps(), History: g, Log: slog.New(slog.DiscardHandler), Version: "test",
	}
}

// start serves a page until the test ends and returns its address.
func start(t *testing.T, o page.Options) string {
	t.Helper()
	p, err := page.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	select {
	case <-p.Ready():
	case err := <-done:
		t.Fatalf("Run: %v", err)
	}
	return "http://" + p.Addr()
}

// reply is an answer that was read to its end.
type reply struct {
	StatusCode int
	Status     string
	Header     http.Header
}

// request sends a request and reads the whole answer.
func request(t *testing.T, method, url, host string) (reply, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{StatusCode: response.StatusCode, Status: response.Status, Header: response.Header}, string(body)
}

// Covers GW-107.
func TestListenAddress(t *testing.T) {
	for _, test := range []struct {
		listen   string
		loopback bool
	}{
		{"127.0.0.1:0", true},
		{"127.4.5.6:8631", true},
		{"localhost:8631", true},
		{"[::1]:8631", true},
		{"0.0.0.0:8631", false},
		{":8631", false},
		{"[::]:8631", false},
		{"192.168.1.4:8631", false},
		{"gateway.example:8631", false},
	} {
		t.Run(test.listen, func(t *testing.T) {
			o := options(pagetest.New("home-1", false))
			o.Listen = test.listen
			_, err := page.New(o)
			if test.loopback && err != nil {
				t.Errorf("refused: %v", err)
			}
			if !test.loopback && (!errors.Is(err, page.ErrNotLoopback) || !strings.Contains(err.Error(), "127.0.0.1")) {
				t.Errorf("got %v, want ErrNotLoopback with what to use instead", err)
			}
		})
	}
	o := options(pagetest.New("home-1", false))
	o.Listen = "8631"
	if _, err := page.New(o); err == nil {
		t.Error("an address without a host was taken")
	}
	if _, err := page.New(page.Options{Listen: "127.0.0.1:0"}); err == nil {
		t.Error("a page without a set was made")
	}
}

func TestPortBusy(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	o := options(pagetest.New("home-1", false))
	o.Listen = other.Addr().String()
	p, err := page.New(o)
	if err != nil {
		t.Fatal(err)
	}
	err = p.Run(t.Context())
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "another port") || !strings.Contains(err.Error(), o.Listen) {
		t.Errorf("got %v, want EADDRINUSE with the address and what to do", err)
	}
}

// Covers GW-107.
func TestEveryAnswerIsGuarded(t *testing.T) {
	url := start(t, options(pagetest.New("home-1", false)))
	for _, path := range []string{"/", "/static/main.js", "/api/time", "/api/history?pump=milrinone&hours=1", "/api/history", "/nothing"} {
		response, _ := request(t, http.MethodGet, url+path, "")
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'self'",
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "no-referrer",
			"Cache-Control":           "no-store",
		} {
			if got := response.Header.Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if csp := response.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: may be framed: %q", path, csp)
		}
	}
}

// Covers GW-107.
func TestMethods(t *testing.T) {
	url := start(t, options(pagetest.New("home-1", false)))
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace} {
		for _, path := range []string{"/", "/api/live", "/api/history"} {
			response, _ := request(t, method, url+path, "")
			if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %s", method, path, response.Status)
			}
		}
	}
	for _, path := range []string{"/", "/api/live", "/api/time"} {
		if response, body := request(t, http.MethodHead, url+path, ""); response.StatusCode != http.StatusOK || body != "" {
			t.Errorf("HEAD %s: %s with body %q", path, response.Status, body)
		}
	}
}

// Covers GW-107.
func TestHostNames(t *testing.T) {
	url := start(t, options(pagetest.New("home-1", false)))
	for host, want := range map[string]int{
		"localhost":                http.StatusOK,
		"localhost:9000":           http.StatusOK, // through a tunnel
		"127.0.0.1:8631":           http.StatusOK,
		"[::1]:8631":               http.StatusOK,
		"[::1]":                    http.StatusOK,
		"rebound.example":          http.StatusForbidden,
		"rebound.example:8631":     http.StatusForbidden,
		"localhost.rebound.test":   http.StatusForbidden,
		"127.0.0.1.rebound.test":   http.StatusForbidden,
		"192.168.1.4:8631":         http.StatusForbidden,
		"localhost:8631@elsewhere": http.StatusForbidden,
	} {
		for _, path := range []string{"/", "/api/time", "/api/live"} {
			if path == "/api/live" && want == http.StatusOK {
				continue // an endless answer
			}
			response, _ := request(t, http.MethodGet, url+path, host)
			// net/http itself answers 400 to a host that is none.
			if response.StatusCode != want && (want != http.StatusForbidden || response.StatusCode != http.StatusBadRequest) {
				t.Errorf("host %s, %s: %s, want %d", host, path, response.Status, want)
			}
		}
	}
}

func TestFiles(t *testing.T) {
	url := start(t, options(pagetest.New("home-1", false)))
	for path, contentType := range map[string]string{
		"/":                                      "text/html; charset=utf-8",
		"/static/page.css":                       "text/css; charset=utf-8",
		"/static/main.js":                        "text/javascript; charset=utf-8",
		"/static/texts.en.json":                  "application/json",
		"/static/vendor/uplot/uPlot.iife.min.js": "text/javascript; charset=utf-8",
		"/static/vendor/uplot/LICENSE":           "text/plain; charset=utf-8",
	} {
		response, body := request(t, http.MethodGet, url+path, "")
		if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != contentType || len(body) == 0 {
			t.Errorf("%s: %s, %s, %d bytes", path, response.Status, response.Header.Get("Content-Type"), len(body))
		}
	}
	for _, path := range []string{"/static/", "/static", "/static/../page.go", "/static/%2e%2e/page.go", "/static/vendor/"} {
		r := &http.Transport{}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := r.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		r.CloseIdleConnections()
		if response.StatusCode == http.StatusOK {
			t.Errorf("%s was answered", path)
		}
	}
}

// TestRunEndsLiveClients: an open stream does not keep the daemon from ending.
func TestRunEndsLiveClients(t *testing.T) {
	g := pagetest.New("home-1", false)
	p, err := page.New(options(g))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	<-p.Ready()
	stream := follow(t, "http://"+p.Addr())
	if e := stream.next(t); e.name != "snapshot" {
		t.Fatalf("first event %q", e.name)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Run did not end")
	}
}
