package whole

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
	"infusiond/gateway/proof/parts"
)

// live follows the home page's own stream until ok accepts a message of the kind (health, state,
// alerts), and returns it. It is the way to look inside while the broker is away.
func live[T any](d *daemon, what, kind, pump string, ok func(T) bool) T {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), parts.Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.page+"/api/live", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatalf("open the page's stream: %v", err)
	}
	defer func() { _ = response.Body.Close() }() // a read stream
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	last := ""
	for lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data: ")
		if !isData {
			continue
		}
		for _, u := range updates(d.t, data) {
			if u.Kind != kind || u.Pump != pump {
				continue
			}
			if err := schema.Validate(kind, u.Payload); err != nil {
				d.t.Errorf("the page got a message that breaks the contract: %v\n%s", err, u.Payload)
			}
			last = string(u.Payload)
			if v := decode[T](d.t, last); ok(v) {
				return v
			}
		}
	}
	d.t.Fatalf("the page never showed %s (%v); its last %s message:\n%s", what, lines.Err(), kind, last)
	var none T
	return none
}

// update is one retained message on the page's stream.
type update struct {
	Kind    string          `json:"kind"`
	Pump    string          `json:"pump"`
	Payload json.RawMessage `json:"payload"`
}

// updates takes the messages out of a snapshot or a single message; a heartbeat has none.
func updates(t *testing.T, data string) []update {
	t.Helper()
	event := decode[struct {
		update
		Messages []update `json:"messages"`
	}](t, data)
	return append(event.Messages, event.update)
}

// has says whether a condition whose code begins with the text is open.
func has(h message.Health, code string) bool {
	return slices.ContainsFunc(h.Conditions, func(c message.Condition) bool { return strings.HasPrefix(c.Code, code) })
}
