//go:build linux

package link

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// Covers GW-02, GW-05.
func TestReplugThroughASymlink(t *testing.T) {
	first, device := openPty(t)
	path := linkPath(t)
	relink(t, path, device)
	second, device2 := openPty(t)
	l := newTestLink(t, path, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var states []infusion.Link
	round := 0
	err := l.Run(ctx, func(_ context.Context, p drivers.Port) error {
		mustTimeout(t, p, patience)
		mustWrite(t, p, "RN\r")
		if round++; round == 1 {
			mustRead(t, first, "RN\r")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			go func() { _ = first.Close() }()
			_, err := p.Read(make([]byte, 1))
			return err
		}
		mustRead(t, second, "RN\r")
		cancel()
		return nil
	}, func(s infusion.Link) {
		states = append(states, s)
		if strings.HasPrefix(s.Reason, "open ") {
			relink(t, path, device2) // the cable is plugged in again
		}
	})
	if err != nil || round != 2 {
		t.Fatalf("run = %v after %d rounds, want nil after 2", err, round)
	}
	var got []infusion.LinkState
	for i, s := range states {
		got = append(got, s.State)
		if i > 0 && s.State == states[i-1].State && s.Since != states[i-1].Since {
			t.Errorf("since moved although the state stayed %s", s.State)
		}
		if (s.State == infusion.LinkAbsent) != (s.Reason != "") {
			t.Errorf("state %s with reason %q", s.State, s.Reason)
		}
	}
	want := []infusion.LinkState{
		infusion.LinkOpening, infusion.LinkIdentifying, infusion.LinkAbsent, // unplugged
		infusion.LinkOpening, infusion.LinkAbsent, // still unplugged
		infusion.LinkOpening, infusion.LinkIdentifying, // plugged in
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Covers GW-02.
func TestServeErrorReopens(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		reason string
	}{
		{name: "with an error", err: errors.New("emit: disk"), reason: "emit: disk"},
		{name: "without", reason: "closed to be opened anew"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, path := openPty(t)
			l := newTestLink(t, path, nil)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			rounds, reason := 0, ""
			err := l.Run(ctx, func(context.Context, drivers.Port) error {
				if rounds++; rounds == 3 {
					cancel()
				}
				return tt.err
			}, func(s infusion.Link) {
				if s.State == infusion.LinkAbsent {
					reason = s.Reason
				}
			})
			if err != nil || rounds != 3 || reason != tt.reason {
				t.Errorf("run = %v, rounds = %d, reason = %q", err, rounds, reason)
			}
		})
	}
}

// Covers GW-05.
func TestTCP(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	conns := make(chan net.Conn, 4)
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				close(conns)
				return
			}
			conns <- c
		}
	}()
	l := newTestLink(t, "tcp://"+server.Addr().String(), nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	rounds := 0
	err = l.Run(ctx, func(_ context.Context, p drivers.Port) error {
		far := <-conns
		defer far.Close()
		mustTimeout(t, p, patience)
		mustWrite(t, far, "stale")
		mustRead(t, p, "sta")
		if err := p.ResetInputBuffer(); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, p, "Q1\r")
		mustRead(t, far, "Q1\r")
		mustWrite(t, far, "OK")
		mustRead(t, p, "OK")
		mustTimeout(t, p, 0)
		if n, err := p.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read = %d, %v, want a timeout", n, err)
		}
		if n, err := p.Write([]byte("WR\r")); n != 0 || !errors.Is(err, drivers.ErrForbidden) {
			t.Errorf("write = %d, %v, want ErrForbidden", n, err)
		}
		if rounds++; rounds == 2 {
			cancel()
			return nil
		}
		if err := far.Close(); err != nil { // the server drops the connection
			t.Fatal(err)
		}
		mustTimeout(t, p, patience)
		n, err := p.Read(make([]byte, 1))
		if n != 0 || !errors.Is(err, ErrLost) {
			t.Errorf("read after the drop = %d, %v, want ErrLost", n, err)
		}
		return err
	}, func(infusion.Link) {})
	if err != nil || rounds != 2 {
		t.Errorf("run = %v after %d rounds, want nil after 2", err, rounds)
	}
}
