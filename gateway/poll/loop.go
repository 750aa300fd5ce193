package poll

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// quick bounds how soon a cycle may follow another when the port comes back, and how
// long the first cycle waits for the port to be opened. A shorter interval bounds it further.
const quick = time.Second

// run is the state of one Run. All but mail and ports belongs to the loop's goroutine.
type run struct {
	*Loop
	mail  mailbox
	ports chan lease

	pumps   []*pump
	known   map[string]bool // addresses that were seen, configured or not
	lease   *lease          // the port, while it is lent
	port    *watched        // the same for the driver
	conn    drivers.Conn    // the conversation, nil when it has to be begun
	started bool            // a cycle was made
	last    time.Duration   // when, on the boot clock
	due     time.Duration   // when the next is
}

// lease is a port that the line lends; its answer gives it back.
type lease struct {
	port   drivers.Port
	answer chan<- error
}

// mailbox holds the newest link state of the line; wake has room for one hint.
type mailbox struct {
	wake chan struct{}

	mu   sync.Mutex
	link infusion.Link // guarded by mu
}

func (m *mailbox) put(s infusion.Link) {
	m.mu.Lock()
	m.link = s
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default: // a hint is already waiting
	}
}

func (m *mailbox) get() infusion.Link {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.link
}

func newRun(l *Loop) *run {
	r := &run{Loop: l, ports: make(chan lease), known: make(map[string]bool, len(l.o.Pumps))}
	now := l.o.Clock()
	r.mail.wake = make(chan struct{}, 1)
	r.mail.link = infusion.Link{State: infusion.LinkOpening, Since: now}
	for _, p := range l.o.Pumps {
		r.pumps = append(r.pumps, &pump{Pump: p, link: r.mail.link})
		r.known[p.Address] = true
	}
	r.due = now.Boot + min(quick, l.o.Interval)
	return r
}

// lend runs in the line's goroutine. It returns when the loop gives the port back, which
// it always does; a port must not be closed under a driver that reads.
func (r *run) lend(ctx context.Context, p drivers.Port) error {
	answer := make(chan error, 1)
	select {
	case r.ports <- lease{p, answer}:
		return <-answer
	case <-ctx.Done():
		return ctx.Err()
	}
}

// loop is the heart: it waits for the next cycle, a port or a change of the link.
func (r *run) loop(ctx context.Context) {
	defer func() { r.giveBack(ctx.Err()) }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-r.ports:
			r.take(l)
		case <-r.mail.wake:
			if !r.started && r.mail.get().State == infusion.LinkAbsent {
				r.due = r.o.Clock().Boot // nothing to wait for
			}
		case <-timer.C:
		}
		if now := r.o.Clock().Boot; now >= r.due {
			r.cycle(ctx)
			r.schedule(r.due, r.o.Clock().Boot)
		}
		timer.Reset(r.due - r.o.Clock().Boot)
	}
}

// schedule sets the first slot of the grid through slot that is after now.
func (r *run) schedule(slot, now time.Duration) {
	r.due = now - max(now-slot, 0)%r.o.Interval + r.o.Interval
}

// take begins to use a port and calls for a cycle at once, unless one was just made.
func (r *run) take(l lease) {
	r.lease, r.port = &l, &watched{Port: l.port}
	now := r.o.Clock()
	since := now
	if s := r.mail.get(); s.State == infusion.LinkIdentifying {
		since = s.Since
	}
	for _, p := range r.pumps {
		p.failures = 0
		p.set(infusion.LinkIdentifying, "", since)
	}
	at := now.Boot
	if r.started {
		at = max(at, r.last+min(quick, r.o.Interval))
	}
	r.due = min(r.due, at)
}

// giveBack ends the use of the port; the line closes and reopens it.
func (r *run) giveBack(why error) {
	r.hangUp()
	if r.lease != nil {
		r.lease.answer <- why
		r.lease, r.port = nil, nil
	}
}

// hangUp ends the conversation; the next cycle begins a new one.
func (r *run) hangUp() {
	if r.conn == nil {
		return
	}
	if err := r.conn.Close(); err != nil {
		r.trouble(fmt.Errorf("%w: %w", ErrClose, err))
	}
	r.conn = nil
}

// cycle asks all pumps once and emits one Cycle for each.
func (r *run) cycle(ctx context.Context) {
	at := r.o.Clock()
	r.started, r.last = true, at.Boot
	if r.lease == nil {
		select {
		case l := <-r.ports: // it came this moment
			r.take(l)
		default:
		}
	}
	var reports []drivers.Report
	var err error
	asked := r.lease != nil
	if asked {
		reports, err = r.ask(ctx)
		if ctx.Err() != nil {
			return // the cycle was cut off; it says nothing about the pump
		}
	}
	end := r.o.Clock()
	lost := asked && r.port.lost != nil
	if lost {
		err = &lostError{r.port.lost}
		// Closing may take the line a while; until it speaks, this is the state.
		r.mail.put(infusion.Link{State: infusion.LinkAbsent, Reason: oneLine(err.Error()), Since: end})
		r.giveBack(r.port.lost)
	}
	r.countStrangers(reports)
	cycles := make([]Cycle, 0, len(r.pumps))
	for _, p := range r.pumps {
		c := Cycle{Pump: p.Name, At: at, Took: end.Since(at)}
		if asked {
			c.Report, c.Gap = r.attribute(p, reports, err)
			p.follow(c.Gap, lost, end)
		} else {
			line := r.mail.get()
			c.Gap = absentGap(line)
			p.set(line.State, line.Reason, line.Since)
		}
		c.Link = p.link
		cycles = append(cycles, c)
	}
	if stranger(cycles, err) {
		r.hangUp()
	}
	r.emit(ctx, cycles)
}

// stranger says whether somebody else answers and no pump of ours. Then who answers is
// asked anew in the next cycle, because pumps can be exchanged at the far end of a cable.
func stranger(cycles []Cycle, err error) bool {
	wrong := errors.Is(err, drivers.ErrIdentity)
	for _, c := range cycles {
		if c.Report != nil {
			return false
		}
		wrong = wrong || c.Gap.Reason == infusion.GapWrongIdentity
	}
	return wrong
}

// ask begins the conversation when there is none, and polls once.
func (r *run) ask(ctx context.Context) ([]drivers.Report, error) {
	if r.conn == nil {
		conn, err := r.o.Driver.Open(ctx, r.port, drivers.OpenOptions{
			Anchors: r.anchors(ctx),
			Now:     func() time.Duration { return r.o.Clock().Boot },
		})
		if err != nil {
			return nil, fmt.Errorf("open conversation: %w", err)
		}
		r.conn = conn
	}
	return drivers.Collect(ctx, r.conn)
}

// anchors reads where the logs of the configured pumps were read to.
func (r *run) anchors(ctx context.Context) map[string]string {
	anchors := make(map[string]string, len(r.pumps))
	for _, p := range r.pumps {
		anchor := p.anchor
		if r.o.Anchor != nil {
			stored, err := r.o.Anchor(ctx, p.Serial)
			if err == nil {
				anchor = stored
			} else if ctx.Err() == nil {
				r.trouble(fmt.Errorf("%w: serial number %s: %w", ErrAnchor, p.Serial, err))
			}
		}
		if anchor != "" {
			anchors[p.Serial] = anchor
		}
	}
	return anchors
}

// emit hands the cycles over. When one is not taken, the conversation is begun anew from
// the stored anchors, so that its log records are read again.
func (r *run) emit(ctx context.Context, cycles []Cycle) {
	failed := false
	for i, c := range cycles {
		err := r.o.Emit(ctx, c)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failed = true
			r.trouble(fmt.Errorf("%w: pump %s: %w", ErrEmit, c.Pump, err))
		case c.Report != nil && c.Report.Anchor != "":
			r.pumps[i].anchor = c.Report.Anchor
		}
	}
	if failed {
		r.hangUp()
	}
}

// countStrangers counts reports of addresses that are not configured and tells each once.
func (r *run) countStrangers(reports []drivers.Report) {
	for i := range reports {
		address := reports[i].Address
		if r.configured(address) {
			continue
		}
		r.strangers.Add(1)
		if !r.known[address] {
			r.known[address] = true
			r.trouble(fmt.Errorf("%w: a pump answers at %q (serial number %q)", ErrUnknownAddress, address, reports[i].Identity.Serial))
		}
	}
}

func (r *run) configured(address string) bool {
	for _, p := range r.pumps {
		if p.Address == address {
			return true
		}
	}
	return false
}

func (r *run) trouble(err error) {
	if r.o.Trouble != nil {
		r.o.Trouble(err)
		return
	}
	r.o.Log.Warn("poll trouble", "error", err)
}
