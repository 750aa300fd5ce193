package publish

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"

	"infusiond/gateway/proof/parts"
	"infusiond/gateway/spool"
)

// Covers GW-44.
func TestBirthAndRetainedSetOnEveryConnection(t *testing.T) {
	eachBroker(t, true, func(t *testing.T, b target) {
		p := newBench(t, b.url, nil)
		p.put(t, topics.State("p1"), "state p1")
		p.put(t, topics.Alerts("p1"), "alerts p1")
		p.put(t, topics.State("p2"), "state p2")
		p.put(t, topics.Health(), "health")
		p.put(t, topics.Status(), "not the set's business")
		c := parts.Collect(t, parts.Subscription{URL: b.url, Filter: topics.Root() + "#"})
		background(t, p.Run)
		want := []string{`{"status":"online"}`, "health", "state p1", "alerts p1", "state p2"}
		got := c.Wait("the retained set", func(m []parts.Message) bool { return len(m) >= len(want) })
		if diff := cmp.Diff(want, payloads(got)); diff != "" {
			t.Errorf("first connection (-want +got):\n%s", diff)
		}

		p.set.Clear(topics.State("p2"))
		c.Wait("the cleared topic", func(m []parts.Message) bool { return len(m) > len(want) })
		b.stop(t) // and everything retained is forgotten
		p.waitReport(t, CodeUnreachable, true)
		b.start(t)
		p.waitReport(t, CodeUnreachable, false)
		for topic, text := range map[string]string{
			topics.Alerts("p1"): "alerts p1", topics.State("p1"): "state p1", topics.Status(): "online", topics.Health(): "health",
		} {
			parts.Retained(t, parts.Subscription{URL: b.url}, topic, text)
		}
		late := parts.Collect(t, parts.Subscription{URL: b.url, Filter: topics.Root() + "#"})
		p.put(t, topics.Health(), "marker")
		late.WaitFor(topics.Health(), "marker")
		for _, m := range late.Messages() {
			if m.Topic == topics.State("p2") && m.Payload != "" {
				t.Errorf("a cleared topic came back: %+v", m)
			}
		}
	})
}

// Covers GW-45.
func TestReassertedWhileConnected(t *testing.T) {
	eachBroker(t, true, func(t *testing.T, b target) {
		p := newBench(t, b.url, nil)
		p.timing.reassert = 20 * time.Millisecond
		p.put(t, topics.State("p1"), "state p1")
		c := parts.Collect(t, parts.Subscription{URL: b.url, Filter: topics.Root() + "#"})
		background(t, p.Run)
		c.Wait("three assertions of birth and state", func(m []parts.Message) bool {
			return count(m, topics.Status()) >= 3 && count(m, topics.State("p1")) >= 3
		})
	})
}

// Covers GW-44.
func TestWillWhenTheConnectionBreaks(t *testing.T) {
	eachBroker(t, true, func(t *testing.T, b target) {
		p := newBench(t, b.url, nil)
		c := parts.Collect(t, parts.Subscription{URL: b.url, Filter: topics.Root() + "#"})
		_, socket, err := p.connect(t.Context(), make(chan error, 1))
		must(t, err)
		must(t, socket.Close())
		c.WaitFor(topics.Status(), `"why":"will"`)
		parts.Retained(t, parts.Subscription{URL: b.url}, topics.Status(), `"why":"will"`)
	})
}

// Covers GW-44.
func TestGoodbyeAtTheEnd(t *testing.T) {
	eachBroker(t, true, func(t *testing.T, b target) {
		p := newBench(t, b.url, nil)
		c := parts.Collect(t, parts.Subscription{URL: b.url, Filter: topics.Root() + "#"})
		stop := background(t, p.Run)
		c.WaitFor(topics.Status(), "online")
		p.put(t, topics.State("p1"), "last change")
		stop()
		c.WaitFor(topics.Status(), `"why":"goodbye"`)
		c.WaitFor(topics.State("p1"), "last change")
		parts.Retained(t, parts.Subscription{URL: b.url}, topics.Status(), `"why":"goodbye"`)
		if p.Status().Connected {
			t.Error("still connected after Run")
		}
	})
}

// Covers GW-50.
func TestNothingLostOverARestart(t *testing.T) {
	eachBroker(t, false, func(t *testing.T, b target) {
		const n = 5000
		all := records(n)
		c := parts.Collect(t, parts.Subscription{URL: b.url, Filter: topics.Observation("p1"), ClientID: "centre"})
		p := newBench(t, b.url, nil)
		background(t, p.Run)
		stopping, started, delivered := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(delivered)
			deliverAll(t, p.Publisher, all[:n/5])
			<-stopping
			deliverAll(t, p.Publisher, all[n/5:n-n/5]) // into the broker's end
			<-started
			deliverAll(t, p.Publisher, all[n-n/5:])
		}()
		c.Wait("a part of the records", func(m []parts.Message) bool { return len(m) > n/10 })
		close(stopping)
		b.stop(t)
		p.waitReport(t, CodeUnreachable, true)
		b.start(t)
		close(started)
		<-delivered
		messages := c.Wait("the last record", func(m []parts.Message) bool {
			return len(m) >= n && seqOf(t, m[len(m)-1]) == n
		})
		checkFirstOccurrences(t, messages, n)
		t.Logf("%d messages for %d records", len(messages), n)
	})
}

// checkFirstOccurrences: each record is there, for the first time in order, and repeats
// are the same but for the mark of lateness.
func checkFirstOccurrences(t *testing.T, messages []parts.Message, n uint64) {
	t.Helper()
	content := map[uint64]string{}
	next := uint64(1)
	for _, m := range messages {
		seq := seqOf(t, m)
		plain := strings.ReplaceAll(m.Payload, `,"late":true`, "")
		if before, repeat := content[seq]; repeat {
			if before != plain {
				t.Errorf("seq %d has two contents: %s and %s", seq, before, plain)
			}
			continue
		}
		content[seq] = plain
		if seq != next {
			t.Errorf("seq %d came where %d was due", seq, next)
		}
		next = seq + 1
	}
	if uint64(len(content)) != n {
		t.Errorf("%d records of %d arrived", len(content), n)
	}
}

// Covers GW-28.
func TestLateRecords(t *testing.T) {
	b := parts.Mosquitto(t, parts.MosquittoOptions{})
	c := parts.Collect(t, parts.Subscription{URL: b.URL, Filter: topics.Root() + "#"})
	p := newBench(t, b.URL, nil)
	background(t, p.Run)
	c.WaitFor(topics.Status(), "online")
	batch := records(4)
	batch[0].At = time.Now().Add(-time.Hour)
	batch[1].Kind = spool.Alert
	batch[2].Kind = spool.Event
	batch[3].Kind, batch[3].Stream = spool.Event, ""
	out, err := p.Deliver(t.Context(), batch)
	must(t, err)
	if out.Accepted != len(batch) || len(out.Rejected) != 0 {
		t.Errorf("Deliver = %+v", out)
	}
	c.WaitFor(topics.GatewayEvent(), `"seq":4`)
	want := []parts.Message{
		{Topic: topics.Observation("p1"), Payload: `{"epoch":"e1","pump":"p1","seq":1,"late":true}`},
		{Topic: topics.Alert("p1"), Payload: `{"epoch":"e1","pump":"p1","seq":2}`},
		{Topic: topics.Event("p1"), Payload: `{"epoch":"e1","pump":"p1","seq":3}`},
		{Topic: topics.GatewayEvent(), Payload: `{"epoch":"e1","pump":"p1","seq":4}`},
	}
	if diff := cmp.Diff(want, c.Messages()[1:]); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// Covers GW-53.
func TestTLSWithClientCertificates(t *testing.T) {
	pki, other := parts.NewPKI(t), parts.NewPKI(t)
	b := parts.Mosquitto(t, parts.MosquittoOptions{TLS: pki, ACL: fmt.Sprintf("user g1\ntopic readwrite %s#\n", topics.Root())})
	t.Run("right certificate", func(t *testing.T) {
		p := newBench(t, b.URL, func(o *Options) { o.TLS = pki.Client(t, "g1") })
		c := parts.Collect(t, parts.Subscription{URL: b.URL, Filter: topics.Root() + "#", TLS: pki.Client(t, "g1")})
		background(t, p.Run)
		c.WaitFor(topics.Status(), "online")
		deliverAll(t, p.Publisher, records(200))
		c.WaitFor(topics.Observation("p1"), `"seq":200`)
	})
	for _, tt := range []struct {
		name   string
		change func(*Options)
	}{
		{"no certificate", func(o *Options) { o.TLS = pki.Client(t, "") }},
		{"certificate of a stranger", func(o *Options) {
			o.TLS = other.Client(t, "g1")
			o.TLS.RootCAs = pki.Client(t, "").RootCAs
		}},
		{"unknown authority", func(o *Options) { o.TLS = other.Client(t, "g1") }},
		{"another host name", func(o *Options) {
			o.TLS = pki.Client(t, "g1")
			o.TLS.ServerName = "broker.example"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newBench(t, b.URL, tt.change)
			background(t, p.Run)
			if r := p.waitReport(t, CodeTLS, true); r.hint == "" || r.subject != "mqtt" {
				t.Errorf("report = %+v", r)
			}
			if p.Status().Connected {
				t.Error("connected")
			}
		})
	}
}

// Covers GW-52.
func TestDuplicateClientID(t *testing.T) {
	eachBroker(t, true, func(t *testing.T, b target) {
		p := newBench(t, b.url, nil)
		p.timing.stable, p.timing.soon = 4*time.Second, parts.Patience
		background(t, p.Run)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		rival := make(chan struct{})
		go func() {
			defer close(rival)
			for ctx.Err() == nil { // connects again whenever it is thrown out
				lost := make(chan struct{})
				c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(b.url).SetClientID("infusiond-g1").SetProtocolVersion(4).
					SetAutoReconnect(false).SetConnectionLostHandler(func(mqtt.Client, error) { close(lost) }))
				if token := c.Connect(); token.Wait() && token.Error() != nil {
					continue
				}
				select {
				case <-lost:
				case <-ctx.Done():
				}
				c.Disconnect(0)
			}
		}()
		r := p.waitReport(t, CodeDuplicate, true)
		if !strings.Contains(r.detail, "suspected duplicate client id") || !strings.Contains(r.detail, "infusiond-g1") {
			t.Errorf("detail = %q", r.detail)
		}
		cancel()
		<-rival
		p.waitReport(t, CodeDuplicate, false)
	})
}

func payloads(messages []parts.Message) []string {
	var out []string
	for _, m := range messages {
		out = append(out, m.Payload)
	}
	return out
}

func count(messages []parts.Message, topic string) int {
	n := 0
	for _, m := range messages {
		if m.Topic == topic {
			n++
		}
	}
	return n
}
