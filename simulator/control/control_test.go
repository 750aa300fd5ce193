package control

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"infusiond/simulator"
)

func start(t *testing.T) *simulator.Simulator {
	t.Helper()
	blue := simulator.DefaultPump("blue")
	blue.Drug, blue.TCP = "milrinone", "127.0.0.1:0"
	pumps := []simulator.PumpOptions{blue}
	for _, d := range []string{"name=first,model=newera,line=bench,tcp=127.0.0.1:0", "name=second,model=newera,line=bench"} {
		p, err := simulator.ParsePump(d)
		if err != nil {
			t.Fatal(err)
		}
		pumps = append(pumps, p)
	}
	sim, err := simulator.New(simulator.Options{Pumps: pumps, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return sim
}

func TestRoutes(t *testing.T) {
	server := httptest.NewServer(NewServer(start(t), slog.New(slog.DiscardHandler)).Handler())
	defer server.Close()
	for _, row := range []struct {
		method, path string
		code         int
		has          string
	}{
		{"GET", "/pumps", 200, `"patient_volume_ml":`},
		{"GET", "/pumps/blue", 200, `"drug":"milrinone"`},
		{"GET", "/pumps/green", 404, "known blue"},
		{"GET", "/pumps/second", 200, `"address":"01"`},
		{"POST", "/pumps/second/rate?2.5", 200, `"programmed_rate_ml_per_h":2.5`},
		{"POST", "/pumps/second/noise?rate=0.1&for=10s", 200, `"faults":["noise"]`},
		{"POST", "/pumps/first/swap?second", 200, `"address":"01"`},
		{"POST", "/pumps/first/hang", 200, `"adapter_hung":true`},
		{"POST", "/pumps/first/swap?green", 404, "known blue, first, second"},
		{"GET", "/pumps/blue/log?from=1", 200, `"kind":"begin"`},
		{"GET", "/pumps/blue/log?from=x", 400, "sequence number"},
		{"GET", "/pumps/blue/queries", 200, "["},
		{"GET", "/commands", 200, "occlude"},
		{"POST", "/pumps/blue/rate?2.22", 200, `"programmed_rate_ml_per_h":2.22`},
		{"POST", "/pumps/blue/occlude?share=0.5", 200, `"occlusion_share":0.5`},
		{"POST", "/pumps/blue/pause", 200, `"state":"paused"`},
		{"POST", "/pumps/blue/pause", 409, "not running"},
		{"POST", "/pumps/blue/nonsense", 400, "known run"},
		{"POST", "/pumps/blue/rate?1%202", 400, "not understood"},
		{"POST", "/pumps/green/pause", 404, "known blue"},
		{"DELETE", "/pumps/blue", 405, ""},
	} {
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), row.method, server.URL+row.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != row.code || !strings.Contains(string(body), row.has) {
				t.Errorf("%d %s, want %d and %q", answer.StatusCode, body, row.code, row.has)
			}
		})
	}
}

func TestBrowsersAreNotServed(t *testing.T) {
	sim := start(t)
	request := httptest.NewRequest(http.MethodPost, "/pumps/blue/stop", http.NoBody)
	request.Header.Set("Origin", "https://example.org")
	w := httptest.NewRecorder()
	NewServer(sim, slog.New(slog.DiscardHandler)).Handler().ServeHTTP(w, request)
	if s, err := sim.Status("blue"); w.Code != http.StatusBadRequest || err != nil || s.Says.State != "running" {
		t.Errorf("code %d, state %q, %v", w.Code, s.Says.State, err)
	}
}

func TestOnlyLocalAddresses(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.org:80", "nothing"} {
		if l, err := Listen(t.Context(), address); err == nil {
			t.Errorf("%q was opened: %v", address, l.Close())
		}
	}
}

func TestClient(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "unix:" + filepath.Join(t.TempDir(), "sim.sock")} {
		t.Run(address, func(t *testing.T) {
			l, err := Listen(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewUnstartedServer(NewServer(start(t), slog.New(slog.DiscardHandler)).Handler())
			if err := server.Listener.Close(); err != nil {
				t.Fatal(err)
			}
			server.Listener = l
			server.Start()
			defer server.Close()
			c := NewClient(Address(l))
			if s, err := c.Do(t.Context(), "blue", "occlude", "side=upstream"); err != nil || !s.Truth.Upstream {
				t.Errorf("%+v %v", s.Truth, err)
			}
			if s, err := c.Do(t.Context(), "blue", "rate", "3.33"); err != nil || s.Says.ProgrammedRate != 3.33 {
				t.Errorf("%+v %v", s.Says, err)
			}
			if _, err := c.Do(t.Context(), "blue", "nonsense"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "occlude") {
				t.Errorf("unknown command: %v", err)
			}
			if list, err := c.Status(t.Context()); err != nil || len(list) != 3 {
				t.Errorf("%v %v", list, err)
			}
			if list, err := c.Help(t.Context()); err != nil || len(list) < 20 {
				t.Errorf("%v %v", list, err)
			}
			if strings.HasPrefix(address, "unix:") {
				if _, err := Listen(t.Context(), address); err == nil || !strings.Contains(err.Error(), "another simulator") {
					t.Errorf("second listener: %v", err)
				}
			}
		})
	}
}
