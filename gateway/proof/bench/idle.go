package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/miva"
	"infusiond/gateway/proof/parts"
	"infusiond/simulator"
)

// settle is how long a program runs before it is measured: every pump's first cycle reads back its log.
const settle = 15 * time.Second

// usage is what a program took while it was measured.
type usage struct {
	share float64 // of one core
	rss   float64 // MiB, at the end
}

// idle measures what it costs to poll pumps each second, beside a minimal program that makes the same queries on the
// same ptys, commits one row and makes one publish per record, and does nothing else.
func (b *bench) idle(t parts.TB) {
	b.say("idle: pumps polled each second for %v at 9600 baud; baseline: the same queries, one commit and one publish per record (goal 1.5 times, below 40 MiB)", b.idleFor)
	b.say("  %6s %14s %14s %8s %10s", "pumps", "share of core", "baseline", "ratio", "RSS MiB")
	p := plan{Cycles: b.queriesOf(t), Payload: strings.Repeat("x", 900)}
	var lines []func()
	for _, n := range []int{1, 8, 64} {
		ours, base := b.idlePumps(t, n, p)
		b.say("  %6d %14.4f %14.4f %8.2f %10.1f", n, ours.share, base.share, ours.share/base.share, ours.rss)
		lines = append(lines, func() {
			b.say("bench: idle pumps=%d cpu_share=%.4f ratio=%.2f rss_mib=%.1f baseline_cpu_share=%.4f baseline_rss_mib=%.1f seconds=%.0f seed=%d",
				n, ours.share, ours.share/base.share, ours.rss, base.share, base.rss, b.idleFor.Seconds(), b.seed)
		})
	}
	for _, say := range lines {
		say()
	}
}

// idlePumps measures the gateway and then the baseline on the same pumps.
func (b *bench) idlePumps(t parts.TB, n int, p plan) (ours, base usage) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "idle-"+strconv.Itoa(n))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatalf("make folder: %v", err)
	}
	pumps, err := simulator.ParsePlan(fmt.Sprintf("miva:%d", n), dir, "")
	if err != nil {
		t.Fatalf("make pumps: %v", err)
	}
	sim, err := simulator.New(simulator.Options{Pumps: pumps, Seed: b.seed})
	if err != nil {
		t.Fatalf("make pumps: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	mosquitto := parts.Mosquitto(t, parts.MosquittoOptions{})
	var config strings.Builder
	config.WriteString("gateway: bench\nsimulated: true\ndata_dir: records\nmqtt: {url: \"" + mosquitto.URL + "\"}\npage: {listen: \"off\"}\npumps:\n")
	for _, o := range pumps {
		status, err := sim.Status(o.Name)
		if err != nil {
			t.Fatalf("status of %s: %v", o.Name, err)
		}
		fmt.Fprintf(&config, "  - {name: %s, port: %q, driver: miva, serial: %s, poll_interval: 1s}\n", o.Name, o.Link, status.Serial)
		p.Ports = append(p.Ports, o.Link)
	}
	if err := os.WriteFile(filepath.Join(dir, "infusiond.yaml"), []byte(config.String()), 0o600); err != nil {
		t.Fatalf("configure the gateway: %v", err)
	}
	ours = b.measureProgram(t, dir, "infusiond", "run", filepath.Join(dir, "infusiond.yaml"))
	p.Broker, p.Database = mosquitto.URL, filepath.Join(dir, "baseline.db")
	text, err := json.Marshal(p)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "plan.json"), text, 0o600)
	}
	if err != nil {
		t.Fatalf("write the baseline's plan: %v", err)
	}
	base = b.measureProgram(t, dir, "bench", "-play", filepath.Join(dir, "plan.json"))
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("pumps: %v", err)
	}
	return ours, base
}

// measureProgram runs a program of the bench's own folder, and says what it took after it had settled.
func (b *bench) measureProgram(t parts.TB, dir, name string, args ...string) usage {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		t.Fatalf("make log: %v", err)
	}
	defer func() {
		if err := log.Close(); err != nil {
			t.Errorf("close log of %s: %v", name, err)
		}
	}()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(b.bin, name), args...)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	wait := func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-t.Context().Done():
		}
	}
	wait(settle)
	begin, err := processTime(command.Process.Pid)
	at := time.Now()
	wait(b.idleFor)
	end, err2 := processTime(command.Process.Pid)
	took := time.Since(at)
	rss, err3 := residentMiB(command.Process.Pid)
	err4 := command.Process.Signal(syscall.SIGTERM)
	err5 := command.Wait()
	if err := errors.Join(err, err2, err3, err4, err5, t.Context().Err()); err != nil {
		words, _ := os.ReadFile(log.Name()) // its absence changes nothing
		t.Fatalf("%s: %v\n%s", name, err, words)
	}
	return usage{share: (end - begin).Seconds() / took.Seconds(), rss: rss}
}

// ticks is the kernel's USER_HZ, which Linux fixes for user space.
const ticks = 100

// processTime is the processor time that a process took so far, user's and kernel's.
func processTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold blanks
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("stat of the process is too short")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err, err2)
}

func residentMiB(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, is := strings.CutPrefix(line, "VmRSS:"); is {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, errors.New("status of the process has no VmRSS")
}

// queriesOf plays a minute of polling in virtual time and notes what is asked, cycle by cycle, and how long the answers are.
func (b *bench) queriesOf(t parts.TB) [][]exchange {
	t.Helper()
	v, err := simulator.NewVirtual(simulator.DefaultPump("blue"), b.seed)
	if err != nil {
		t.Fatalf("make pump: %v", err)
	}
	driver, err := miva.New(nil)
	if err != nil {
		t.Fatalf("make driver: %v", err)
	}
	n := &noter{Port: v}
	conn, err := driver.Open(t.Context(), n, drivers.OpenOptions{Now: v.Now})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	var all [][]exchange
	for i := range 61 {
		at := v.Now()
		n.cycle = nil
		if err := conn.Poll(t.Context(), func(drivers.Report) {}); err != nil {
			t.Fatalf("poll: %v", err)
		}
		if i > 0 { // the first one reads the log back
			all = append(all, n.cycle)
		}
		v.Pass(max(at+time.Second-v.Now(), 0))
	}
	return all
}

// noter notes what goes over a port.
type noter struct {
	drivers.Port
	cycle []exchange
}

func (n *noter) Write(b []byte) (int, error) {
	n.cycle = append(n.cycle, exchange{Query: append([]byte(nil), b...)})
	return n.Port.Write(b)
}

func (n *noter) Read(b []byte) (int, error) {
	got, err := n.Port.Read(b)
	if len(n.cycle) > 0 {
		n.cycle[len(n.cycle)-1].Reply += got
	}
	return got, err
}
