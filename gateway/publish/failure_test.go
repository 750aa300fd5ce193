package publish

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"infusiond/gateway/proof/parts"
	"infusiond/gateway/relay"
	"infusiond/gateway/retain"
)

// Covers GW-54.
func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		tls       *tls.Config
		insecure  bool
		want      error // nil: accepted
		says      string
	}{
		{name: "plain to loopback", url: "tcp://127.0.0.1:1883"},
		{name: "plain to localhost", url: "mqtt://localhost"},
		{name: "plain to IPv6 loopback", url: "tcp://[::1]:1883"},
		{name: "TLS to anywhere", url: "tls://broker.example"},
		{name: "plain to another machine", url: "tcp://192.168.1.5:1883", want: ErrPlain},
		{name: "plain to a name", url: "tcp://broker.example:1883", want: ErrPlain},
		{name: "plain to another machine, said in words", url: "tcp://192.168.1.5:1883", insecure: true},
		{name: "unverified", url: "tls://broker.example", tls: &tls.Config{InsecureSkipVerify: true}, want: ErrUnverified},
		{name: "unverified, said in words", url: "tls://broker.example", tls: &tls.Config{InsecureSkipVerify: true}, insecure: true},
		{name: "password in the URL", url: "tls://user:secret@broker.example", says: "must not carry"},
		{name: "unknown scheme", url: "http://127.0.0.1", says: "scheme"},
		{name: "no host", url: "tcp://:1883", says: "host"},
		{name: "a path", url: "tcp://127.0.0.1/mqtt", says: "host"},
		{name: "not a URL", url: "tcp://%zz:secret", says: "cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(Options{URL: tt.url, TLS: tt.tls, Insecure: tt.insecure, ClientID: "c", Set: retain.New()})
			accepted := tt.want == nil && tt.says == ""
			if (err == nil) != accepted || (tt.want != nil && !errors.Is(err, tt.want)) {
				t.Fatalf("New = %v, want %v", err, tt.want)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("New = %v, want %q in it and no secret", err, tt.says)
			}
		})
	}
}

// Covers GW-51.
func TestConditions(t *testing.T) {
	silent := func(net.Conn, *packets.PublishPacket) {}
	closed := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		must(t, l.Close())
		return "tcp://" + l.Addr().String()
	}
	for _, tt := range []struct {
		name   string
		url    string
		change func(*Options)
		want   string
		refuse bool
	}{
		{name: "no such name", url: "tls://broker.invalid", want: CodeDNS},
		{name: "nothing listens", url: closed(), want: CodeRefused},
		{name: "bad password", url: newScripted(t, packets.ErrRefusedBadUsernameOrPassword, silent).url, want: CodeAuth, refuse: true},
		{name: "not authorised", url: newScripted(t, packets.ErrRefusedNotAuthorised, silent).url, want: CodeAuth, refuse: true},
		{name: "client id rejected", url: newScripted(t, packets.ErrRefusedIDRejected, silent).url, want: CodeRefused, refuse: true},
		{name: "server unavailable", url: newScripted(t, packets.ErrRefusedServerUnavailable, silent).url, want: CodeRefused},
		{name: "no TLS there", url: "tls://" + parts.Mosquitto(t, parts.MosquittoOptions{}).Addr, want: CodeTLS, refuse: true},
		{
			name: "password file missing", url: newScripted(t, packets.Accepted, silent).url, want: CodeAuth, refuse: true,
			change: func(o *Options) {
				o.Password = func() (string, error) { return "", errors.New("no such file") }
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newBench(t, tt.url, tt.change)
			p.timing.patience = time.Millisecond
			background(t, p.Run)
			r := p.waitReport(t, tt.want, true)
			if r.hint == "" {
				t.Error("no hint")
			}
			if s := p.Status(); s.Connected {
				t.Errorf("Status = %+v", s)
			}
			out, err := p.Deliver(t.Context(), records(3))
			var f *relay.Failure
			if out.Accepted != 0 || !errors.As(err, &f) || f.Code != tt.want || f.Refuse != tt.refuse || f.Hint == "" {
				t.Errorf("Deliver = %+v, %#v, want code %s, refuse %t", out, err, tt.want, tt.refuse)
			}
		})
	}
}

// Covers GW-40.
func TestBrokerThatNeverAcknowledges(t *testing.T) {
	b := newScripted(t, packets.Accepted, func(net.Conn, *packets.PublishPacket) {})
	p := newBench(t, b.url, nil)
	p.timing.noAck = 200 * time.Millisecond
	background(t, p.Run)
	out, err := p.Deliver(t.Context(), records(300))
	var f *relay.Failure
	if out.Accepted != 0 || !errors.As(err, &f) || f.Code != CodeTimeout {
		t.Errorf("Deliver = %+v, %v; want nothing accepted and %s", out, err, CodeTimeout)
	}
	p.waitReport(t, CodeTimeout, true)
	if p.Status().Connected {
		t.Error("connected, though not even the birth was acknowledged")
	}
}

// Covers GW-40.
func TestConnectionLostBeforePuback(t *testing.T) {
	var streams atomic.Int64
	b := newScripted(t, packets.Accepted, func(c net.Conn, p *packets.PublishPacket) {
		if p.Retain {
			puback(c, p)
			return
		}
		n := streams.Add(1)
		if n <= 3 {
			puback(c, p)
		}
		if n == 10 {
			c.Close()
		}
	})
	p := newBench(t, b.url, nil)
	background(t, p.Run)
	out, err := p.Deliver(t.Context(), records(10))
	var f *relay.Failure
	if out.Accepted != 3 || !errors.As(err, &f) || f.Code != CodeUnreachable {
		t.Errorf("Deliver = %+v, %v; want 3 accepted and %s", out, err, CodeUnreachable)
	}
}

// Every connection begins with the birth and the whole set, health first.
// Covers GW-45.
func TestEachConnectionBeginsWithTheTruth(t *testing.T) {
	want := []string{
		topics.Status() + " " + `{"status":"online"}`, topics.Health() + " health", topics.State("p1") + " state", topics.Alerts("p1") + " ",
	}
	var seen atomic.Int64
	b := newScripted(t, packets.Accepted, func(c net.Conn, p *packets.PublishPacket) {
		puback(c, p)
		if seen.Add(1)%int64(len(want)) == 0 {
			c.Close()
		}
	})
	p := newBench(t, b.url, nil)
	p.put(t, topics.State("p1"), "state")
	p.set.Clear(topics.Alerts("p1"))
	p.put(t, topics.Health(), "health")
	background(t, p.Run)
	for connection := range 3 {
		var got []string
		for range want {
			m := next(t, b)
			if !m.Retain || m.Qos != 1 {
				t.Errorf("%s: retain %t, QoS %d", m.TopicName, m.Retain, m.Qos)
			}
			got = append(got, m.TopicName+" "+string(m.Payload))
		}
		if !slices.Equal(got, want) {
			t.Errorf("connection %d: %q, want %q", connection, got, want)
		}
	}
}

// A later acknowledgement does not move the cursor over an earlier record without one.
// Covers GW-40.
func TestAcknowledgedOutOfOrder(t *testing.T) {
	var streams atomic.Int64
	b := newScripted(t, packets.Accepted, func(c net.Conn, p *packets.PublishPacket) {
		n := streams.Load()
		if !p.Retain {
			n = streams.Add(1)
		}
		if n != 2 {
			puback(c, p)
		}
		if n == 10 {
			c.Close()
		}
	})
	p := newBench(t, b.url, nil)
	background(t, p.Run)
	out, err := p.Deliver(t.Context(), records(10))
	if out.Accepted != 1 || err == nil {
		t.Errorf("Deliver = %+v, %v; want 1 accepted and an error", out, err)
	}
}

// With the whole window full of records that nobody acknowledges, a change of the current
// truth still goes out at once.
// Covers GW-45.
func TestTruthDoesNotWaitBehindBacklog(t *testing.T) {
	b := newScripted(t, packets.Accepted, func(c net.Conn, p *packets.PublishPacket) {
		if p.Retain {
			puback(c, p)
		}
	})
	p := newBench(t, b.url, nil)
	p.timing.goodbye = 50 * time.Millisecond // which nobody acknowledges
	for _, pump := range []string{"p1", "p2", "p3"} {
		p.put(t, topics.State(pump), "first")
	}
	background(t, p.Run)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		out, err := p.Deliver(ctx, records(1000))
		if out.Accepted != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("Deliver = %+v, %v", out, err)
		}
	}()
	var order []string
	for range 1 + 3 + streamWindow {
		order = append(order, next(t, b).TopicName)
	}
	want := append([]string{topics.Status(), topics.State("p1"), topics.State("p2"), topics.State("p3")},
		slices.Repeat([]string{topics.Observation("p1")}, streamWindow)...)
	if !slices.Equal(order, want) {
		t.Errorf("order = %q", order)
	}
	p.put(t, topics.State("p2"), "changed")
	if m := next(t, b); m.TopicName != topics.State("p2") || string(m.Payload) != "changed" || !m.Retain || m.Qos != 1 {
		t.Errorf("after the change came %v %q", m, m.Payload)
	}
	cancel()
	<-ended
}

// An end in the face of a silent broker is bounded.
// Covers GW-51.
func TestEndWithoutAcknowledgement(t *testing.T) {
	b := newScripted(t, packets.Accepted, func(net.Conn, *packets.PublishPacket) {})
	p := newBench(t, b.url, nil)
	p.timing.goodbye = 50 * time.Millisecond
	stop := background(t, p.Run)
	next(t, b)
	stop() // fails by the test's deadline when it never returns
	out, err := p.Deliver(t.Context(), nil)
	if out.Accepted != 0 || err != nil {
		t.Errorf("Deliver of nothing = %+v, %v", out, err)
	}
}

// Covers GW-28.
func TestMarkLate(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"object", `{"a":1}`, `{"a":1,"late":true}`},
		{"nested end", `{"a":{"b":1}}`, `{"a":{"b":1},"late":true}`},
		{"space and newline behind", "{\"a\":1 }\n", `{"a":1 ,"late":true}`},
		{"empty object", `{}`, `{"late":true}`},
		{"empty object with space", `{ }`, `{ "late":true}`},
		{"no object", `x`, `x`},
		{"nothing", ``, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.in)
			if got := string(markLate(in)); got != tt.want {
				t.Errorf("markLate(%s) = %s, want %s", tt.in, got, tt.want)
			}
			if string(in) != tt.in {
				t.Errorf("the record itself was changed to %s", in)
			}
		})
	}
}

// Covers GW-51.
func TestBackoffIsBoundedAndRandom(t *testing.T) {
	p := newBench(t, "tcp://127.0.0.1", nil)
	p.timing = defaultTiming()
	seen := map[time.Duration]bool{}
	for range 100 {
		d := p.backoff()
		if d <= 0 || d > 30*time.Second+time.Millisecond {
			t.Fatalf("backoff %v after %d tries", d, p.tries)
		}
		seen[d] = true
	}
	if len(seen) < 90 {
		t.Errorf("%d different waits of 100", len(seen))
	}
	p.settled()
	if d := p.backoff(); d > time.Second+time.Millisecond {
		t.Errorf("first wait after a stable connection is %v", d)
	}
}

func next(t *testing.T, b *scripted) *packets.PublishPacket {
	t.Helper()
	select {
	case m := <-b.published:
		return m
	case <-time.After(parts.Patience):
		t.Fatal("nothing is published")
		return nil
	}
}
