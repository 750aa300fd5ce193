package whole

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/proof/parts"
	"infusiond/simulator"
)

// seed of all simulated pumps.
const seed = 1

// pump is one configured pump and the simulated one at the other end of its line.
type pump struct {
	name, serial  string
	answers       string // the serial number that really answers; empty: serial
	rate          float64
	drug          string
	dose          string // mcg/kg/min
	concentration string // mcg/mL
	bag           int    // mL
	port          string // empty: the simulator's
}

// The two-drug regimen of the demo, for 7.4 kg.
func blue() pump {
	return pump{name: "blue", serial: "SIM00001", rate: 1.11, drug: "milrinone", dose: "0.5", concentration: "200", bag: 50}
}

func red() pump {
	return pump{name: "red", serial: "SIM00002", rate: 2.22, drug: "dobutamine", dose: "5", concentration: "1000", bag: 100}
}

// plan says what a test needs.
type plan struct {
	gateway      string
	pumps        []pump
	real         bool    // under the root of real pumps
	speed        float64 // of the pumps; 0 is 1
	influx       bool
	tls          *parts.PKI          // the broker demands a certificate of this authority and keeps an access list
	prescription func(string) string // changes the prescription's text
}

// rig is everything around one infusiond, and the configuration that names it.
type rig struct {
	plan
	t       *testing.T
	dir     string
	topics  message.Topics
	sim     *simulator.Running
	broker  *parts.Broker
	influx  *parts.InfluxServer // nil: none
	config  string              // path
	capture string              // path; every byte of every run
}

// newRig starts broker, database and pumps and writes the configuration. When the test
// ends it looks at what the pumps were asked.
func newRig(t *testing.T, p plan) *rig {
	t.Helper()
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	r := &rig{
		plan: p, t: t, dir: dir, topics: message.TopicsOf(p.gateway, !p.real), broker: parts.Mosquitto(t, p.broker()),
		config: filepath.Join(dir, "infusiond.yaml"), capture: filepath.Join(dir, "capture"),
	}
	if p.influx {
		r.influx = parts.Influx(t)
	}
	r.startPumps()
	t.Cleanup(r.readOnly)
	r.write("infusiond.yaml", r.configText())
	r.write("prescription.yaml", r.prescriptionText())
	r.write("token", "edge:edgepw\n")
	return r
}

// broker gives every gateway its own part of the topics when there are certificates.
func (p plan) broker() parts.MosquittoOptions {
	if p.tls == nil {
		return parts.MosquittoOptions{}
	}
	return parts.MosquittoOptions{TLS: p.tls, ACL: fmt.Sprintf("user %[1]s\ntopic write infusiond-sim/v1/%[1]s/#\nuser centre\ntopic read infusiond-sim/v1/#\n", p.gateway)}
}

func (r *rig) startPumps() {
	r.t.Helper()
	o := simulator.Options{Seed: seed, Speed: r.speed}
	for _, p := range r.pumps {
		s := simulator.DefaultPump(p.name)
		s.Serial, s.Rate, s.Drug, s.VTBI, s.Bag = p.serial, p.rate, p.drug, float64(p.bag), float64(p.bag)
		if p.answers != "" {
			s.Serial = p.answers
		}
		s.Link = filepath.Join(r.dir, p.name)
		o.Pumps = append(o.Pumps, s)
	}
	sim, err := simulator.Start(context.WithoutCancel(r.t.Context()), o)
	if err != nil {
		r.t.Fatalf("start the pumps: %v", err)
	}
	r.sim = sim
	r.t.Cleanup(func() {
		if err := sim.Stop(); err != nil {
			r.t.Errorf("stop the pumps: %v", err)
		}
	})
}

// start runs the gateway; it may be called again when the one before has ended.
func (r *rig) start() *daemon {
	r.t.Helper()
	return start(r.t, "run", r.config, "--capture", r.capture)
}

// watch subscribes to everything of this gateway, for ever.
func (r *rig) watch() *watcher {
	r.t.Helper()
	s := parts.Subscription{URL: r.broker.URL, Filter: r.topics.Root() + "#", ClientID: "centre"}
	if r.tls != nil {
		s.TLS = r.tls.Client(r.t, "centre")
	}
	return watch(r.t, s)
}

// do does something to a pump, in the words of infusim.
func (r *rig) do(pump, command string) {
	r.t.Helper()
	if err := r.sim.Do(pump, command); err != nil {
		r.t.Fatalf("%s %s: %v", pump, command, err)
	}
}

func (r *rig) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) configText() string {
	library, err := filepath.Abs("../../../configs/drug-library.example.yaml")
	if err != nil {
		r.t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "gateway: %s\n", r.gateway)
	if !r.real {
		b.WriteString("simulated: true\n")
	}
	b.WriteString("data_dir: records\npumps:\n")
	for _, p := range r.pumps {
		port := p.port
		if port == "" {
			port = filepath.Join(r.dir, p.name)
		}
		fmt.Fprintf(&b, "  - {name: %s, port: %s, driver: miva, serial: %s, poll_interval: 1s}\n", p.name, port, p.serial)
	}
	fmt.Fprintf(&b, "prescriptions: [prescription.yaml]\ndrug_library: %s\npage: {listen: \"127.0.0.1:0\"}\n", library)
	fmt.Fprintf(&b, "mqtt: {url: %q%s}\n", r.broker.URL, r.certificates())
	if r.influx != nil {
		fmt.Fprintf(&b, "influxdb: {url: %q, bucket: %q, token_file: token}\n", r.influx.URL, r.influx.Bucket)
	}
	return b.String()
}

// certificates names the files of the gateway's own certificate.
func (r *rig) certificates() string {
	if r.tls == nil {
		return ""
	}
	files, err := r.tls.WriteClient(r.dir, r.gateway)
	if err != nil {
		r.t.Fatalf("write the gateway's certificate: %v", err)
	}
	return fmt.Sprintf(", tls: {ca: %s, cert: %s, key: %s}", files.CA, files.Cert, files.Key)
}

func (r *rig) prescriptionText() string {
	from := time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)
	var b strings.Builder
	fmt.Fprintf(&b, `patient: child-0001
version: 3
effective_from: %s
author: {name: Test, role: test}
reason: test
weight: {kg: 7.4, date: %s}
infusions:
`, from, from[:len(time.DateOnly)])
	for _, p := range r.pumps {
		fmt.Fprintf(&b, `  - name: %[1]s
    pump: %[2]s
    drug: %[1]s
    dose_mcg_per_kg_per_min: %[3]s
    concentration_mcg_per_ml: %[4]s
    pump_step_ml_per_h: 0.01
    schedule: {type: continuous, from: %[5]s}
    bag: {drug: %[1]s, concentration_mcg_per_ml: %[4]s, volume_ml: %[6]d, confirmed_by: test, confirmed_at: %[5]s}
`, p.drug, p.name, p.dose, p.concentration, from, p.bag)
	}
	if r.prescription != nil {
		return r.prescription(b.String())
	}
	return b.String()
}
