package drivertest

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"time"

	"infusiond/drivers"
)

// Responder stands for a pump: it returns the bytes that answer a query, nil for silence. On a port with
// SetPush it is also asked with a nil query, for what the pump sends by itself.
type Responder func(query []byte) []byte

// Piece is something that arrives on the line.
type Piece struct {
	After time.Duration // since the query was written
	Bytes []byte
	Loose bool  // what is written behind it may overtake it, as no serial line does
	Err   error // the line is lost with this error from here on; Bytes are ignored
}

// Tamper decides what arrives of an answer. The exchanges of a port are
// counted from 0, and what a pump pushes counts as an exchange without a query. A line keeps its order: a late piece
// delays what is written behind it, unless it is Loose.
type Tamper func(n int, query, reply []byte) []Piece

// answerDelay is how long a pump takes to answer, and when an untampered reply arrives.
const answerDelay = 20 * time.Millisecond

// Clean is the Tamper of a good line.
func Clean(_ int, _, reply []byte) []Piece { return []Piece{{After: answerDelay, Bytes: reply}} }

// Port is a drivers.Port in memory and virtual time. It belongs to one goroutine.
type Port struct {
	profile drivers.Profile
	respond Responder
	tamper  Tamper
	chunk   int // greatest number of bytes per Read; 0 is no limit

	now     time.Duration
	timeout time.Duration
	queue   []arrival
	lost    error
	writes  [][]byte
	refused [][]byte
	events  int       // exchanges and pushes, as a Tamper counts them
	record  *recorder // of the suite; nil outside of one

	pushEvery time.Duration
	pushAt    time.Duration
}

type arrival struct {
	at    time.Duration
	loose bool
	bytes []byte
	err   error
}

// NewPort returns a line to a pump that allows what the profile allows.
func NewPort(profile drivers.Profile, pump Responder) *Port {
	return &Port{profile: profile, respond: pump, tamper: Clean}
}

// Now is the virtual time, for OpenOptions.Now.
func (p *Port) Now() time.Duration { return p.now }

// Advance lets virtual time pass between two cycles.
func (p *Port) Advance(d time.Duration) { p.now += d }

// SetTamper changes what the line does from the next query on; nil is Clean.
func (p *Port) SetTamper(t Tamper) {
	if t == nil {
		t = Clean
	}
	p.tamper = t
}

// SetPump connects another pump.
func (p *Port) SetPump(r Responder) { p.respond = r }

// SetChunk limits the bytes per Read, 0 for no limit.
func (p *Port) SetChunk(n int) { p.chunk = n }

// SetPush lets the pump send by itself: after every interval of virtual time the Responder is asked with a nil
// query, also while the driver waits or nobody listens. 0 ends it.
func (p *Port) SetPush(every time.Duration) { p.pushEvery, p.pushAt = every, p.now+every }

// feed takes what the pump pushes until a time; with first set only until something can be read.
func (p *Port) feed(until time.Duration, first bool) {
	for p.pushEvery > 0 && p.lost == nil {
		if first && len(p.queue) > 0 {
			until = min(until, p.queue[0].at)
		}
		if p.pushAt > until {
			return
		}
		at := p.pushAt
		p.pushAt += p.pushEvery
		pushed := slices.Clone(p.respond(nil))
		if len(pushed) == 0 {
			continue
		}
		n := p.events
		p.events++
		for _, piece := range p.tamper(n, nil, pushed) {
			p.arrive(at, piece)
		}
	}
}

// Inject lets bytes arrive that no query asked for.
func (p *Port) Inject(pieces ...Piece) {
	for _, piece := range pieces {
		p.arrive(p.now, piece)
	}
}

// Writes returns every query that was written, in order.
func (p *Port) Writes() [][]byte { return slices.Clone(p.writes) }

// Refused returns every write that the allow-list refused.
func (p *Port) Refused() [][]byte { return slices.Clone(p.refused) }

// Write takes one entry of the allow-list and lets the pump answer it.
func (p *Port) Write(b []byte) (int, error) {
	if _, ok := p.profile.Allow.Match(b); !ok {
		p.refused = append(p.refused, slices.Clone(b))
		p.record.refuse(b)
		return 0, fmt.Errorf("write % X: %w", b, drivers.ErrForbidden)
	}
	if p.lost != nil {
		return 0, p.lost
	}
	query := slices.Clone(b)
	p.now += p.profile.CommandGap
	p.feed(p.now, false)
	n := p.events
	p.events++
	p.writes = append(p.writes, query)
	p.record.write(query)
	reply := slices.Clone(p.respond(query))
	for _, piece := range p.tamper(n, query, reply) {
		p.arrive(p.now, piece)
	}
	return len(b), nil
}

func (p *Port) arrive(sent time.Duration, piece Piece) {
	if piece.Err == nil && len(piece.Bytes) == 0 {
		return
	}
	at := sent + piece.After
	for _, earlier := range p.queue {
		if !earlier.loose && !piece.Loose {
			at = max(at, earlier.at)
		}
	}
	p.queue = append(p.queue, arrival{at: at, loose: piece.Loose, bytes: piece.Bytes, err: piece.Err})
	slices.SortStableFunc(p.queue, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
}

// Read returns what has arrived within the read timeout; otherwise the
// timeout passes in virtual time and the error is os.ErrDeadlineExceeded.
func (p *Port) Read(b []byte) (int, error) {
	if p.lost != nil {
		return 0, p.lost
	}
	p.feed(p.now+p.timeout, true)
	if len(p.queue) == 0 || p.queue[0].at > p.now+p.timeout {
		p.now += p.timeout
		return 0, os.ErrDeadlineExceeded
	}
	first := &p.queue[0]
	p.now = max(p.now, first.at)
	if first.err != nil {
		p.lost = first.err
		return 0, p.lost
	}
	take := len(b)
	if p.chunk > 0 {
		take = min(take, p.chunk)
	}
	n := copy(b[:take], first.bytes)
	first.bytes = first.bytes[n:]
	if len(first.bytes) == 0 {
		p.queue = p.queue[1:]
	}
	return n, nil
}

// SetReadTimeout sets how long Read waits.
func (p *Port) SetReadTimeout(d time.Duration) error {
	p.timeout = max(d, 0)
	return p.lost
}

// ResetInputBuffer drops what has arrived by now. What is still on its way arrives later.
func (p *Port) ResetInputBuffer() error {
	p.feed(p.now, false)
	for len(p.queue) > 0 && p.queue[0].at <= p.now && p.queue[0].err == nil {
		p.queue = p.queue[1:]
	}
	return p.lost
}

var _ drivers.Port = (*Port)(nil)
