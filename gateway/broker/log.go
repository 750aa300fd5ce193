package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// bridge hands the server's warnings and errors to slog. The rest is not wanted.
type bridge struct {
	log *slog.Logger

	mu    sync.Mutex
	first error // the first fatal message
}

// fatal is the first fatal message, as an error.
func (b *bridge) fatal() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.first
}

// Fatalf keeps the message for Run, which returns it. It does not end the process.
func (b *bridge) Fatalf(format string, v ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first == nil {
		b.first = errors.New(fmt.Sprintf(format, v...)) //nolint:staticcheck // fmt.Errorf wants a constant format
	}
}

// Errorf logs an error of the server.
func (b *bridge) Errorf(format string, v ...any) {
	b.log.Error("embedded broker", slog.String("message", fmt.Sprintf(format, v...)))
}

// Warnf logs a warning of the server.
func (b *bridge) Warnf(format string, v ...any) {
	b.log.Warn("embedded broker", slog.String("message", fmt.Sprintf(format, v...)))
}

// Noticef logs what is of interest when looking for a fault.
func (b *bridge) Noticef(format string, v ...any) {
	b.log.Debug("embedded broker", slog.String("message", fmt.Sprintf(format, v...)))
}

// Debugf is not called: debugging is off.
func (*bridge) Debugf(string, ...any) {}

// Tracef is not called: tracing is off.
func (*bridge) Tracef(string, ...any) {}
