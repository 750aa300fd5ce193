package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/proof/parts"
)

const gatewayName, pumpName = "bench", "blue"

// samples are the measurements of one run.
type samples struct {
	latency  times // last byte of the alarm on the wire → callback
	queries  times // of these, until the last byte of the cycle
	rest     times // and from there
	baseline times // commit and publish → callback
	bare     times // publish → callback
}

// latency measures how long an alarm takes from the last byte of its record on the wire to a
// subscriber's callback, through the real program, a real Mosquitto and a pseudo-terminal of 9600 baud.
func (b *bench) latency(t parts.TB) {
	dir := t.TempDir()
	mosquitto := parts.Mosquitto(t, parts.MosquittoOptions{})
	p := startPump(t, filepath.Join(dir, "pump"), b.seed)
	topics := message.TopicsOf(gatewayName, true)
	first := parts.Collect(t, parts.Subscription{URL: mosquitto.URL, Filter: topics.Observation(pumpName)})
	b.startGateway(t, dir, p.address, mosquitto.URL)
	first.WaitFor(topics.Observation(pumpName), `"pump_alarms":{"known":"yes"`)
	first.Close()

	arrivals := subscribe(t, mosquitto.URL, topics.Alert(pumpName), baselineTopic)
	base := newBaseline(t, dir, mosquitto.URL, arrivals)
	rnd := rand.New(rand.NewPCG(b.seed, 2))
	pause := func() { // moments that have nothing to do with the gateway's own
		select {
		case <-time.After(time.Duration(rnd.Int64N(int64(300 * time.Millisecond)))):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
	b.say("latency: %d alarms, one after the other; pump polled each second, 9600 baud; seed %d", b.alarms, b.seed)
	var all samples
	for n := -1; n < b.alarms; n++ { // the first fills caches, of gateway and baseline alike
		var one samples
		one.alarm(t, p, arrivals, base, pause)
		if n >= 0 {
			all.add(one)
		}
	}
	b.report(all)
}

// alarm measures one alarm, and once each baseline with a record of the same size.
func (s *samples) alarm(t parts.TB, p *pump, arrivals <-chan arrival, base *baseline, pause func()) {
	pause()
	if err := p.occlude(); err != nil {
		t.Fatalf("make the pump alarm: %v", err)
	}
	raised := next(t, arrivals, "the alert", isAlert(message.Raised))
	alarm, cycle := p.marks()
	if alarm.IsZero() || raised.at.Before(alarm) {
		t.Fatalf("the alert came before its alarm")
	}
	s.latency = append(s.latency, raised.at.Sub(alarm))
	if cycle.IsZero() || cycle.After(raised.at) {
		cycle = alarm // the alert did not wait for the rest of the cycle
	}
	s.queries = append(s.queries, cycle.Sub(alarm))
	s.rest = append(s.rest, raised.at.Sub(cycle))
	if err := p.restart(); err != nil {
		t.Fatalf("end the alarm: %v", err)
	}
	next(t, arrivals, "the end of the alert", isAlert(message.Ended))
	pause()
	s.baseline = append(s.baseline, base.record(t, raised.payload))
	pause()
	s.bare = append(s.bare, base.bare(t, raised.payload))
}

func isAlert(transition string) func(arrival) bool {
	return func(a arrival) bool {
		var m message.AlertTransition
		return a.topic != baselineTopic && json.Unmarshal([]byte(a.payload), &m) == nil &&
			m.Transition == transition && m.Alert.Code == "occlusion_downstream"
	}
}

func (s *samples) add(o samples) {
	s.latency = append(s.latency, o.latency...)
	s.queries = append(s.queries, o.queries...)
	s.rest = append(s.rest, o.rest...)
	s.baseline = append(s.baseline, o.baseline...)
	s.bare = append(s.bare, o.bare...)
}

func (b *bench) report(s samples) {
	b.say("  %-62s %9s %9s", "", "p50 ms", "p99 ms")
	for _, row := range []struct {
		what string
		of   times
	}{
		{"last byte of the alarm's record on the wire → callback", s.latency},
		{"  of this: the cycle's remaining queries to the pump", s.queries},
		{"  of this: reading, judging, recording, publishing", s.rest},
		{"baseline: one SQLite commit and one bare publish → callback", s.baseline},
		{"a bare publish without a disk → callback", s.bare},
	} {
		b.say("  %-62s %9.2f %9.2f", row.what, ms(row.of.at(50)), ms(row.of.at(99)))
	}
	p50, p99 := ratio(s.latency.at(50), s.baseline.at(50)), ratio(s.latency.at(99), s.baseline.at(99))
	verdict := "reached"
	if p50 > 2 || p99 > 3 {
		verdict = "missed"
	}
	b.say("  goal p50 at most 2 times the baseline's, p99 at most 3 times: %s; %.1f times a bare publish without a disk",
		verdict, ratio(s.latency.at(50), s.bare.at(50)))
	b.say("bench: latency_stages queries_p50_ms=%.2f queries_p99_ms=%.2f rest_p50_ms=%.2f rest_p99_ms=%.2f rest_p50_ratio=%.2f rest_p99_ratio=%.2f seed=%d",
		ms(s.queries.at(50)), ms(s.queries.at(99)), ms(s.rest.at(50)), ms(s.rest.at(99)),
		ratio(s.rest.at(50), s.baseline.at(50)), ratio(s.rest.at(99), s.baseline.at(99)), b.seed)
	b.say("bench: latency p50_ratio=%.2f p99_ratio=%.2f p50_ms=%.2f p99_ms=%.2f baseline_p50_ms=%.2f baseline_p99_ms=%.2f bare_p50_ms=%.2f bare_p50_ratio=%.2f n=%d seed=%d",
		p50, p99, ms(s.latency.at(50)), ms(s.latency.at(99)), ms(s.baseline.at(50)), ms(s.baseline.at(99)),
		ms(s.bare.at(50)), ratio(s.latency.at(50), s.bare.at(50)), len(s.latency), b.seed)
}

// startGateway runs the real program until the measurement ends.
func (b *bench) startGateway(t parts.TB, dir, port, broker string) {
	t.Helper()
	config := filepath.Join(dir, "infusiond.yaml")
	text := fmt.Sprintf(`gateway: %s
simulated: true
data_dir: records
pumps:
  - {name: %s, port: %s, driver: miva, serial: %s, poll_interval: 1s}
mqtt: {url: "%s"}
page: {listen: "off"}
`, gatewayName, pumpName, port, serial, broker)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatalf("configure the gateway: %v", err)
	}
	log, err := os.Create(filepath.Join(dir, "infusiond.log"))
	if err != nil {
		t.Fatalf("make the gateway's log: %v", err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context())) // it stops before its broker, not with it
	command := exec.CommandContext(ctx, filepath.Join(b.bin, "infusiond"), "run", config)
	command.Stdout, command.Stderr = log, log
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 15 * time.Second
	if err := command.Start(); err != nil {
		stop()
		t.Fatalf("start the gateway: %v", err)
	}
	t.Cleanup(func() {
		stop()
		if err := command.Wait(); err != nil && !errors.Is(err, context.Canceled) { // canceled: it stopped in order
			t.Errorf("the gateway ended: %v", err)
		}
		if words, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("log of the gateway:\n%s", words)
		}
		if err := log.Close(); err != nil {
			t.Errorf("close the gateway's log: %v", err)
		}
	})
}
