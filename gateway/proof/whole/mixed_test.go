package whole

import (
	"context"
	"fmt"
	"math/big"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena"
	"infusiond/drivers/bcc"
	"infusiond/drivers/miva"
	"infusiond/drivers/newera"
	"infusiond/drivers/sapphire"
	"infusiond/gateway/message"
	"infusiond/gateway/proof/parts"
	"infusiond/simulator"
)

// settings of the drivers: none of the tests needs others.
var makers = map[string]func(map[string]string) (drivers.Driver, error){
	"asena": asena.New, "bcc": bcc.New, "miva": miva.New, "newera": newera.New, "sapphire": sapphire.New,
}

// line is one simulated pump and how it is configured.
type line struct {
	name, model string
	rate        float64
	with        string // the pump whose line it shares
	tcp         bool
	driver      string // configured; empty: the model
	keys        string // further keys of the description, with a comma before
}

// newMixedRig starts a broker and pumps of several protocols and writes the configuration.
func newMixedRig(t *testing.T, gateway string, lines []line) *rig {
	t.Helper()
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	r := &rig{
		plan: plan{gateway: gateway}, t: t, dir: dir, topics: message.TopicsOf(gateway, true), broker: parts.Mosquitto(t, parts.MosquittoOptions{}),
		config: filepath.Join(dir, "infusiond.yaml"), capture: filepath.Join(dir, "capture"),
	}
	o := simulator.Options{Seed: seed}
	for _, l := range lines {
		text := fmt.Sprintf("name=%s,model=%s,rate=%v%s", l.name, l.model, l.rate, l.keys)
		switch port := l.with; {
		case l.tcp:
			text += ",tcp=127.0.0.1:0"
		case port == "":
			text += ",link=" + filepath.Join(dir, l.name)
		default:
			text += ",link=" + filepath.Join(dir, port)
		}
		p, err := simulator.ParsePump(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Pumps = append(o.Pumps, p)
	}
	sim, err := simulator.Start(context.WithoutCancel(t.Context()), o)
	if err != nil {
		t.Fatalf("start the pumps: %v", err)
	}
	r.sim = sim
	t.Cleanup(func() {
		if err := sim.Stop(); err != nil {
			t.Errorf("stop the pumps: %v", err)
		}
	})
	t.Cleanup(func() { r.onlyAllowed(lines) })
	r.write("infusiond.yaml", r.mixedConfig(lines))
	return r
}

func (r *rig) mixedConfig(lines []line) string {
	var b strings.Builder
	fmt.Fprintf(&b, "gateway: %s\nsimulated: true\ndata_dir: records\npage: {listen: \"127.0.0.1:0\"}\nmqtt: {url: %q}\npumps:\n", r.gateway, r.broker.URL)
	for _, l := range lines {
		s := r.status(l.name)
		port, err := r.sim.Port(l.name)
		if err != nil {
			r.t.Fatal(err)
		}
		driver := l.driver
		if driver == "" {
			driver = l.model
		}
		fmt.Fprintf(&b, "  - {name: %s, port: %q, driver: %s", l.name, port, driver)
		if s.Address != "" && driver == l.model {
			fmt.Fprintf(&b, ", address: %q", s.Address)
		}
		if driver != "newera" {
			serial := s.Serial
			if driver != l.model {
				serial = "SIM00099"
			}
			fmt.Fprintf(&b, ", serial: %q", serial)
		}
		d, err := makers[driver](nil)
		if err != nil {
			r.t.Fatal(err)
		}
		fmt.Fprintf(&b, ", poll_interval: %v}\n", max(time.Second, d.Profile().MinPollInterval))
	}
	return b.String()
}

func (r *rig) status(pump string) simulator.Status {
	r.t.Helper()
	s, err := r.sim.Status(pump)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// onlyAllowed holds what was written to each port against the driver's allow-list, and asks the pumps.
func (r *rig) onlyAllowed(lines []line) {
	for _, s := range r.sim.Statuses() {
		if s.Wire.Control != 0 {
			r.t.Errorf("pump %s received %d control commands", s.Name, s.Wire.Control)
		}
	}
	for _, l := range lines {
		files, err := filepath.Glob(r.capture + "." + l.name)
		if err != nil {
			r.t.Error(err)
		}
		driver := l.driver
		if driver == "" {
			driver = l.model
		}
		d, err := makers[driver](nil)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, f := range files {
			for _, c := range readChunks(r.t, f) {
				if _, allowed := d.Profile().Allow.Match(c.bytes); c.direction == '>' && !allowed {
					r.t.Errorf("infusiond wrote % X to %s, which %s does not allow", c.bytes, l.name, driver)
				}
			}
		}
	}
}

// between says whether a published volume lies between what the pump said before and after, at its resolution.
func between(t *testing.T, published message.Decimal, before, after float64) bool {
	t.Helper()
	v := rational(t, published.String())
	step := big.NewRat(11, 1000)
	lo, hi := new(big.Rat).SetFloat64(before), new(big.Rat).SetFloat64(after)
	return v.Cmp(lo.Sub(lo, step)) >= 0 && v.Cmp(hi.Add(hi, step)) <= 0
}

// TestPumpsOfAllProtocols: seven pumps of five protocols on five ports, one of them TCP, two with two pumps. Each says what its
// own pump said; then one pump of each shared line dies, and the other one's cycles go on.
// Covers GW-05, GW-07, GW-14, GW-26, GW-127, GW-128, GW-131.
func TestPumpsOfAllProtocols(t *testing.T) {
	t.Parallel()
	lines := []line{
		{name: "m1", model: "miva", rate: 1.11},
		{name: "b1", model: "bcc", rate: 2.5},
		{name: "b2", model: "bcc", rate: 3.5, with: "b1"},
		{name: "a1", model: "asena", rate: 4.5, tcp: true},
		{name: "n1", model: "newera", rate: 5.25},
		{name: "n2", model: "newera", rate: 6.25, with: "n1"},
		{name: "s1", model: "sapphire", rate: 7.5},
	}
	r := newMixedRig(t, "mixed", lines)
	before := map[string]simulator.Status{}
	for _, l := range lines {
		before[l.name] = r.status(l.name)
	}
	w := r.watch()
	r.start()
	for _, l := range lines {
		o, _ := await(w, 0, "a reading", r.topics.Observation(l.name), func(o message.Observation) bool { return isReading(o) && o.DeliveryStatus == "infusing" })
		now, was := r.status(l.name), before[l.name]
		if o.Serial != now.Serial {
			t.Errorf("%s: serial number %q, the pump's is %q", l.name, o.Serial, now.Serial)
		}
		rate := o.ProgrammedRateMlPerH
		if rate.IsZero() {
			rate = o.PumpReportedRateMlPerH // all that a sapphire tells
		}
		if want := rational(t, strconv.FormatFloat(l.rate, 'f', -1, 64)); rational(t, rate.String()).Cmp(want) != 0 {
			t.Errorf("%s: rate %s, the pump is set to %v", l.name, rate, l.rate)
		}
		if !between(t, o.VolumeInfusedMl, was.Says.Infused, now.Says.Infused) {
			t.Errorf("%s: volume %s, the pump said %v and %v", l.name, o.VolumeInfusedMl, was.Says.Infused, now.Says.Infused)
		}
	}
	r.do("n2", "power off")
	r.do("b2", "power off")
	place := len(w.Messages())
	for _, dead := range []string{"n2", "b2"} {
		_, at := await(w, place, "the dead pump's gap", r.topics.Observation(dead), func(o message.Observation) bool {
			return !isReading(o) && numberless(o.Reading) || o.DeliveryStatus == "powered_off"
		})
		await(w, at, "two more of its cycles", r.topics.Observation(dead), func(message.Observation) bool { return true })
	}
	for _, alive := range []string{"n1", "b1", "m1"} {
		var last message.Observation
		at := place
		for range 4 {
			var o message.Observation
			o, at = await(w, at, "a reading of the living one", r.topics.Observation(alive), func(message.Observation) bool { return true })
			if !isReading(o) {
				t.Errorf("%s: no reading beside a dead pump: %s", alive, o.UnknownDetail)
			}
			if gap := o.TS.Time().Sub(last.TS.Time()); !last.TS.IsZero() && gap > 4*time.Second {
				t.Errorf("%s: %v between two cycles beside a dead pump", alive, gap)
			}
			last = o
		}
	}
	records(t, w.Messages())
}

// TestPumpsThatChangePlaces: two pumps of one model are exchanged between two ports without a hang-up. Nothing is attributed
// to the wrong one, both ports say so, and it is over when they are back.
// Covers GW-07, GW-129.
func TestPumpsThatChangePlaces(t *testing.T) {
	t.Parallel()
	lines := []line{{name: "blue", model: "miva", rate: 1.11}, {name: "red", model: "miva", rate: 2.22}}
	r := newMixedRig(t, "places", lines)
	serial := map[string]string{"blue": r.status("blue").Serial, "red": r.status("red").Serial}
	w := r.watch()
	r.start()
	for _, l := range lines {
		await(w, 0, "a reading", r.topics.Observation(l.name), isReading)
	}
	place := len(w.Messages())
	r.do("blue", "swap red")
	for _, l := range lines {
		raised, _ := await(w, place, "identity_mismatch", r.topics.Alert(l.name), func(a message.AlertTransition) bool {
			return a.Transition == message.Raised && a.Alert.Code == message.CodeIdentityMismatch
		})
		if raised.Alert.Priority != message.PriorityHigh {
			t.Errorf("%s: %+v", l.name, raised.Alert)
		}
	}
	h, at := await(w, place, "both conditions", r.topics.Health(), func(h message.Health) bool { return conditions(h, "wrong_pump") == 2 })
	for _, c := range h.Conditions {
		if c.Code == "wrong_pump" && !strings.Contains(c.Hint, "exchanged") {
			t.Errorf("condition %+v does not tell that the cables are exchanged", c)
		}
	}
	r.do("blue", "swap red")
	await(w, at, "the end of the conditions", r.topics.Health(), func(h message.Health) bool { return conditions(h, "wrong_pump") == 0 })
	for _, l := range lines {
		await(w, at, "the end of the alert", r.topics.Alert(l.name), func(a message.AlertTransition) bool {
			return a.Transition == message.Ended && a.Alert.Code == message.CodeIdentityMismatch
		})
		for _, o := range all[message.Observation](w, r.topics.Observation(l.name)) {
			want := rational(t, strconv.FormatFloat(l.rate, 'f', -1, 64))
			if isReading(o) && (o.Serial != serial[l.name] || rational(t, o.ProgrammedRateMlPerH.String()).Cmp(want) != 0) {
				t.Errorf("%s: a reading of %s with rate %s", l.name, o.Serial, o.ProgrammedRateMlPerH)
			}
		}
	}
	records(t, w.Messages())
}

func conditions(h message.Health, code string) int {
	n := 0
	for _, c := range h.Conditions {
		if c.Code == code {
			n++
		}
	}
	return n
}

// TestADeviceOfAnotherKind: a device that sends by itself hangs on the port of a pump. No value comes of it, health says
// what is wrong while it lasts, and the pump beside it is read as ever.
// Covers GW-10, GW-14, GW-129.
func TestADeviceOfAnotherKind(t *testing.T) {
	t.Parallel()
	lines := []line{
		{name: "odd", model: "asena", rate: 1.5, driver: "miva"}, {name: "blue", model: "miva", rate: 1.11},
	}
	r := newMixedRig(t, "other-kind", lines)
	w := r.watch()
	r.start()
	r.do("odd", "babble")
	h, at := await(w, 0, "the condition", r.topics.Health(), func(h message.Health) bool { return conditions(h, "port_not_understood") == 1 })
	for _, c := range h.Conditions {
		if c.Code == "port_not_understood" && (!strings.HasSuffix(c.Subject, "/odd") || c.Hint == "") {
			t.Errorf("condition %+v", c)
		}
	}
	await(w, at, "the pump beside it", r.topics.Observation("blue"), isReading)
	r.do("odd", "unplug")
	await(w, at, "its end", r.topics.Health(), func(h message.Health) bool { return conditions(h, "port_not_understood") == 0 })
	for _, o := range all[message.Observation](w, r.topics.Observation("odd")) {
		if isReading(o) || !numberless(o.Reading) {
			t.Errorf("a reading of another device: %+v", o)
		}
	}
	records(t, w.Messages())
}
