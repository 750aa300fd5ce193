package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// group is the started programs, in the order of their start.
type group struct {
	ended     chan string
	processes []*process
}

type process struct {
	name    string
	command *exec.Cmd
	log     *os.File
	done    chan struct{}
	err     error // valid after done

	mu       sync.Mutex
	stopping bool
}

func newGroup() (*group, <-chan string) {
	ended := make(chan string, 8)
	return &group{ended: ended}, ended
}

// start starts a program, which outlives ctx until stop ends it. Its output goes to a file, and to the terminal when it ends by itself.
func (g *group) start(ctx context.Context, program, dir, name string, args ...string) error {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, command: exec.CommandContext(context.WithoutCancel(ctx), program, args...), log: log, done: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = log, log
	// A group of its own: Ctrl-C reaches only this program, which stops the others in order.
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := p.command.Start(); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", name, err), log.Close())
	}
	g.processes = append(g.processes, p)
	go func() {
		p.err = p.command.Wait()
		close(p.done)
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.stopping {
			p.show()
			g.ended <- name
		}
	}()
	return nil
}

func (p *process) show() {
	data, err := os.ReadFile(p.log.Name())
	if err != nil {
		return
	}
	lines := bytes.Split(data, []byte("\n"))
	if len(lines) > 40 {
		lines = lines[len(lines)-40:]
	}
	_, _ = fmt.Fprintf(os.Stderr, "%s ended: %v\n%s\n", p.name, p.err, bytes.Join(lines, []byte("\n")))
}

// stop ends the programs with TERM, the last started first, and kills what takes longer than 15 s.
func (g *group) stop() error {
	var errs []error
	for _, p := range slices.Backward(g.processes) {
		p.mu.Lock()
		p.stopping = true
		p.mu.Unlock()
		_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended already
		select {
		case <-p.done:
		case <-time.After(15 * time.Second):
			errs = append(errs, fmt.Errorf("%s did not stop within 15 s and was killed", p.name), p.command.Process.Kill())
			<-p.done
		}
		errs = append(errs, p.log.Close())
	}
	return errors.Join(errs...)
}
