package gateway

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/relay"
)

// nobody is said until a monitoring centre confirms its presence, which no version can do yet. A
// broker's acknowledgement is not a person.
const (
	nobodyHere    = "Nobody is confirmed to be watching: no outside broker is connected. Watch the pump yourself."
	nobodyOutside = "Nobody is confirmed to be watching. Watch the pump yourself."
)

// health is the gateway's own condition at a time.
func (g *Gateway) health(now infusion.Instant) message.Health {
	g.mu.Lock()
	mqtt := g.mqtt
	g.mu.Unlock()
	c := g.options.Config
	h := message.Health{
		ValidUntil: message.TimeOf(now.UTC.Add(healthValidFor)),
		Version:    g.sender.version,
		Started:    g.sender.started,
		Broker:     message.Broker{Kind: "outside", URL: c.MQTT.URL, Connected: mqtt.connected != nil && mqtt.connected()},
		Sinks:      g.sinkStates(now),
		Links:      []message.PumpLink{},
		Conditions: g.tracker.Open(),
		Notice:     message.Notice,
		Watching:   message.Watching{Text: nobodyOutside},
	}
	if c.Embedded() {
		h.Broker.Kind, h.Broker.URL = "embedded", mqtt.url
	}
	if c.Embedded() || !h.Broker.Connected {
		h.Watching.Text = nobodyHere
	}
	for _, ch := range g.channels {
		l := message.PumpLink{Pump: ch.Pump.Name, Link: linkOf(ch.lastLink())}
		for _, w := range g.watches {
			w.fill(&l)
		}
		h.Links = append(h.Links, l)
	}
	status := g.spool.Status()
	h.Spool = message.Spool{Durable: status.Durable, Records: status.Records, Bytes: status.Bytes, Reason: status.Reason}
	return h
}

// running are the relays at work.
func (g *Gateway) running() []*relay.Relay {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*relay.Relay(nil), g.relays...)
}

// sinks are the states of the running relays.
func (g *Gateway) sinks() []relay.Status {
	relays := g.running()
	out := make([]relay.Status, len(relays))
	for i, r := range relays {
		out[i] = r.Status()
	}
	return out
}

func (g *Gateway) sinkStates(now infusion.Instant) []message.Sink {
	out := []message.Sink{}
	seen := map[string]bool{}
	for _, s := range g.sinks() {
		seen[s.Name] = true
		m := message.Sink{
			Name: s.Name, State: s.State, Since: message.TimeOf(s.Since), Reason: s.Reason, Undelivered: s.Undelivered,
			Delivered: s.Delivered, Retried: s.Retried, Rejected: s.Rejected,
		}
		if s.Undelivered > 0 && !s.Oldest.IsZero() {
			age := max(now.UTC.Sub(s.Oldest), 0)
			m.OldestUndelivered = message.DecimalOf(strconv.FormatInt(int64(age/time.Second), 10))
		}
		out = append(out, m)
	}
	c := g.options.Config
	wanted := map[string]bool{"mqtt": !c.Embedded() || c.MQTT.Listen != "", "influxdb": c.Influx.URL != ""}
	for _, name := range []string{"mqtt", "influxdb"} {
		if seen[name] {
			continue
		}
		m := message.Sink{Name: name, State: "disabled"}
		if wanted[name] {
			m.State, m.Reason = "waiting", "not started yet"
		}
		out = append(out, m)
	}
	return out
}

func (g *Gateway) putHealth(now infusion.Instant) error {
	h := g.health(now)
	return g.set.Put(g.sender.topics.Health(), func(topicSeq uint64) ([]byte, error) {
		h.Envelope = g.sender.retained(message.SchemaHealth, "", g.spool.Epoch(), topicSeq, now, "", h.Spool.Durable)
		return encode(h)
	})
}

// fingerprint changes when something that a person should see at once changes: conditions, links,
// sink states, connection. Counts and ages are not in it.
func (g *Gateway) fingerprint() string {
	h := g.health(infusion.Instant{})
	h.ValidUntil, h.Spool.Records, h.Spool.Bytes = message.Time{}, 0, 0
	for i, l := range h.Links {
		h.Links[i] = message.PumpLink{Pump: l.Pump, Link: l.Link}
	}
	type state struct{ Name, State, Reason string }
	var sinks []state
	for _, s := range h.Sinks {
		sinks = append(sinks, state{s.Name, s.State, s.Reason})
	}
	text, err := json.Marshal([]any{h.Conditions, h.Links, h.Broker, h.Spool, sinks})
	if err != nil {
		g.options.Log.Error("health cannot be compared", slog.Any("error", err))
	}
	return string(text)
}

// statusMessages builds birth, goodbye and will of the status topic.
type statusMessages struct {
	connection atomic.Uint64
	topicSeq   atomic.Uint64
}

func (g *Gateway) statusMessage(word string, topicSeq uint64) []byte {
	now := g.options.Clock()
	s := message.Status{
		Envelope: g.sender.retained(message.SchemaStatus, "", g.spool.Epoch(), topicSeq, now, "", g.spool.Status().Durable),
		Status:   word, SessionStarted: g.sender.started, Connection: g.status.connection.Load(), Version: g.sender.version, Notice: message.Notice,
	}
	payload, err := encode(s)
	if err != nil {
		g.options.Log.Error("status message cannot be encoded", slog.Any("error", err))
	}
	return payload
}

// will is asked before a connection begins: it opens the next connection's number.
func (g *Gateway) will() []byte {
	g.status.connection.Add(1)
	return g.statusMessage(message.Offline, g.status.topicSeq.Load()+2) // after this connection's birth
}

func (g *Gateway) birth() []byte { return g.statusMessage(message.Online, g.status.topicSeq.Add(1)) }

func (g *Gateway) goodbye() []byte { return g.statusMessage(message.Offline, g.status.topicSeq.Add(1)) }
