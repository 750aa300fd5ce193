package poll

import (
	"context"
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
	known   []string      // unknown addresses that were told of, the first few
	lease   *lease        // the port, while it is lent
	port    *watched      // the same for the driver
	conn    drivers.Conn  // the conversation, nil when it has to be begun
	started bool          // a cycle was made
	last    time.Duration // when, on the boot clock
	due     time.Duration // when the next is
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
	r := &run{Loop: l, ports: make(chan lease)}
	now := l.o.Clock()
	r.mail.wake = make(chan struct{}, 1)
	r.mail.link = infusion.Link{State: infusion.LinkOpening, Since: now}
	for _, p := range l.o.Pumps {
		r.pumps = append(r.pumps, &pump{Pump: p, link: r.mail.link})
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
	t := newTurn(r, at)
	if r.lease == nil {
		line := r.mail.get()
		for _, p := range r.pumps {
			p.set(line.State, line.Reason, line.Since)
			t.emit(ctx, p, Cycle{Gap: absentGap(line)})
		}
		t.join(ctx)
		return
	}
	t.before = r.port.received()
	err := r.ask(ctx, t.report(ctx))
	if ctx.Err() != nil {
		t.wait.Wait()
		return // the cycle was cut off; it says nothing about the pumps that had not answered
	}
	t.end(ctx, err)
}

// ask begins the conversation when there is none, and polls once.
func (r *run) ask(ctx context.Context, report func(drivers.Report)) error {
	if r.conn == nil {
		conn, err := r.o.Driver.Open(ctx, r.port, drivers.OpenOptions{
			Anchors:   r.anchors(ctx),
			Addresses: r.addresses(),
			Now:       func() time.Duration { return r.o.Clock().Boot },
		})
		if err != nil {
			return fmt.Errorf("open conversation: %w", err)
		}
		r.conn = conn
	}
	return r.conn.Poll(ctx, report)
}

// addresses are the configured ones; none when the port carries one pump that needs none.
func (r *run) addresses() []string {
	var all []string
	for _, p := range r.pumps {
		if p.Address != "" {
			all = append(all, p.Address)
		}
	}
	return all
}

// anchors reads where the logs of the configured pumps were read to.
func (r *run) anchors(ctx context.Context) map[string]string {
	anchors := make(map[string]string, len(r.pumps))
	for _, p := range r.pumps {
		anchor := p.anchor
		if r.o.Anchor != nil {
			stored, err := r.o.Anchor(ctx, p.Pump)
			if err == nil {
				anchor = stored
			} else if ctx.Err() == nil {
				r.trouble(fmt.Errorf("%w: pump %s: %w", ErrAnchor, p.Name, err))
			}
		}
		if anchor != "" {
			anchors[drivers.AnchorKey(p.Serial, p.Address)] = anchor
		}
	}
	return anchors
}

func (r *run) trouble(err error) {
	if r.o.Trouble != nil {
		r.o.Trouble(err)
		return
	}
	r.o.Log.Warn("poll trouble", "error", err)
}
