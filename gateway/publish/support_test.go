package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"infusiond/gateway/broker"
	"infusiond/gateway/message"
	"infusiond/gateway/proof/parts"
	"infusiond/gateway/retain"
	"infusiond/gateway/spool"
)

// target is a broker under test that can be stopped and started on its address.
type target struct {
	url         string
	stop, start func(t *testing.T)
}

// eachBroker runs a test on the reference broker and on the embedded one. A volatile broker
// forgets everything when it is restarted.
func eachBroker(t *testing.T, volatile bool, test func(*testing.T, target)) {
	t.Helper()
	t.Run("mosquitto", func(t *testing.T) {
		b := parts.Mosquitto(t, parts.MosquittoOptions{Volatile: volatile})
		test(t, target{
			url:   b.URL,
			stop:  func(t *testing.T) { t.Helper(); must(t, b.Stop()) },
			start: func(t *testing.T) { t.Helper(); must(t, b.Start()) },
		})
	})
	t.Run("embedded", func(t *testing.T) {
		addr := fmt.Sprintf("127.0.0.1:%d", parts.FreePort(t))
		dir := t.TempDir()
		stop := runEmbedded(t, addr, dir)
		test(t, target{
			url:  "tcp://" + addr,
			stop: func(*testing.T) { stop() },
			start: func(t *testing.T) {
				t.Helper()
				if volatile {
					dir = t.TempDir()
				}
				stop = runEmbedded(t, addr, dir)
			},
		})
	})
}

func runEmbedded(t *testing.T, addr, dir string) (stop func()) {
	t.Helper()
	b, err := broker.New(broker.Options{Listen: addr, StoreDir: dir, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	must(t, err)
	stop = background(t, b.Run)
	select {
	case <-b.Ready():
	case <-time.After(parts.Patience):
		t.Fatal("the embedded broker does not start")
	}
	return stop
}

// background runs a Run method until stop or the end of the test, and joins it.
func background(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// report is one call of Options.Report.
type report struct{ code, subject, detail, hint string }

// bench is a publisher with everything around it.
type bench struct {
	*Publisher
	set *retain.Set

	mu      sync.Mutex
	reports []report
	changed chan struct{}
}

var topics = message.TopicsOf("g1", true)

func newBench(t *testing.T, url string, change func(*Options)) *bench {
	t.Helper()
	b := &bench{set: retain.New(), changed: make(chan struct{})}
	o := Options{
		URL: url, ClientID: "infusiond-g1", Topics: topics, Set: b.set,
		Birth:   func() []byte { return []byte(`{"status":"online"}`) },
		Goodbye: func() []byte { return []byte(`{"status":"offline","why":"goodbye"}`) },
		Will:    func() []byte { return []byte(`{"status":"offline","why":"will"}`) },
		Log:     slog.New(slog.NewTextHandler(t.Output(), nil)),
		Report:  b.report,
		Now:     time.Now,
	}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	must(t, err)
	p.timing.backoffFirst, p.timing.backoffLast = 20*time.Millisecond, 200*time.Millisecond
	b.Publisher = p
	return b
}

func (b *bench) report(code, subject, detail, hint string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reports = append(b.reports, report{code, subject, detail, hint})
	close(b.changed)
	b.changed = make(chan struct{})
}

// waitReport waits for a condition, or for its end when raised is false.
func (b *bench) waitReport(t *testing.T, code string, raised bool) report {
	t.Helper()
	limit := time.NewTimer(parts.Patience)
	defer limit.Stop()
	for {
		b.mu.Lock()
		reports, changed := b.reports, b.changed
		b.mu.Unlock()
		for _, r := range reports {
			if r.code == code && (r.detail != "") == raised {
				return r
			}
		}
		select {
		case <-changed:
		case <-limit.C:
			t.Fatalf("no report of %s, raised=%t; the last: %+v", code, raised, reports[max(0, len(reports)-5):])
		}
	}
}

func (b *bench) put(t *testing.T, topic, payload string) {
	t.Helper()
	must(t, b.set.Put(topic, func(uint64) ([]byte, error) { return []byte(payload), nil }))
}

// records are n observations of one pump, younger than any connection.
func records(n int) []spool.Record {
	out := make([]spool.Record, n)
	for i := range out {
		out[i] = spool.Record{
			Key: spool.Key{Epoch: "e1", Stream: "p1", Seq: uint64(i + 1)}, Kind: spool.Observation,
			At: time.Now().Add(time.Hour), Payload: fmt.Appendf(nil, `{"epoch":"e1","pump":"p1","seq":%d}`, i+1),
		}
	}
	return out
}

// deliverAll does what the relay does: it sends from the cursor until all is accepted.
func deliverAll(t *testing.T, p *Publisher, all []spool.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), parts.Patience)
	defer cancel()
	for cursor := 0; cursor < len(all); {
		out, err := p.Deliver(ctx, all[cursor:min(cursor+500, len(all))])
		cursor += out.Accepted
		if ctx.Err() != nil {
			t.Errorf("delivered %d of %d: %v", cursor, len(all), err)
			return
		}
	}
}

func seqOf(t *testing.T, m parts.Message) uint64 {
	t.Helper()
	var key struct {
		Seq uint64 `json:"seq"`
	}
	must(t, json.Unmarshal([]byte(m.Payload), &key))
	return key.Seq
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// scripted is a broker of a few lines whose answers the test decides.
type scripted struct {
	url       string
	returns   byte                        // the CONNACK's code
	published chan *packets.PublishPacket // in order of arrival, all connections
	conns     chan net.Conn
}

// newScripted starts one. Answer is called for each PUBLISH, on the connection's goroutine.
func newScripted(t *testing.T, code byte, answer func(net.Conn, *packets.PublishPacket)) *scripted {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &scripted{
		url: "tcp://" + l.Addr().String(), returns: code,
		published: make(chan *packets.PublishPacket, 10000), conns: make(chan net.Conn, 100),
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed by the end of the test
			}
			s.conns <- c
			all.Go(func() { s.serve(c, answer) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		for len(s.conns) > 0 {
			(<-s.conns).Close()
		}
		all.Wait()
	})
	return s
}

func (s *scripted) serve(c net.Conn, answer func(net.Conn, *packets.PublishPacket)) {
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		switch p := p.(type) {
		case *packets.ConnectPacket:
			ack := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
			ack.ReturnCode = s.returns
			ack.Write(c)
		case *packets.PublishPacket:
			s.published <- p
			answer(c, p)
		}
	}
}

func puback(c net.Conn, p *packets.PublishPacket) {
	ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	ack.MessageID = p.MessageID
	ack.Write(c)
}
