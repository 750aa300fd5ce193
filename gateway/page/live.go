package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/retain"
)

// topic says what a retained topic holds.
type topic struct {
	kind string // health | state | alerts
	pump string
}

// forwarded lists the retained topics that the page shows.
func forwarded(t message.Topics, pumps []Pump) map[string]topic {
	topics := map[string]topic{t.Health(): {kind: "health"}}
	for _, p := range pumps {
		topics[t.State(p.Name)] = topic{kind: "state", pump: p.Name}
		topics[t.Alerts(p.Name)] = topic{kind: "alerts", pump: p.Name}
	}
	return topics
}

// beat is the heartbeat. The browser takes the server's time from it, and takes it for a
// sign of life only while UptimeMS grows.
type beat struct {
	ServerTS message.Time `json:"server_ts"`
	UptimeMS int64        `json:"uptime_ms"` // monotonic, since the page began
}

// snapshot is the first event of a connection.
type snapshot struct {
	beat
	Gateway   string     `json:"gateway"`
	Simulated bool       `json:"simulated"`
	Version   string     `json:"version"`
	Notice    string     `json:"notice"`
	History   bool       `json:"history"` // there is one to ask for
	Pumps     []pumpName `json:"pumps"`
	Messages  []update   `json:"messages"`
}

type pumpName struct {
	Name  string        `json:"name"`
	Label message.Label `json:"label"`
}

// update is one retained message as it stands in the contract.
type update struct {
	Kind    string          `json:"kind"`
	Pump    string          `json:"pump,omitzero"`
	Payload json.RawMessage `json:"payload,omitzero"` // absent: cleared or not readable, which is unknown
}

func (p *Page) heartbeat() beat {
	now := p.options.Now()
	return beat{ServerTS: message.TimeOf(now), UptimeMS: now.Sub(p.started).Milliseconds()}
}

// live sends everything once, then every change and a heartbeat, until the client goes, is too
// slow, or the page ends.
func (p *Page) live(w http.ResponseWriter, r *http.Request) {
	select {
	case p.clients <- struct{}{}:
		defer func() { <-p.clients }()
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "Too many pages are open. Close some of them.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	if err := p.follow(r.Context(), w); err != nil {
		p.options.Log.Debug("live client ended", "error", err)
	}
}

// follow returns nil when ctx ends and an error when the client could not be written to.
func (p *Page) follow(ctx context.Context, w http.ResponseWriter) error {
	ticker := time.NewTicker(p.beat)
	defer ticker.Stop()
	messages, version := p.options.Set.Since(0)
	if err := sendEvent(w, "snapshot", p.snapshot(messages)); err != nil {
		return err
	}
	for {
		changed := p.options.Set.Changed()
		messages, version = p.options.Set.Since(version)
		for _, u := range p.updates(messages) {
			if err := sendEvent(w, "message", u); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-ticker.C:
			if err := sendEvent(w, "beat", p.heartbeat()); err != nil {
				return err
			}
		}
	}
}

func (p *Page) snapshot(messages []retain.Message) snapshot {
	s := snapshot{
		beat:      p.heartbeat(),
		Gateway:   p.options.Gateway,
		Simulated: p.options.Simulated,
		Version:   p.options.Version,
		Notice:    message.Notice,
		History:   p.options.History != nil,
		Pumps:     []pumpName{},
		Messages:  p.updates(messages),
	}
	for _, pump := range p.options.Pumps {
		s.Pumps = append(s.Pumps, pumpName(pump))
	}
	return s
}

// updates keeps what the page shows. A payload that is no JSON becomes absent, never the message before it.
func (p *Page) updates(messages []retain.Message) []update {
	out := []update{}
	for _, m := range messages {
		t, ok := p.topics[m.Topic]
		if !ok {
			continue
		}
		u := update{Kind: t.kind, Pump: t.pump}
		if json.Valid(m.Payload) {
			u.Payload = m.Payload
		}
		out = append(out, u)
	}
	return out
}

// sendEvent writes one server-sent event and pushes it out. json.Marshal leaves no line break.
func sendEvent(w http.ResponseWriter, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s event: %w", name, err)
	}
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set write deadline: %w", err)
	}
	if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data); err != nil {
		return fmt.Errorf("write %s event: %w", name, err)
	}
	if err := control.Flush(); err != nil {
		return fmt.Errorf("flush %s event: %w", name, err)
	}
	return nil
}
