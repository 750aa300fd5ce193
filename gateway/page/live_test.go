package page_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/gateway/message"
	"infusiond/gateway/page"
	"infusiond/gateway/page/pagetest"
)

// events reads a stream of server-sent events.
type events struct{ scanner *bufio.Scanner }

type event struct {
	name string
	data map[string]any
}

func follow(t *testing.T, url string) *events {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("%s, %s", response.Status, got)
	}
	scanner := bufio.NewScanner(response.Body)
	scanner.Buffer(nil, 1<<20)
	return &events{scanner: scanner}
}

// next returns the next event that is no heartbeat, unless the stream begins with one.
func (e *events) next(t *testing.T) event {
	t.Helper()
	var got event
	for e.scanner.Scan() {
		line := e.scanner.Text()
		name, isName := strings.CutPrefix(line, "event: ")
		data, isData := strings.CutPrefix(line, "data: ")
		switch {
		case isName:
			got.name = name
		case isData:
			if err := json.Unmarshal([]byte(data), &got.data); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
		case line != "":
			t.Fatalf("line %q is none of the stream", line)
		case got.name == "beat":
			got = event{}
		default:
			return got
		}
	}
	t.Fatalf("the stream ended: %v", e.scanner.Err())
	return got
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLiveSnapshotThenChanges(t *testing.T) {
	g := pagetest.New("home-1", false)
	at := time.Date(2026, 3, 1, 14, 2, 0, 0, time.UTC)
	must(t, g.PutHealth(at, nil), g.PutState(at, "milrinone", nil), g.PutAlerts(at, "milrinone"))
	must(t, g.PutState(at, "not-configured", nil)) // no pump of the page
	must(t, g.Set.Put(g.Topics.Status(), func(uint64) ([]byte, error) { return []byte(`{"status":"online"}`), nil }))
	o := options(g)
	o.Now = func() time.Time { return at.Add(3 * time.Second) }
	stream := follow(t, start(t, o))

	first := stream.next(t)
	if first.name != "snapshot" {
		t.Fatalf("first event %q", first.name)
	}
	for key, want := range map[string]any{
		"gateway": "home-1", "simulated": false, "version": "test", "history": true,
		"notice": message.Notice, "server_ts": "2026-03-01T14:02:03.000Z", "uptime_ms": 0.0,
	} {
		if diff := cmp.Diff(want, first.data[key]); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	if got := len(first.data["pumps"].([]any)); got != 2 {
		t.Errorf("%d pumps", got)
	}
	kinds := []string{}
	for _, m := range first.data["messages"].([]any) {
		kinds = append(kinds, m.(map[string]any)["kind"].(string))
	}
	if diff := cmp.Diff([]string{"health", "state", "alerts"}, kinds); diff != "" {
		t.Errorf("messages: %s", diff)
	}

	must(t, g.PutState(at.Add(5*time.Second), "milrinone", pagetest.Tenfold))
	change := stream.next(t)
	retained, ok := g.Set.Get(g.Topics.State("milrinone"))
	if !ok {
		t.Fatal("no retained state")
	}
	var want any
	must(t, json.Unmarshal(retained.Payload, &want))
	if diff := cmp.Diff(map[string]any{"kind": "state", "pump": "milrinone", "payload": want}, change.data); change.name != "message" || diff != "" {
		t.Errorf("%s is not the retained message: %s", change.name, diff)
	}

	for name, spoil := range map[string]func(){
		"cleared": func() { g.Set.Clear(g.Topics.State("milrinone")) },
		"not JSON": func() {
			must(t, g.Set.Put(g.Topics.State("milrinone"), func(uint64) ([]byte, error) { return []byte("{"), nil }))
		},
		"no object": func() {
			must(t, g.Set.Put(g.Topics.State("milrinone"), func(uint64) ([]byte, error) { return nil, nil }))
		},
	} {
		spoil()
		if diff := cmp.Diff(map[string]any{"kind": "state", "pump": "milrinone"}, stream.next(t).data); diff != "" {
			t.Errorf("%s: want no payload: %s", name, diff)
		}
	}
}

func TestLiveClientsAreBounded(t *testing.T) {
	g := pagetest.New("home-1", false)
	url := start(t, options(g))
	var open []*events
	for range page.MaxClients {
		open = append(open, follow(t, url))
	}
	for _, stream := range open {
		stream.next(t)
	}
	response, body := request(t, http.MethodGet, url+"/api/live", "")
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "Too many pages") || response.Header.Get("Retry-After") == "" {
		t.Errorf("one more got %s: %s", response.Status, body)
	}
	if response, _ := request(t, http.MethodGet, url+"/api/time", ""); response.StatusCode != http.StatusOK {
		t.Errorf("the time got %s", response.Status)
	}
}
