//go:build linux

package link

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// BenchmarkExchange measures one query and one reply of 42 bytes on a pty, with the far
// end answering at once. cpu-us/op is processor time of both ends together.
func BenchmarkExchange(b *testing.B) {
	profile := testProfile()
	profile.Allow = drivers.AllowList{{Name: "record", Exact: []byte("RE\r"), ReplyBytes: 42}}
	withPort(b, func(o *Options) { o.Profile = profile }, func(p drivers.Port, master *os.File) {
		go func() {
			query, reply := make([]byte, 8), make([]byte, 42)
			for {
				if _, err := master.Read(query); err != nil {
					return
				}
				if _, err := master.Write(reply); err != nil {
					return
				}
			}
		}()
		mustTimeout(b, p, patience)
		query, reply := []byte("RE\r"), make([]byte, 64)
		start := cpu(b)
		for b.Loop() {
			if err := p.ResetInputBuffer(); err != nil {
				b.Fatal(err)
			}
			if _, err := p.Write(query); err != nil {
				b.Fatal(err)
			}
			for got := 0; got < 42; {
				n, err := p.Read(reply)
				if err != nil {
					b.Fatal(err)
				}
				got += n
			}
		}
		b.ReportMetric(float64((cpu(b)-start).Microseconds())/float64(b.N), "cpu-us/op")
	})
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkReopen measures from the moment that a replugged device's path appears
// to the moment that a driver has the new port.
func BenchmarkReopen(b *testing.B) {
	path := linkPath(b)
	l := newTestLink(b, path, nil)
	ctx, cancel := context.WithCancel(b.Context())
	ports := make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- l.Run(ctx, func(ctx context.Context, p drivers.Port) error {
			select {
			case ports <- struct{}{}:
			case <-ctx.Done():
			}
			_, err := p.Read(make([]byte, 1))
			for err != nil && ctx.Err() == nil && !errors.Is(err, ErrLost) {
				_, err = p.Read(make([]byte, 1))
			}
			return err
		}, func(infusion.Link) {})
	}()
	for b.Loop() {
		master, device := openPty(b)
		relink(b, path, device)
		<-ports
		b.StopTimer()
		if err := os.Remove(path); err != nil {
			b.Fatal(err)
		}
		if err := master.Close(); err != nil {
			b.Fatal(err)
		}
		time.Sleep(400 * time.Millisecond) // unplugged long enough to be seen absent; a benchmark may sleep
		b.StartTimer()
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
