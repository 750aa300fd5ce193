package line

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// pushing is a pump that sends a numbered frame every so often and answers with one byte.
type pushing struct {
	every  time.Duration
	size   int
	now    func() time.Duration
	next   time.Duration
	pushed int
	asked  int
	hung   bool
}

func (p *pushing) Exchange([]byte) ([]byte, time.Duration) { return []byte{0xAA}, 0 }
func (p *pushing) PushEvery() time.Duration                { return p.every }
func (p *pushing) Hangs() bool                             { return p.hung }

func (p *pushing) Unsolicited() []byte {
	p.asked++
	if p.every == 0 || p.now() < p.next {
		return nil
	}
	p.next = p.now() + p.every
	p.pushed++
	return bytes.Repeat([]byte{byte(p.pushed)}, p.size)
}

func pushLine(every time.Duration, size int) (*pushing, *Memory) {
	p := &pushing{every: every, size: size, next: every}
	m := NewMemory(p, Pace{Baud: 9600}, func(time.Duration) {})
	p.now = m.Now
	return p, m
}

// TestPushedFramesArriveWhenTheyWereSent: a long pass holds every frame, each at its own time.
func TestPushedFramesArriveWhenTheyWereSent(t *testing.T) {
	p, m := pushLine(200*time.Millisecond, 48) // 50 ms on the wire
	m.Pass(10 * time.Second)
	if p.pushed != 50 {
		t.Fatalf("%d frames in 10 s, want 50", p.pushed)
	}
	if p.asked > 60 {
		t.Errorf("asked %d times for 50 frames", p.asked)
	}
	if err := m.ResetInputBuffer(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 256)
	n, err := m.Read(b)
	if at := m.Now() % (200 * time.Millisecond); err != nil || n != 48 || b[0] != 50 || at != 50*time.Millisecond {
		t.Errorf("read %d bytes of frame %d, %v after its beginning, %v; want the 48 of frame 50 after 50 ms", n, b[0], at, err)
	}
	if n, err := m.Read(b); err != nil || n != 48 || b[0] != 51 {
		t.Errorf("read %d bytes of frame %d, %v; frames are not pushed while nobody waits", n, b[0], err)
	}
}

// TestPushedBytesOccupyTheLine: 240 bytes take 250 ms at 9600 baud, so that no more than 4 frames a second leave,
// and an answer waits behind the bytes that are leaving.
func TestPushedBytesOccupyTheLine(t *testing.T) {
	p, m := pushLine(100*time.Millisecond, 240)
	m.Pass(10 * time.Second)
	if p.pushed < 39 || p.pushed > 40 {
		t.Errorf("%d frames in 10 s, want what the line carries, 40", p.pushed)
	}
	if err := m.ResetInputBuffer(); err != nil {
		t.Fatal(err)
	}
	begin := m.Now()
	if _, err := m.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for b := make([]byte, 256); len(got) == 0 || got[len(got)-1] != 0xAA; {
		n, err := m.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b[:n]...)
	}
	if took := m.Now() - begin; took < m.pace.Of(len(got)-part) { // a part was under way already
		t.Errorf("%d bytes in %v: faster than the line", len(got), took)
	}
}

// TestAHostThatDoesNotReadLosesBytes: what nobody reads is bounded.
func TestAHostThatDoesNotReadLosesBytes(t *testing.T) {
	_, m := pushLine(200*time.Millisecond, 100)
	m.Pass(time.Hour)
	if m.held > room || m.held < room-100 {
		t.Errorf("%d bytes wait, want at most %d", m.held, room)
	}
	if err := m.ResetInputBuffer(); err != nil || m.held > 200 {
		t.Errorf("%d bytes after a reset, %v", m.held, err)
	}
}

func TestLongAnswersComeInParts(t *testing.T) {
	m := NewMemory(&answering{}, Pace{Baud: 9600}, func(time.Duration) {})
	if _, err := m.Write(make([]byte, 1200)); err != nil {
		t.Fatal(err)
	}
	begin := m.Now()
	n, err := m.Read(make([]byte, 4096))
	if err != nil || n >= 1203 || m.Now()-begin > 100*time.Millisecond {
		t.Errorf("first %d bytes after %v, %v; a block of 1.25 s is not silent for so long", n, m.Now()-begin, err)
	}
}

// TestServePushes in a bubble's own time: five frames a second while the host says nothing, and between its queries.
func TestServePushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		host, pump := net.Pipe()
		begin := time.Now()
		p := &pushing{every: 200 * time.Millisecond, size: 16, now: func() time.Duration { return time.Since(begin) }}
		done := make(chan struct{})
		go func() {
			defer close(done)
			serve(ctx, pump, p, Pace{Baud: 9600}, func() {})
		}()
		count := func(d time.Duration) (frames, answers int) {
			if err := host.SetReadDeadline(time.Now().Add(d)); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 64)
			for {
				n, err := host.Read(b)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					return frames, answers
				}
				if err != nil {
					t.Fatal(err)
				}
				if n == 16 {
					frames++
				} else {
					answers += n
				}
			}
		}
		if frames, _ := count(4100 * time.Millisecond); frames < 16 || frames > 21 {
			t.Errorf("%d frames in 4.1 s, want about 18 (200 ms and 17 ms on the wire)", frames)
		}
		pushed, answers := 0, 0
		for range 40 { // a host that asks every 100 ms
			if _, err := host.Write([]byte("?")); err != nil {
				t.Fatal(err)
			}
			f, a := count(100 * time.Millisecond)
			pushed, answers = pushed+f, answers+a
		}
		if answers < 39 || pushed < 14 {
			t.Errorf("%d answers and %d frames in 4 s of queries, want 40 and about 18", answers, pushed)
		}
		synctest.Wait()
		p.every = 10 * time.Millisecond // more than the line carries
		if _, err := host.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
		if frames, answers := count(time.Second); answers != 1 || frames < 40 {
			t.Errorf("a busy line gave %d answers and %d frames in a second, want 1 and about 45", answers, frames)
		}
		cancel()
		<-done
	})
}
