package parts

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Message is what a subscriber was sent.
type Message struct {
	Topic    string
	Payload  string
	Retained bool // it stood at the broker before the subscription
}

// Subscription says what to collect.
type Subscription struct {
	URL    string
	Filter string
	TLS    *tls.Config
	// ClientID makes the session durable: the broker keeps messages while the
	// subscriber is away. Empty is a session that ends with its connection.
	ClientID string
}

// Collector is a subscriber that remembers everything. It connects again by itself.
type Collector struct {
	t      TB
	client mqtt.Client

	mu       sync.Mutex
	messages []Message
	arrived  chan struct{} // closed and replaced at each message
}

// Collect subscribes with QoS 1 and returns once the broker has confirmed it.
func Collect(t TB, s Subscription) *Collector {
	t.Helper()
	c := &Collector{t: t, arrived: make(chan struct{})}
	subscribed := make(chan error, 100)
	id := s.ClientID
	if id == "" {
		id = fmt.Sprintf("collector-%d", FreePort(t))
	}
	o := mqtt.NewClientOptions().AddBroker(s.URL).SetClientID(id).SetProtocolVersion(4).
		SetCleanSession(s.ClientID == "").SetAutoReconnect(true).SetTLSConfig(s.TLS).
		SetMaxReconnectInterval(200 * time.Millisecond).SetConnectTimeout(10 * time.Second).
		SetDefaultPublishHandler(c.add)
	o.SetOnConnectHandler(func(client mqtt.Client) {
		token := client.Subscribe(s.Filter, 1, nil) // nil: the default handler
		<-token.Done()
		select {
		case subscribed <- token.Error():
		default: // only the first subscription is waited for
		}
	})
	c.client = mqtt.NewClient(o)
	t.Cleanup(func() { c.client.Disconnect(250) })
	connect := c.client.Connect()
	limit := time.NewTimer(Patience)
	defer limit.Stop()
	<-connect.Done()
	if err := connect.Error(); err != nil {
		t.Fatalf("collect from %s: %v", s.URL, err)
	}
	select {
	case err := <-subscribed:
		if err != nil {
			t.Fatalf("subscribe to %s: %v", s.Filter, err)
		}
	case <-limit.C:
		t.Fatalf("no SUBACK for %s", s.Filter)
	}
	return c
}

func (c *Collector) add(_ mqtt.Client, m mqtt.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = append(c.messages, Message{Topic: m.Topic(), Payload: string(m.Payload()), Retained: m.Retained()})
	close(c.arrived)
	c.arrived = make(chan struct{})
}

// Messages are all messages so far, in the order of arrival.
func (c *Collector) Messages() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.messages)
}

// Wait returns the messages as soon as enough says yes; otherwise the test fails with
// what was waited for.
func (c *Collector) Wait(what string, enough func([]Message) bool) []Message {
	c.t.Helper()
	limit := time.NewTimer(Patience)
	defer limit.Stop()
	for {
		c.mu.Lock()
		messages, arrived := slices.Clip(c.messages), c.arrived
		c.mu.Unlock()
		if enough(messages) {
			return messages
		}
		select {
		case <-arrived:
		case <-limit.C:
			c.t.Fatalf("waited for %s; got %d messages, the last:\n%s", what, len(messages), tail(messages))
		}
	}
}

// WaitFor waits for a message on a topic whose payload contains the text.
func (c *Collector) WaitFor(topic, text string) Message {
	c.t.Helper()
	var found Message
	c.Wait(fmt.Sprintf("%q on %s", text, topic), func(messages []Message) bool {
		for _, m := range messages {
			if m.Topic == topic && strings.Contains(m.Payload, text) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// Close ends the subscription's connection. The messages stay.
func (c *Collector) Close() { c.client.Disconnect(100) }

// Retained subscribes anew until the broker hands out a retained message of the topic
// with the text in it. Once is not enough: nats-server acknowledges a retained message a moment
// before a new subscriber gets it.
func Retained(t TB, s Subscription, topic, text string) Message {
	t.Helper()
	s.Filter = topic
	for began := time.Now(); time.Since(began) < Patience; {
		c := Collect(t, s)
		m, ok := c.first(500 * time.Millisecond)
		c.Close()
		if ok && strings.Contains(m.Payload, text) {
			return m
		}
	}
	t.Fatalf("no retained message with %q on %s", text, topic)
	return Message{}
}

// first is the first message, if one comes in time.
func (c *Collector) first(within time.Duration) (Message, bool) {
	limit := time.NewTimer(within)
	defer limit.Stop()
	c.mu.Lock()
	arrived := c.arrived
	if len(c.messages) > 0 {
		defer c.mu.Unlock()
		return c.messages[0], true
	}
	c.mu.Unlock()
	select {
	case <-arrived:
	case <-limit.C:
		return Message{}, false
	}
	return c.Messages()[0], true
}

func tail(messages []Message) string {
	var b strings.Builder
	for _, m := range messages[max(0, len(messages)-20):] {
		fmt.Fprintf(&b, "  %s retained=%t %.200s\n", m.Topic, m.Retained, m.Payload)
	}
	return b.String()
}
