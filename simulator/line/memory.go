package line

import (
	"io"
	"os"
	"slices"
	"time"
)

// Memory is a line in virtual time: reading and writing let model time pass and
// never wait. It has the methods of a driver's port and belongs to one goroutine, with all lines of its Clock.
//
// The pump's bytes leave one after the other at the baud rate, whether they answer or
// come by themselves.
type Memory struct {
	clock   *Clock
	pump    Pump
	pace    Pace
	timeout time.Duration
	busy    time.Duration // until then the pump is sending
	ask     time.Duration // when the pump has to be asked for what it sends by itself
	arrives []parcel      // in the order of their arrival
	held    int           // bytes in arrives
	spare   [][]byte      // buffers of what was read
	gone    bool
	hung    bool
}

type parcel struct {
	at    time.Duration // when the last byte arrives
	bytes []byte
	whole []byte // the buffer that bytes is the end of; nil when more parts of it follow
}

const (
	// whole is the longest answer that arrives at once, at the time of its last byte; longer ones come in parts.
	whole, part = 128, 64
	// room is what waits for a host at most; more is lost, as in an operating system's buffer.
	room = 64 << 10
)

// NewMemory returns a line to pump with a time of its own. advance is called with every bit of time that
// passes on the line; it usually is the Advance of the pump's model.
func NewMemory(pump Pump, pace Pace, advance func(time.Duration)) *Memory {
	return NewClock(advance).Line(pump, pace)
}

// Now returns the virtual time since the line was made.
func (m *Memory) Now() time.Duration { return m.clock.now }

// Pass lets time pass without traffic of the host.
func (m *Memory) Pass(d time.Duration) {
	for end := m.clock.now + d; m.clock.now < end; {
		m.clock.step(end, m)
	}
}

// due is when the pump wants to be asked, and can send.
func (m *Memory) due() time.Duration {
	every := pushEvery(m.pump)
	if every <= 0 {
		m.ask = never
		return never
	}
	m.ask = min(m.ask, m.clock.now+max(every, time.Millisecond))
	return max(m.ask, m.busy)
}

// listen takes what the pump sends by itself now.
func (m *Memory) listen() {
	if m.clock.now < m.busy {
		return
	}
	m.ask = never
	if out := m.pump.Unsolicited(); len(out) > 0 {
		m.busy = m.put(m.clock.now, out, paceOf(m.pump, m.pace))
	}
}

// put lets out arrive from begin on and returns when its last byte does.
func (m *Memory) put(begin time.Duration, out []byte, pace Pace) time.Duration {
	end := begin + pace.Of(len(out))
	if m.gone || m.hung || m.held+len(out) > room {
		return end
	}
	m.held += len(out)
	var buffer []byte
	if n := len(m.spare); n > 0 {
		buffer, m.spare = m.spare[n-1], m.spare[:n-1]
	}
	out = append(buffer, out...)
	for sent := 0; sent < len(out); {
		n := len(out) - sent
		if len(out) > whole {
			n = min(n, part)
		}
		p := parcel{at: begin + pace.Of(sent+n), bytes: out[sent : sent+n]}
		if sent+n == len(out) {
			p.whole = out
		}
		i := len(m.arrives)
		for i > 0 && m.arrives[i-1].at > p.at {
			i--
		}
		m.arrives = slices.Insert(m.arrives, i, p)
		sent += n
	}
	return end
}

// Write sends bytes to the pump. It takes the time that they need on the wire.
func (m *Memory) Write(b []byte) (int, error) {
	if m.gone {
		return 0, io.ErrClosedPipe
	}
	pace := paceOf(m.pump, m.pace)
	m.Pass(pace.Of(len(b)))
	if m.hung {
		return len(b), nil
	}
	out, delay := m.pump.Exchange(b)
	if len(out) == 0 {
		return len(b), nil
	}
	end := m.put(max(m.clock.now+pace.Gap, m.busy)+delay, out, pace)
	if delay == 0 {
		m.busy = end
	}
	return len(b), nil
}

// Read waits up to the read timeout of virtual time; silence is os.ErrDeadlineExceeded.
func (m *Memory) Read(b []byte) (int, error) {
	if m.gone {
		return 0, io.ErrClosedPipe
	}
	for end := m.clock.now + m.timeout; len(m.arrives) == 0 || m.arrives[0].at > m.clock.now; {
		switch next := m.nextArrival(); {
		case next <= end:
			m.clock.step(next, m)
		case m.clock.now >= end:
			return 0, os.ErrDeadlineExceeded
		default:
			m.clock.step(end, m)
		}
		if m.gone { // a timed act unplugged it
			return 0, io.ErrClosedPipe
		}
	}
	p := &m.arrives[0]
	n := copy(b, p.bytes)
	m.held -= n
	if p.bytes = p.bytes[n:]; len(p.bytes) == 0 {
		m.drop(1)
	}
	return n, nil
}

// never is later than everything.
const never = time.Duration(1<<63 - 1)

func (m *Memory) nextArrival() time.Duration {
	if len(m.arrives) == 0 {
		return never
	}
	return m.arrives[0].at
}

// SetReadTimeout sets how long Read waits.
func (m *Memory) SetReadTimeout(d time.Duration) error {
	m.timeout = d
	return nil
}

// ResetInputBuffer drops what has arrived; what is still under way comes later.
func (m *Memory) ResetInputBuffer() error {
	n := 0
	for n < len(m.arrives) && m.arrives[n].at <= m.clock.now {
		m.held -= len(m.arrives[n].bytes)
		n++
	}
	m.drop(n)
	return nil
}

// drop forgets the first n parcels and keeps their buffers for later ones.
func (m *Memory) drop(n int) {
	for _, p := range m.arrives[:n] {
		if p.whole != nil && len(m.spare) < 64 {
			m.spare = append(m.spare, p.whole[:0])
		}
	}
	m.arrives = append(m.arrives[:0], m.arrives[n:]...)
}

// SetGone unplugs the line, or plugs it in again.
func (m *Memory) SetGone(gone bool) {
	m.gone = gone
	m.clear()
}

// Unplug takes the line away: Read and Write fail.
func (m *Memory) Unplug() error {
	if m.gone {
		return ErrUnplugged
	}
	m.SetGone(true)
	return nil
}

// Plug brings the line back.
func (m *Memory) Plug() error {
	if !m.gone {
		return ErrPlugged
	}
	m.SetGone(false)
	return nil
}

// Plugged says whether the line is there.
func (m *Memory) Plugged() bool { return !m.gone }

// SetHung makes the adapter hang, or work again: it takes what the host writes, and gives nothing.
func (m *Memory) SetHung(hung bool) {
	m.hung = hung
	m.clear()
}

func (m *Memory) clear() { m.arrives, m.held = nil, 0 }
