package line

import (
	"io"
	"os"
	"time"
)

// Memory is a line in virtual time: reading and writing let model time pass and
// never wait. It has the methods of a driver's port and belongs to one goroutine.
type Memory struct {
	pump    Pump
	pace    Pace
	advance func(time.Duration)
	now     time.Duration
	timeout time.Duration
	arrives []parcel
	gone    bool
}

type parcel struct {
	at    time.Duration // when the last byte arrives
	bytes []byte
}

// NewMemory returns a line to pump. advance is called with every bit of time that
// passes on the line; it usually is the Advance of the pump's model.
func NewMemory(pump Pump, pace Pace, advance func(time.Duration)) *Memory {
	return &Memory{pump: pump, pace: pace, advance: advance, timeout: 500 * time.Millisecond}
}

// Now returns the virtual time since the line was made.
func (m *Memory) Now() time.Duration { return m.now }

// Pass lets time pass without traffic.
func (m *Memory) Pass(d time.Duration) {
	if d <= 0 {
		return
	}
	m.now += d
	m.advance(d)
	if out := m.pump.Unsolicited(); len(out) > 0 && !m.gone {
		m.arrives = append(m.arrives, parcel{m.now + m.pace.Of(len(out)), out})
	}
}

// Write sends bytes to the pump. It takes the time that they need on the wire.
func (m *Memory) Write(b []byte) (int, error) {
	if m.gone {
		return 0, io.ErrClosedPipe
	}
	m.Pass(m.pace.Of(len(b)))
	out, delay := m.pump.Exchange(b)
	if len(out) > 0 {
		at := m.now + m.pace.Gap + delay + m.pace.Of(len(out))
		m.arrives = append(m.arrives, parcel{at, append([]byte(nil), out...)})
	}
	return len(b), nil
}

// Read waits up to the read timeout of virtual time; silence is os.ErrDeadlineExceeded.
func (m *Memory) Read(b []byte) (int, error) {
	if m.gone {
		return 0, io.ErrClosedPipe
	}
	next := -1
	for i, p := range m.arrives {
		if next < 0 || p.at < m.arrives[next].at {
			next = i
		}
	}
	if next < 0 || m.arrives[next].at > m.now+m.timeout {
		m.Pass(m.timeout)
		return 0, os.ErrDeadlineExceeded
	}
	p := m.arrives[next]
	m.Pass(p.at - m.now)
	n := copy(b, p.bytes)
	if n < len(p.bytes) {
		m.arrives[next].bytes = p.bytes[n:]
	} else {
		m.arrives = append(m.arrives[:next], m.arrives[next+1:]...)
	}
	return n, nil
}

// SetReadTimeout sets how long Read waits.
func (m *Memory) SetReadTimeout(d time.Duration) error {
	m.timeout = d
	return nil
}

// ResetInputBuffer drops what has arrived; what is still under way comes later.
func (m *Memory) ResetInputBuffer() error {
	kept := m.arrives[:0]
	for _, p := range m.arrives {
		if p.at > m.now {
			kept = append(kept, p)
		}
	}
	m.arrives = kept
	return nil
}

// SetGone unplugs the line, or plugs it in again.
func (m *Memory) SetGone(gone bool) { m.gone, m.arrives = gone, nil }
