package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
)

// TB is what the parts need of a test. *testing.T has it; Program gives it to a program
// that is no test. It is wide because testing.TB, which it stands for, is.
type TB interface {
	Helper()
	Context() context.Context // ends just before the functions of Cleanup run
	TempDir() string
	Cleanup(f func())
	Failed() bool
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Program runs body as if it were a test: its files lie below dir, and what it started is
// stopped, the last first, before Program returns. The error holds everything that Errorf, Fatal and
// Fatalf said; what Logf said follows when there was an error. Folders stay with dir.
func Program(ctx context.Context, dir string, body func(t TB)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &program{ctx: ctx, dir: dir}
	do := func(f func()) { // Fatal ends only the goroutine of f
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		<-done
	}
	do(func() { body(p) })
	cancel()
	for f := p.pop(); f != nil; f = p.pop() {
		do(f)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.errs) == 0 {
		return nil
	}
	return errors.Join(append(p.errs, p.notes...)...)
}

// program is the TB of a program.
type program struct {
	ctx context.Context //nolint:containedctx // as testing.T holds its own
	dir string

	mu       sync.Mutex // guards what follows
	folders  int
	cleanups []func()
	errs     []error
	notes    []error
}

func (p *program) pop() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.cleanups) == 0 {
		return nil
	}
	last := p.cleanups[len(p.cleanups)-1]
	p.cleanups = p.cleanups[:len(p.cleanups)-1]
	return last
}

// Helper implements TB.
func (p *program) Helper() {}

// Context implements TB.
func (p *program) Context() context.Context { return p.ctx }

// TempDir implements TB.
func (p *program) TempDir() string {
	p.mu.Lock()
	p.folders++
	dir := filepath.Join(p.dir, strconv.Itoa(p.folders))
	p.mu.Unlock()
	if err := os.Mkdir(dir, 0o700); err != nil {
		p.Fatal(err)
	}
	return dir
}

// Cleanup implements TB.
func (p *program) Cleanup(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, f)
}

// Failed implements TB.
func (p *program) Failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.errs) > 0
}

// Logf implements TB.
func (p *program) Logf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes = append(p.notes, fmt.Errorf(format, args...))
}

// Errorf implements TB.
func (p *program) Errorf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, fmt.Errorf(format, args...))
}

// Fatal implements TB.
func (p *program) Fatal(args ...any) {
	p.Errorf("%s", fmt.Sprint(args...))
	runtime.Goexit()
}

// Fatalf implements TB.
func (p *program) Fatalf(format string, args ...any) {
	p.Errorf(format, args...)
	runtime.Goexit()
}
