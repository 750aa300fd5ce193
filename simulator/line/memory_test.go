package line

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

var slow = Pace{Baud: 9600, Gap: 5 * time.Millisecond}

func TestPaceOfNineThousandSixHundredBaud(t *testing.T) {
	if got := slow.Of(46); got < 47*time.Millisecond || got > 48*time.Millisecond {
		t.Errorf("46 bytes take %v, the protocol document says 48 ms", got)
	}
}

// TestServeKeepsTheBaudRate measures in a bubble's own time when the pieces of an answer arrive.
// Covers GW-122.
func TestServeKeepsTheBaudRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		host, pump := net.Pipe()
		done := make(chan struct{})
		w := &witness{}
		go func() {
			defer close(done)
			serve(ctx, pump, w, slow, func() {})
		}()
		begin := time.Now()
		if _, err := host.Write([]byte("RE00000010")); err != nil { // ten bytes; thirteen come back
			t.Fatal(err)
		}
		got := 0
		for got < 13 {
			n, err := host.Read(make([]byte, 64))
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
		if took, want := time.Since(begin), slow.Of(10)+slow.Gap+slow.Of(13); took != want {
			t.Errorf("answer complete after %v, want %v", took, want)
		}
		cancel()
		<-done
		if len(w.left) != 1 || w.left[0].Sub(begin) != slow.Of(10)+slow.Gap+slow.Of(13) {
			t.Errorf("the pump was told %v, want once, when the answer was complete", w.left)
		}
	})
}

// witness notes when its answers leave.
type witness struct {
	answering
	left []time.Time
}

func (w *witness) Leaves(at time.Time) { w.left = append(w.left, at) }

func TestMemoryTakesTheTimeOfTheLine(t *testing.T) {
	var passed time.Duration
	m := NewMemory(&answering{}, slow, func(d time.Duration) { passed += d })
	if _, err := m.Write([]byte("RE00000010")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	var got string
	for len(got) < 13 {
		n, err := m.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got += string(b[:n])
	}
	want := slow.Of(10) + slow.Gap + slow.Of(13)
	if got != "ok:RE00000010" || m.Now() != want || passed != want {
		t.Errorf("%q after %v, model %v; want %v", got, m.Now(), passed, want)
	}
	if _, err := m.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("silence is %v", err)
	}
	if got := m.Now() - want; got != 500*time.Millisecond {
		t.Errorf("silence took %v, want the read timeout", got)
	}
}

func TestMemoryResetDropsWhatHasArrived(t *testing.T) {
	m := NewMemory(&answering{}, slow, func(time.Duration) {})
	for _, text := range []string{"a", "b"} {
		if _, err := m.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	m.Pass(9 * time.Millisecond) // "ok:a" is complete, "ok:b" still under way
	if err := m.ResetInputBuffer(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	if n, err := m.Read(b); err != nil || string(b[:n]) != "ok:b" {
		t.Errorf("read %q, %v", b[:n], err)
	}
	m.SetGone(true)
	if _, err := m.Read(b); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read of an unplugged line: %v", err)
	}
	if _, err := m.Write(b); err == nil {
		t.Error("write to an unplugged line succeeded")
	}
}
