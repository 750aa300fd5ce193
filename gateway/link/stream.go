//go:build linux

package link

import (
	"context"
	"net"
	"time"
)

const (
	dialTimeout = 3 * time.Second
	// A read deadline in the past returns without looking, so the shortest look takes a moment.
	shortest = time.Millisecond
)

// streamLine is a TCP connection to a serial server such as ser2net.
type streamLine struct{ conn net.Conn }

// dial connects to a serial server; a peer that is gone is noticed within about 25 s of silence.
func dial(ctx context.Context, address, host string) (line, error) {
	d := net.Dialer{Timeout: dialTimeout, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}
	conn, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, openError(address, err)
	}
	return &streamLine{conn}, nil
}

func (l *streamLine) read(b []byte, d time.Duration) (int, error) {
	if err := l.conn.SetReadDeadline(time.Now().Add(max(d, shortest))); err != nil {
		return 0, err
	}
	return l.conn.Read(b)
}

func (l *streamLine) write(b []byte, d time.Duration) (int, error) {
	if err := l.conn.SetWriteDeadline(time.Now().Add(max(d, shortest))); err != nil {
		return 0, err
	}
	return l.conn.Write(b)
}

func (l *streamLine) check() error { return nil }

func (l *streamLine) close() error { return l.conn.Close() }
