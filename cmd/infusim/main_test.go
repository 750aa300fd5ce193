package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// program is an infusim that runs in this process.
type program struct {
	t     *testing.T
	in    io.WriteCloser
	out   *bufio.Scanner
	group errgroup.Group
	code  int
}

func launch(ctx context.Context, t *testing.T, args ...string) *program {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	p := &program{t: t, in: inW, out: bufio.NewScanner(outR)}
	var errs bytes.Buffer
	p.group.Go(func() error {
		defer outW.Close()
		p.code = realMain(ctx, args, streams{inR, outW, &errs})
		return nil
	})
	t.Cleanup(func() {
		if errs.Len() > 0 {
			t.Logf("standard error: %s", errs.String())
		}
	})
	return p
}

// expect reads lines until one begins with prefix.
func (p *program) expect(prefix string) string {
	p.t.Helper()
	var seen []string
	for p.out.Scan() {
		if strings.HasPrefix(p.out.Text(), prefix) {
			return p.out.Text()
		}
		seen = append(seen, p.out.Text())
	}
	p.t.Fatalf("no line begins with %q; printed: %q", prefix, seen)
	return ""
}

func (p *program) say(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) end() {
	p.t.Helper()
	for p.out.Scan() {
	}
	if err := p.group.Wait(); err != nil || p.code != 0 {
		p.t.Errorf("ended with %d, %v", p.code, err)
	}
}

func send(t *testing.T, address string, words ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = realMain(t.Context(), append([]string{"send", "--control", address}, words...), streams{strings.NewReader(""), &o, &e})
	return code, o.String(), e.String()
}

func TestRunSendAndQuit(t *testing.T) {
	dir := t.TempDir()
	link, address := filepath.Join(dir, "blue"), "unix:"+filepath.Join(dir, "control")
	p := launch(t.Context(), t, "run", "--pump", "name=blue,rate=1.11,vtbi=100,drug=milrinone,link="+link,
		"--pump", "name=red,rate=2.22,tcp=127.0.0.1:0", "--control", address)
	if got, want := p.expect("infusim: pump="), "infusim: pump=blue model=miva serial=SIM00001 port="+link; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := p.expect("infusim: pump="); !strings.HasPrefix(got, "infusim: pump=red model=miva serial=SIM00002 tcp=127.0.0.1:") {
		t.Error(got)
	}
	if got := p.expect("infusim: control="); got != "infusim: control="+address {
		t.Error(got)
	}
	p.expect("infusim: ready pumps=2 seed=1")
	p.say("blue rate 2.5")
	p.expect(`infusim: done pump=blue command="rate 2.5"`)
	p.say("blue nonsense")
	if got := p.expect("infusim: error="); !strings.Contains(got, "occlude") {
		t.Error(got)
	}
	p.say("green stop")
	if got := p.expect("infusim: error="); !strings.Contains(got, "blue, red") {
		t.Error(got)
	}
	p.say("help")
	p.expect("status, help, quit")
	if code, out, errs := send(t, address, "blue", "occlude", "side=upstream"); code != 0 || !strings.Contains(out, "pump=blue state=running programmed_rate_ml_per_h=2.50") {
		t.Errorf("send: %d %s %s", code, out, errs)
	}
	if code, out, _ := send(t, address, "blue", "clock", "-30s"); code != 0 {
		t.Errorf("a value with a minus: %d %s", code, out)
	}
	if code, out, _ := send(t, address, "status"); code != 0 || strings.Count(out, "infusim: status") != 2 {
		t.Errorf("send status: %d %s", code, out)
	}
	if code, _, errs := send(t, address, "blue", "rate", "fast"); code != 1 || !strings.Contains(errs, "not a number") {
		t.Errorf("send of nonsense: %d %s", code, errs)
	}
	if code, _, errs := send(t, address, "blue"); code != 1 || !strings.Contains(errs, "PUMP COMMAND") {
		t.Errorf("send of half a command: %d %s", code, errs)
	}
	p.say("blue status")
	p.expect("infusim: status pump=blue")
	p.say("quit")
	p.end()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := launch(ctx, t, "run", "--pump", "name=blue", "--control", "off")
	p.expect("infusim: ready")
	if err := p.in.Close(); err != nil { // the end of the input ends nothing
		t.Fatal(err)
	}
	cancel()
	p.end()
}

// TestFleetWithTruth runs a plan and leaves the ground truth behind.
func TestFleetWithTruth(t *testing.T) {
	dir := t.TempDir()
	truth := filepath.Join(dir, "truth.jsonl")
	p := launch(t.Context(), t, "run", "--fleet", "miva:2,asena:2", "--folder", filepath.Join(dir, "pumps"), "--truth", truth, "--control", "off")
	if got := p.expect("infusim: pump=asena-01"); !strings.Contains(got, "model=asena serial=SIM0-00003 port="+filepath.Join(dir, "pumps", "asena-01")) {
		t.Error(got)
	}
	p.expect("infusim: ready pumps=4")
	p.say("miva-02 disconnect")
	p.expect("infusim: done pump=miva-02")
	p.say("quit")
	p.end()
	b, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{`"pump":"asena-02","why":"end"`, `"why":"command","command":"disconnect"`, `"disconnected":true`} {
		if !strings.Contains(string(b), says) {
			t.Errorf("the ground truth does not hold %s:\n%s", says, b)
		}
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, row := range []struct {
		args []string
		says string
	}{
		{[]string{"run"}, "--pump"},
		{[]string{"run", "--fleet", "miva:many"}, "MODEL:PUMPS"},
		{[]string{"run", "--pump", "name=blue,model=nonsense"}, "asena"},
		{[]string{"run", "--pump", "name=blue", "--control", "off", "--truth", "/nowhere/truth"}, "truth"},
		{[]string{"run", "--pump", "name=blue,colour=red"}, "compliance"},
		{[]string{"run", "--pump", "name=blue", "--control", "0.0.0.0:7070"}, "loopback"},
		{[]string{"run", "--pump", "name=blue", "--speed", "-1", "--control", "off"}, "speed"},
		{[]string{"send", "--control", "127.0.0.1:1", "status"}, "refused"},
		{[]string{"nonsense"}, "nonsense"},
	} {
		var out, errs bytes.Buffer
		if code := realMain(t.Context(), row.args, streams{strings.NewReader(""), &out, &errs}); code == 0 || !strings.Contains(errs.String(), row.says) {
			t.Errorf("%v: %d %s, want it to say %q", row.args, code, errs.String(), row.says)
		}
	}
}

func TestHelpAndModels(t *testing.T) {
	for _, row := range []struct {
		args []string
		says []string
	}{
		{[]string{"--help"}, []string{"run", "send", "models"}},
		{[]string{"run", "--help"}, []string{"mL/h", "occlude", "compliance", "quit", "--seed"}},
		{[]string{"models"}, []string{"miva", "9600", "line pressure", "asena", "38400", "one at a time", "occlusion_downstream"}},
		{[]string{"faults"}, []string{"unplug", "swap", "babble", "truncate", "serial NUMBER"}},
	} {
		var out, errs bytes.Buffer
		if code := realMain(t.Context(), row.args, streams{strings.NewReader(""), &out, &errs}); code != 0 {
			t.Errorf("%v: %d %s", row.args, code, errs.String())
		}
		for _, s := range row.says {
			if !strings.Contains(out.String(), s) {
				t.Errorf("%v does not say %q:\n%s", row.args, s, out.String())
			}
		}
	}
}
