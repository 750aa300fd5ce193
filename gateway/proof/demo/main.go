// Command demo is `make demo`: two simulated pumps on pseudo-terminals, a gateway with its own
// broker and page, and a sheet of commands that make things go wrong. It starts the real
// programs from its own folder, stops them with Ctrl-C or TERM, and leaves nothing behind.
//
// DEMO_FOR=30s stops by itself that long after everything is up.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	runtime.LockOSThread() // the programs die with the thread that started them (Pdeathsig): the main one
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := demo(ctx, os.Stdout)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context, out io.Writer) (err error) {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own folder: %w", err)
	}
	bin := filepath.Dir(self)
	dir, err := os.MkdirTemp("", "infusiond-demo-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	build := exec.CommandContext(ctx, "go", "build", "-o", bin, "./cmd/infusiond", "./cmd/infusim")
	build.Stdout, build.Stderr = out, os.Stderr
	say(out, "building …")
	if err := build.Run(); err != nil {
		return unlessStopped(ctx, fmt.Errorf("build: %w", err))
	}
	at, err := places(ctx)
	if err != nil {
		return err
	}
	if err := write(dir, at); err != nil {
		return err
	}
	group, ended := newGroup()
	defer func() { err = errors.Join(err, group.stop()) }()
	if err := group.start(ctx, filepath.Join(bin, "infusim"), dir, "infusim", simulatorArgs(dir, at)...); err != nil {
		return err
	}
	if err := await(ctx, ended, func() bool { return present(dir, "blue") && present(dir, "red") }); err != nil {
		return unlessStopped(ctx, fmt.Errorf("start the simulator: %w", err))
	}
	if err := group.start(ctx, filepath.Join(bin, "infusiond"), dir, "infusiond", "run", filepath.Join(dir, "infusiond.yaml")); err != nil {
		return err
	}
	if err := await(ctx, ended, func() bool { return up(ctx, at) }); err != nil {
		return unlessStopped(ctx, fmt.Errorf("start the gateway: %w", err))
	}
	sheet(out, bin, at)
	var timeUp <-chan time.Time
	if text := os.Getenv("DEMO_FOR"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("DEMO_FOR: %w", err)
		}
		timeUp = time.After(d)
	}
	select {
	case <-ctx.Done():
	case <-timeUp:
	case name := <-ended:
		return fmt.Errorf("%s ended by itself; its log was shown above", name)
	}
	say(out, "\nstopping …")
	return nil
}

// unlessStopped drops an error that only says that somebody stopped the demo.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// place is where the parts listen, on free ports unless the usual ones are free.
type place struct{ page, mqtt, control string }

func places(ctx context.Context) (place, error) {
	var p place
	for _, want := range []struct {
		to      *string
		address string
	}{{&p.page, "127.0.0.1:8080"}, {&p.mqtt, "127.0.0.1:1883"}, {&p.control, controlDefault}} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", want.address)
		if err != nil {
			l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		}
		if err != nil {
			return p, fmt.Errorf("find a free port: %w", err)
		}
		*want.to = l.Addr().String()
		if err := l.Close(); err != nil {
			return p, fmt.Errorf("find a free port: %w", err)
		}
	}
	return p, nil
}

// The two-drug regimen of the requirement SEED1-05 at concentrations whose rates differ: 7.4 kg,
// milrinone 0.5 mcg/kg/min at 200 mcg/mL = 1.11 mL/h, dobutamine 5 at 1000 = 2.22 mL/h.
func simulatorArgs(dir string, at place) []string {
	return []string{
		"run", "--control", at.control, "--seed", "1",
		"--pump", "name=blue,serial=SIM00001,rate=1.11,vtbi=50,bag=50,drug=milrinone,link=" + filepath.Join(dir, "blue"),
		"--pump", "name=red,serial=SIM00002,rate=2.22,vtbi=100,bag=100,drug=dobutamine,link=" + filepath.Join(dir, "red"),
	}
}

func write(dir string, at place) error {
	now := time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)
	today := time.Now().UTC().Format(time.DateOnly)
	files := map[string]string{
		"infusiond.yaml": `gateway: demo
simulated: true
data_dir: records
pumps:
  - {name: blue, label: Blue pump, colour: blue, port: ` + filepath.Join(dir, "blue") + `, driver: miva, serial: SIM00001, poll_interval: 2s}
  - {name: red, label: Red pump, colour: red, port: ` + filepath.Join(dir, "red") + `, driver: miva, serial: SIM00002, poll_interval: 2s}
prescriptions: [prescription.yaml]
drug_library: drug-library.yaml
mqtt: {listen: "` + at.mqtt + `"}
page: {listen: "` + at.page + `"}
`,
		"prescription.yaml": `patient: demo-child
version: 1
effective_from: ` + now + `
author: {name: Demo, role: example}
reason: demonstration
weight: {kg: 7.4, date: ` + today + `}
infusions:
  - name: milrinone
    pump: blue
    drug: milrinone
    dose_mcg_per_kg_per_min: 0.5
    concentration_mcg_per_ml: 200
    pump_step_ml_per_h: 0.01
    schedule: {type: continuous, from: ` + now + `}
    bag: {drug: milrinone, concentration_mcg_per_ml: 200, volume_ml: 50, confirmed_by: demo, confirmed_at: ` + now + `}
  - name: dobutamine
    pump: red
    drug: dobutamine
    dose_mcg_per_kg_per_min: 5
    concentration_mcg_per_ml: 1000
    pump_step_ml_per_h: 0.01
    schedule: {type: continuous, from: ` + now + `}
    bag: {drug: dobutamine, concentration_mcg_per_ml: 1000, volume_ml: 100, confirmed_by: demo, confirmed_at: ` + now + `}
`,
	}
	library, err := os.ReadFile("configs/drug-library.example.yaml")
	if err != nil {
		return fmt.Errorf("read the example drug library (run from the project's top folder): %w", err)
	}
	files["drug-library.yaml"] = string(library)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

func present(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// up says whether page and broker answer and the page knows that both pumps run.
func up(ctx context.Context, at place) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at.mqtt)
	if err != nil {
		return false
	}
	_ = conn.Close() // only whether it listens
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at.page+"/api/live", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }() // a read stream
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
			return strings.Count(data, `"delivery_status":"infusing"`) == 2
		}
	}
	return false
}

func await(ctx context.Context, ended <-chan string, ready func() bool) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case name := <-ended:
			return fmt.Errorf("%s ended by itself", name)
		case <-tick.C:
		}
	}
	return nil
}

// controlDefault is where infusim send looks by itself.
const controlDefault = "127.0.0.1:7070"

func sheet(out io.Writer, bin string, at place) {
	wd, program := filepath.Dir(bin), filepath.Join(filepath.Base(bin), "infusim")
	send := program + " send"
	if at.control != controlDefault {
		send += " --control " + at.control
	}
	host, port, _ := net.SplitHostPort(at.mqtt)
	say(out, `
Two simulated pumps are running: blue with milrinone 0.5 mcg/kg/min (1.11 mL/h), red with
dobutamine 5 mcg/kg/min (2.22 mL/h), for a child of 7.4 kg. Nothing here reaches a patient.

  Page        http://`+at.page+`
  Subscribe   mosquitto_sub -h `+host+` -p `+port+` -v -t 'infusiond-sim/v1/demo/#'

Make something happen, in another terminal:

  cd `+wd+`
  `+send+` blue occlude in=20s   # an occlusion; the pump alarms at one of its next strokes, within a minute
  `+send+` blue release          #   … and its end: open the line, acknowledge at the pump, start again
  `+send+` blue ack
  `+send+` blue run
  `+send+` red pause             # a stop; its end: red run
  `+send+` blue rate 11.1        # a wrong rate; its end: blue rate 1.11
  `+send+` red unplug            # the cable; its end: red replug
  `+send+` blue help             # everything else

Pump-reported, not delivered to the patient. infusiond is not a medical device and does not replace
the pump's own alarm. Ctrl-C ends the demo.
`)
	say(out, "demo: url=http://"+at.page+" mqtt="+at.mqtt+" root=infusiond-sim/v1/demo")
}

func say(out io.Writer, text string) { _, _ = fmt.Fprintln(out, text) }
