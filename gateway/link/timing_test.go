//go:build linux

package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// fakeLine is a line in virtual time: what is sent to it can be answered, and its reads are counted.
type fakeLine struct {
	net.Conn // one end of a net.Pipe
	reads    int
	takes    int // bytes per write, 0 for all, negative for none
	sent     []byte
	sentAt   []time.Time
	checked  error
	hang     chan struct{} // close waits for it, when set
}

func (f *fakeLine) read(b []byte, d time.Duration) (int, error) {
	f.reads++
	return (&streamLine{f.Conn}).read(b, d)
}

func (f *fakeLine) write(b []byte, d time.Duration) (int, error) {
	if f.takes < 0 {
		time.Sleep(d) // virtual
		return 0, os.ErrDeadlineExceeded
	}
	if f.takes > 0 {
		b = b[:min(f.takes, len(b))]
	}
	f.sent = append(f.sent, b...)
	f.sentAt = append(f.sentAt, time.Now())
	return len(b), nil
}

func (f *fakeLine) check() error { return f.checked }

func (f *fakeLine) close() error {
	if f.hang != nil {
		<-f.hang
	}
	return f.Close()
}

// paced is a fake pump at the other end that sends text after turnaround, byte by byte at byteTime.
func paced(t *testing.T, far net.Conn, text string, turnaround, byteTime time.Duration) {
	time.Sleep(turnaround)
	for i := range text {
		time.Sleep(byteTime)
		if _, err := far.Write([]byte{text[i]}); err != nil {
			t.Errorf("far end: %v", err)
		}
	}
}

// buffered makes a line that keeps what arrives until it is read, as a kernel does.
type buffered struct {
	*fakeLine
	in chan byte
}

func (b *buffered) read(p []byte, d time.Duration) (int, error) {
	b.reads++
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case p[0] = <-b.in:
	case <-timer.C:
		return 0, os.ErrDeadlineExceeded
	}
	for n := 1; n < len(p); n++ {
		select {
		case p[n] = <-b.in:
		default:
			return n, nil
		}
	}
	return len(p), nil
}

// slow is a profile at 9600 baud: 1 byte takes 1041.666 µs.
func slow(gap time.Duration) Options {
	profile := testProfile()
	profile.Line.Baud = 9600
	profile.CommandGap = gap
	return Options{Address: "fake", Profile: profile, Clock: testClock()}
}

const slowByte = 10 * time.Second / 9600

func TestReplyCostsFewReads(t *testing.T) {
	for _, tt := range []struct {
		name       string
		turnaround time.Duration
		most       int
	}{
		{name: "at once", turnaround: 0, most: 1},
		{name: "after 3 ms", turnaround: 3 * time.Millisecond, most: 2},
		{name: "after 100 ms", turnaround: 100 * time.Millisecond, most: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := &buffered{fakeLine: &fakeLine{}, in: make(chan byte, 64)}
				p := newPort(ln, slow(0), t.Context().Done())
				mustTimeout(t, p, time.Second)
				mustWrite(t, p, "RE0000000A\r")
				start := time.Now()
				const reply = "REPLIED\r"
				go func() {
					time.Sleep(11*slowByte + tt.turnaround) // the query needs its time, too
					for i := range reply {
						time.Sleep(slowByte)
						ln.in <- reply[i]
					}
				}()
				mustRead(t, p, reply)
				if ln.reads > tt.most {
					t.Errorf("%d reads for one reply, want at most %d", ln.reads, tt.most)
				}
				want := (11+8)*slowByte + tt.turnaround
				if took := time.Since(start); took < want || took > want+2*slowByte {
					t.Errorf("reply after %v, want %v", took, want)
				}
			})
		})
	}
}

func TestReadTimeoutIncludesTheWireTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &buffered{fakeLine: &fakeLine{}, in: make(chan byte)}
		p := newPort(ln, slow(0), t.Context().Done())
		for _, timeout := range []time.Duration{5 * time.Millisecond, 450 * time.Millisecond} {
			mustTimeout(t, p, timeout)
			mustWrite(t, p, "RE0000000A\r")
			start := time.Now()
			if n, err := p.Read(make([]byte, 8)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read = %d, %v, want a timeout", n, err)
			}
			if took := time.Since(start); took != timeout {
				t.Errorf("timeout after %v, want %v", took, timeout)
			}
		}
	})
}

func TestCommandGap(t *testing.T) {
	const gap = 50 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		ln := &buffered{fakeLine: &fakeLine{}, in: make(chan byte, 8)}
		p := newPort(ln, slow(gap), t.Context().Done())
		mustWrite(t, p, "Q1\r")
		mustWrite(t, p, "Q1\r")
		if d := ln.sentAt[1].Sub(ln.sentAt[0]); d != 3*slowByte+gap {
			t.Errorf("second query after %v, want the first's %v and the gap of %v", d, 3*slowByte, gap)
		}
		time.Sleep(time.Second)
		ln.in <- 'x'
		mustRead(t, p, "x")
		last := time.Now()
		mustWrite(t, p, "Q1\r")
		if d := ln.sentAt[2].Sub(last); d != gap {
			t.Errorf("query %v after the last byte received, want %v", d, gap)
		}
		time.Sleep(time.Second)
		last = time.Now()
		mustWrite(t, p, "Q1\r")
		if d := ln.sentAt[3].Sub(last); d != 0 {
			t.Errorf("query waited %v although the line was idle", d)
		}
	})
}

func TestClosingUnblocksTheGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := newPort(&fakeLine{}, slow(time.Hour), ctx.Done()) // capped to maxGap
		mustWrite(t, p, "Q1\r")
		start := time.Now()
		mustWrite(t, p, "Q1\r")
		if d := time.Since(start); d != maxGap+3*slowByte {
			t.Errorf("gap of %v, want it capped at %v", d, maxGap)
		}
		time.AfterFunc(time.Second, cancel)
		start = time.Now()
		if n, err := p.Write([]byte("Q1\r")); n != 0 || !errors.Is(err, os.ErrClosed) {
			t.Errorf("write = %d, %v, want os.ErrClosed", n, err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("unblocked after %v, want 1s", d)
		}
	})
}

func TestShortWritesAreCompleted(t *testing.T) {
	ln := &fakeLine{takes: 1}
	p := newPort(ln, slow(0), t.Context().Done())
	mustWrite(t, p, "RE0000000A\r")
	if string(ln.sent) != "RE0000000A\r" || len(ln.sentAt) != 11 {
		t.Errorf("sent %q in %d writes", ln.sent, len(ln.sentAt))
	}
}

// Covers GW-04.
func TestStuckWriteEndsThePort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(&fakeLine{takes: -1}, slow(0), t.Context().Done())
		start := time.Now()
		if n, err := p.Write([]byte("Q1\r")); n != 0 || !errors.Is(err, ErrLost) {
			t.Errorf("write = %d, %v, want ErrLost", n, err)
		}
		if d := time.Since(start); d < writeLimit || d > writeLimit+slice {
			t.Errorf("gave up after %v, want %v", d, writeLimit)
		}
	})
}

type oneRead struct {
	fakeLine
	b   string
	err error
}

func (o *oneRead) read(b []byte, _ time.Duration) (int, error) { return copy(b, o.b), o.err }

func TestOddReads(t *testing.T) {
	odd := errors.New("odd")
	for _, tt := range []struct {
		name  string
		line  oneRead
		bytes int
		next  error
	}{
		{name: "readable without a byte", line: oneRead{}, next: ErrLost},
		{name: "bytes and an error", line: oneRead{b: "ab", err: odd}, bytes: 2, next: odd},
		{name: "bytes and a timeout", line: oneRead{b: "ab", err: os.ErrDeadlineExceeded}, bytes: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPort(&tt.line, slow(0), t.Context().Done())
			n, err := p.Read(make([]byte, 4))
			if n != tt.bytes || (n == 0) == (err == nil) {
				t.Errorf("read = %d, %v, want %d bytes", n, err, tt.bytes)
			}
			if _, err := p.Write([]byte("Q1\r")); !errors.Is(err, tt.next) || (tt.next == nil) != (err == nil) {
				t.Errorf("next call = %v, want %v", err, tt.next)
			}
		})
	}
	if n, err := newPort(&fakeLine{}, slow(0), t.Context().Done()).Read(nil); n != 0 || err == nil {
		t.Errorf("read into nothing = %d, %v, want an error", n, err)
	}
}

// Covers GW-04.
func TestBabbleEndsThePort(t *testing.T) {
	p := newPort(&oneRead{b: strings.Repeat("U", 256)}, slow(0), t.Context().Done())
	if err := p.ResetInputBuffer(); !errors.Is(err, ErrLost) {
		t.Errorf("reset = %v, want ErrLost", err)
	}
}

func TestExchangeOnANetPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		defer near.Close()
		p := newPort(&fakeLine{Conn: near}, slow(0), t.Context().Done())
		mustTimeout(t, p, time.Second)
		mustWrite(t, p, "Q1\r")
		go paced(t, far, "RUN\r", 20*time.Millisecond, slowByte)
		mustRead(t, p, "RUN\r")
		if n, err := p.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read = %d, %v, want a timeout", n, err)
		}
	})
}

// virtualLink is a Link whose open and look are fakes.
func virtualLink(t *testing.T, open func(ctx context.Context) (line, error), look func() string) *Link {
	l := newTestLink(t, "/dev/fake", nil)
	l.open, l.look = open, look
	return l
}

// Covers GW-02.
func TestBackoffIsJitteredAndCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		states := 0
		l := virtualLink(t, func(context.Context) (line, error) {
			at = append(at, time.Now())
			return nil, errors.New("busy")
		}, func() string { return "same" })
		if err := l.Run(ctx, nil, func(infusion.Link) { states++ }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // an attempt may have been left behind
		different := map[time.Duration]bool{}
		for i := 1; i < len(at); i++ {
			pause := at[i].Sub(at[i-1])
			different[pause] = true
			limit := min(maxBackoff, firstBackoff<<min(i-1, 10))
			if pause <= 0 || pause > limit {
				t.Errorf("pause %d = %v, want at most %v", i, pause, limit)
			}
		}
		if len(at) < 3600/5 || len(different) < len(at)/2 {
			t.Errorf("%d attempts in an hour with %d different pauses", len(at), len(different))
		}
		if states != 2 { // opening, absent
			t.Errorf("%d link states reported for one unchanged failure, want 2", states)
		}
	})
}

// Covers GW-03.
func TestReplugIsSeenWithinAQuarterSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var plugged atomic.Pointer[time.Time]
		time.AfterFunc(90*time.Minute, func() { now := time.Now(); plugged.Store(&now) })
		l := virtualLink(t, func(context.Context) (line, error) {
			if plugged.Load() == nil {
				return nil, os.ErrNotExist
			}
			near, _ := net.Pipe()
			return &fakeLine{Conn: near}, nil
		}, func() string { return fmt.Sprint(plugged.Load()) })
		err := l.Run(ctx, func(context.Context, drivers.Port) error {
			if d := time.Since(*plugged.Load()); d > lookEvery {
				t.Errorf("opened %v after it was plugged in, want within %v", d, lookEvery)
			}
			cancel()
			return nil
		}, func(infusion.Link) {})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Covers GW-03.
func TestFlappingPortIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		opened := 0
		l := virtualLink(t, func(context.Context) (line, error) {
			opened++
			near, _ := net.Pipe()
			return &fakeLine{Conn: near}, nil
		}, func() string { return "same" })
		if err := l.Run(ctx, func(context.Context, drivers.Port) error { return ErrLost }, func(infusion.Link) {}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // an attempt may have been left behind
		if opened > 400 || opened < 100 {
			t.Errorf("opened %d times in ten minutes, want about one in 2.5 s", opened)
		}
	})
}

// Covers GW-04.
func TestHangingOpenIsReportedAndNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		hang, calls, reason := make(chan struct{}), 0, ""
		near, _ := net.Pipe()
		l := virtualLink(t, func(context.Context) (line, error) {
			calls++
			<-hang
			return &fakeLine{Conn: near}, nil
		}, func() string { return "same" })
		ended := make(chan error)
		go func() {
			ended <- l.Run(ctx, nil, func(s infusion.Link) { reason = s.Reason })
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if calls != 1 || l.Pending() != 1 || !strings.Contains(reason, "has not answered") {
			t.Errorf("calls = %d, pending = %d, reason = %q", calls, l.Pending(), reason)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		close(hang)
		synctest.Wait()
		if l.Pending() != 0 {
			t.Errorf("pending = %d after the open returned", l.Pending())
		}
		if _, err := near.Write([]byte("x")); err == nil {
			t.Error("the line that was opened too late was not closed")
		}
	})
}

// Covers GW-04.
func TestHangingCloseIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		hang := make(chan struct{})
		lines := []*fakeLine{{hang: hang}, {}}
		for _, ln := range lines {
			ln.Conn, _ = net.Pipe()
		}
		round := 0
		l := virtualLink(t, func(context.Context) (line, error) { return lines[round], nil }, func() string { return "same" })
		err := l.Run(ctx, func(context.Context, drivers.Port) error {
			if round++; round == 2 {
				if l.Pending() != 1 {
					t.Errorf("pending = %d while a close hangs, want 1", l.Pending())
				}
				cancel()
			}
			return ErrLost
		}, func(infusion.Link) {})
		if err != nil || round != 2 {
			t.Errorf("run = %v after %d rounds", err, round)
		}
		close(hang)
		synctest.Wait()
		if l.Pending() != 0 {
			t.Errorf("pending = %d after the close returned", l.Pending())
		}
	})
}
