package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// TCP is a pump behind a serial server: one host at a time, raw bytes.
type TCP struct {
	pace    Pace
	address string        // with the port that was given
	changed chan struct{} // one slot: plugged in anew

	mu       sync.Mutex // guards what follows
	listener net.Listener
	host     net.Conn
}

// ListenTCP listens on address (host:port; port 0 takes a free one).
func ListenTCP(address string, pace Pace) (*TCP, error) {
	t := &TCP{pace: pace, address: address, changed: make(chan struct{}, 1)}
	if err := t.Plug(); err != nil {
		return nil, err
	}
	return t, nil
}

// Plug listens again on the same address.
func (t *TCP) Plug() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.listener != nil {
		return ErrPlugged
	}
	where, err := net.ResolveTCPAddr("tcp", t.address)
	if err != nil {
		return fmt.Errorf("address of the serial server: %w", err)
	}
	l, err := net.ListenTCP("tcp", where)
	if err != nil {
		return fmt.Errorf("listen for hosts: %w", err)
	}
	t.listener, t.address = l, l.Addr().String()
	select {
	case t.changed <- struct{}{}:
	default:
	}
	return nil
}

// Address returns the address under which a host connects.
func (t *TCP) Address() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.address
}

// Plugged says whether hosts can connect.
func (t *TCP) Plugged() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.listener != nil
}

// Drop closes the connection of the host, who may connect again.
func (t *TCP) Drop() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.host == nil {
		return nil
	}
	return t.host.Close()
}

// Unplug drops the host and refuses further connections.
func (t *TCP) Unplug() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.listener == nil {
		return ErrUnplugged
	}
	err := t.listener.Close()
	if t.host != nil {
		err = errors.Join(err, t.host.Close())
	}
	t.listener = nil
	return err
}

// Run serves the pump to one host at a time until ctx ends, and closes everything then.
func (t *TCP) Run(ctx context.Context, pump Pump) error {
	stop := context.AfterFunc(ctx, func() { _ = t.Unplug() }) // wakes Accept
	defer stop()
	for ctx.Err() == nil {
		t.mu.Lock()
		listener := t.listener
		t.mu.Unlock()
		if listener == nil {
			select {
			case <-ctx.Done():
			case <-t.changed:
			}
			continue
		}
		host, err := listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				continue
			}
			return fmt.Errorf("accept host: %w", err)
		}
		t.take(host)
		serve(ctx, host, pump, t.pace, func() {})
		t.take(nil)
		_ = host.Close() // closed twice when it was dropped
	}
	if err := t.Unplug(); err != nil && !errors.Is(err, ErrUnplugged) {
		return err
	}
	return nil
}

func (t *TCP) take(host net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.host = host
}
