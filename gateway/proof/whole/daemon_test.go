package whole

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"infusiond/gateway/proof/parts"
)

// daemon is one running infusiond.
type daemon struct {
	t      *testing.T
	cmd    *exec.Cmd
	output *output
	done   chan struct{} // closed when the process has ended
	page   string        // http://127.0.0.1:port
}

// start runs infusiond with the arguments and waits until it says where its page is. It ends with
// the test; what it wrote is shown when the test fails.
func start(t *testing.T, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, output: newOutput(), done: make(chan struct{})}
	// The context of a test ends before its cleanups; the process ends in one.
	d.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), program(), args...)
	d.cmd.Stdout, d.cmd.Stderr = d.output, d.output
	if err := d.cmd.Start(); err != nil {
		t.Fatalf("start infusiond: %v", err)
	}
	go func() {
		defer close(d.done)
		_ = d.cmd.Wait() // ProcessState tells
	}()
	t.Cleanup(func() {
		d.kill()
		if t.Failed() {
			t.Logf("infusiond %s wrote:\n%s", strings.Join(args, " "), d.output)
		}
	})
	d.page = d.output.wait(d, regexp.MustCompile(`(?m)^page: (\S+)$`))
	return d
}

// run runs infusiond to its end.
func run(t *testing.T, args ...string) (code int, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), parts.Patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, program(), args...).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(out)
	}
	if err != nil {
		t.Fatalf("infusiond %s: %v", strings.Join(args, " "), err)
	}
	return 0, string(out)
}

// kill ends the process as a power cut would.
func (d *daemon) kill() {
	if err := d.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.t.Errorf("kill infusiond: %v", err)
	}
	<-d.done
}

// stop ends the process in order; anything but exit code 0 fails the test.
func (d *daemon) stop() {
	d.t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatalf("stop infusiond: %v", err)
	}
	limit := time.NewTimer(parts.Patience)
	defer limit.Stop()
	select {
	case <-d.done:
	case <-limit.C:
		d.t.Fatal("infusiond ignored SIGTERM")
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		d.t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
}

// output keeps what a process writes.
type output struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	arrived chan struct{} // closed and replaced at each write
}

func newOutput() *output { return &output{arrived: make(chan struct{})} }

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.arrived)
	o.arrived = make(chan struct{})
	return o.buf.Write(b)
}

func (o *output) String() string {
	text, _ := o.look()
	return text
}

func (o *output) look() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String(), o.arrived
}

// wait returns the first group of a pattern once the process has written it.
func (o *output) wait(d *daemon, pattern *regexp.Regexp) string {
	d.t.Helper()
	limit := time.NewTimer(parts.Patience)
	defer limit.Stop()
	for {
		text, arrived := o.look()
		if found := pattern.FindStringSubmatch(text); found != nil {
			return found[1]
		}
		select {
		case <-arrived:
		case <-d.done:
			d.t.Fatalf("infusiond ended before it wrote %s", pattern)
		case <-limit.C:
			d.t.Fatalf("infusiond did not write %s", pattern)
		}
	}
}
