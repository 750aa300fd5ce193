package parts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Patience bounds every wait for a server or a message. It is generous because the
// machine may be busy; nothing waits that long when all is well.
const Patience = 2 * time.Minute

// stopFor is how long a server may take to end by itself before it is killed.
const stopFor = 20 * time.Second

// process is one server program that can be stopped and started again.
type process struct {
	name  string
	argv  []string
	ready func(context.Context) error // nil error: the server answers
	log   *logBuffer

	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended
}

// watch ends the process with the test and shows its log when the test failed.
func (p *process) watch(t TB) {
	t.Helper()
	t.Cleanup(func() {
		if err := p.stop(syscall.SIGTERM); err != nil {
			t.Errorf("stop %s: %v", p.name, err)
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", p.name, p.log.String())
		}
	})
}

// start runs the program and waits until it answers.
func (p *process) start() error {
	if p.cmd != nil {
		return fmt.Errorf("%s is running already", p.name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	// The program outlives this call; stop ends it.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.argv[0], p.argv[1:]...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := cmd.Wait(); err != nil {
			p.log.note(p.name + " ended: " + err.Error())
		}
	}()
	p.cmd, p.done = cmd, done
	return p.await(ctx)
}

// await asks until the server answers, has ended or the patience is over.
func (p *process) await(ctx context.Context) error {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			p.cmd = nil
			return fmt.Errorf("%s ended before it answered: %w; its log:\n%s", p.name, err, p.log.String())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s does not answer: %w", p.name, err), p.stop(syscall.SIGKILL))
		case <-again.C:
		}
	}
}

// stop signals the program and waits for its end. A stopped program is no error.
func (p *process) stop(signal syscall.Signal) error {
	if p.cmd == nil {
		return nil
	}
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	p.cmd = nil
	limit := time.NewTimer(stopFor)
	defer limit.Stop()
	select {
	case <-p.done:
		return nil
	case <-limit.C:
	}
	return fmt.Errorf("%s ignored %v for %v", p.name, signal, stopFor)
}

// logBuffer keeps the last part of what a server wrote.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

var _ io.Writer = (*logBuffer)(nil)

// Write implements io.Writer.
func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	const limit = 256 << 10
	if l.buf.Len() > limit {
		l.buf.Next(l.buf.Len() - limit/2)
	}
	return l.buf.Write(b)
}

// note adds a line of our own.
func (l *logBuffer) note(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.WriteString(line + "\n")
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// FreePort finds a loopback TCP port that nobody listens on. It lies below the range that
// the kernel gives to outgoing connections: no client takes it while a server restarts,
// and no dial to it can reach itself.
func FreePort(t TB) int {
	t.Helper()
	for range 1000 {
		port := 20000 + rand.IntN(12000)
		var listen net.ListenConfig
		l, err := listen.Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatalf("close the probed port: %v", err)
		}
		return port
	}
	t.Fatal("no free port between 20000 and 32000 on 127.0.0.1")
	return 0
}

// dial says whether something accepts connections at addr.
func dial(ctx context.Context, addr string) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// moduleRoot is the folder of go.mod, above the directory of the test.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}
