package poll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// maxStrangers bounds how many unknown addresses one turn names.
const maxStrangers = 8

// Turn is what one polling cycle showed of the port beside the Cycles of its pumps.
type Turn struct {
	Asked   bool // the port was there
	Bytes   int  // that came in since the cycle before, good frames or not, read or not
	Reports int  // handed over by the driver, whoever sent them
	Lost    bool // the port failed
	// Strangers answered at addresses that are not configured; the first few of them.
	Strangers []Stranger
	// Repeated are the pumps for which the driver handed over more than one report.
	Repeated []string
	Err      error // of the driver
}

// Stranger is a pump that nobody configured.
type Stranger struct{ Address, Serial string }

// turn is one cycle at work. It emits each pump's Cycle as soon as the pump's report is
// complete, in a goroutine for each pump, so that neither a silent pump nor a slow record of
// one holds up another. What is emitted does not come back: a later failure of the driver
// concerns only the pumps that have no Cycle yet.
type turn struct {
	*run
	Turn
	at      infusion.Instant
	before  uint64        // bytes that had come in at its beginning
	other   *infusion.Gap // somebody else answers the port's only pump's questions
	emitted []Cycle       // by pump, those with neither report nor gap still to come
	errs    []error       // of Emit, by pump; each written by the pump's goroutine, read after wait
	wait    sync.WaitGroup
}

func newTurn(r *run, at infusion.Instant) *turn {
	return &turn{run: r, at: at, emitted: make([]Cycle, len(r.pumps)), errs: make([]error, len(r.pumps))}
}

// report returns what the driver calls with each complete report.
func (t *turn) report(ctx context.Context) func(drivers.Report) {
	return func(report drivers.Report) {
		if ctx.Err() != nil {
			return
		}
		t.Reports++
		switch i := t.whose(report); {
		case i < 0:
			t.stranger(report)
		case t.done(i):
			t.repeats.Add(1)
			if !slices.Contains(t.Repeated, t.pumps[i].Name) {
				t.Repeated = append(t.Repeated, t.pumps[i].Name)
			}
			t.trouble(fmt.Errorf("%w: pump %s", ErrRepeated, t.pumps[i].Name))
		default:
			p := t.pumps[i]
			c := Cycle{Gap: t.identify(p, strings.TrimSpace(report.Identity.Serial))}
			if c.Gap == nil {
				c.Report = &report
			}
			p.follow(c.Gap, t.port.lost, t.o.Clock())
			t.emit(ctx, p, c)
		}
	}
}

// whose returns the place of the pump that stands at the report's address, or -1. A pump that is
// configured without an address is alone on its port: there its serial number decides, and what another one said is told
// at the end, when the right one did not answer.
func (t *turn) whose(report drivers.Report) int {
	if p := t.pumps[0]; p.Address == "" && report.Address != "" {
		gap := t.identify(p, strings.TrimSpace(report.Identity.Serial))
		if gap == nil && !t.done(0) {
			return 0
		}
		if t.other == nil {
			t.other = gap
		}
		return -1
	}
	return slices.IndexFunc(t.pumps, func(p *pump) bool { return p.Address == report.Address })
}

func (t *turn) done(i int) bool { return t.emitted[i].Report != nil || t.emitted[i].Gap != nil }

// stranger counts a report of an address that is not configured. Whoever keeps Trouble is told
// of each address once, and the first few only: on a noisy line there may be many.
func (t *turn) stranger(report drivers.Report) {
	t.strangers.Add(1)
	s := Stranger{Address: report.Address, Serial: strings.TrimSpace(report.Identity.Serial)}
	if len(t.Strangers) < maxStrangers && !slices.Contains(t.Strangers, s) {
		t.Strangers = append(t.Strangers, s)
	}
	if len(t.known) < maxStrangers && !slices.Contains(t.known, s.Address) {
		t.known = append(t.known, s.Address)
		t.trouble(fmt.Errorf("%w: a pump answers at %q (serial number %q)", ErrUnknownAddress, s.Address, s.Serial))
	}
}

// emit hands a pump's Cycle over in a goroutine of its own, which join waits for.
func (t *turn) emit(ctx context.Context, p *pump, c Cycle) {
	c.Pump, c.At, c.Link = p.Name, t.at, p.link
	if t.lease != nil || t.Asked {
		c.Took = t.o.Clock().Since(t.at)
	}
	i := slices.Index(t.pumps, p)
	t.emitted[i] = c
	t.wait.Go(func() { t.errs[i] = t.o.Emit(ctx, c) })
}

// end emits the gaps of the pumps that did not answer and waits until all is handed over.
func (t *turn) end(ctx context.Context, err error) {
	now := t.o.Clock()
	t.Asked, t.Err, t.Bytes = true, err, int(t.port.received()-t.before)
	if lost := t.port.lost; lost != nil {
		t.Lost = true
		err = &lostError{lost}
		// Closing may take the line a while; until it speaks, this is the state.
		t.mail.put(infusion.Link{State: infusion.LinkAbsent, Reason: oneLine(err.Error()), Since: now})
		t.giveBack(lost)
		for i, p := range t.pumps {
			if t.done(i) {
				p.follow(nil, lost, now)
			}
		}
	}
	for i, p := range t.pumps {
		if t.done(i) {
			continue
		}
		gap := cmp.Or(t.other, noReply(p, err))
		var lost error
		if t.Lost {
			lost = err
		}
		p.follow(gap, lost, now)
		t.emit(ctx, p, Cycle{Gap: gap})
	}
	if t.strange() {
		t.hangUp()
	}
	t.join(ctx)
}

// strange says whether somebody else answers and no pump of ours. Then who answers is
// asked anew in the next cycle, because pumps can be exchanged at the far end of a cable.
func (t *turn) strange() bool {
	wrong := errors.Is(t.Err, drivers.ErrIdentity)
	for _, c := range t.emitted {
		if c.Report != nil {
			return false
		}
		wrong = wrong || c.Gap.Reason == infusion.GapWrongIdentity
	}
	return wrong
}

// join waits until all cycles are taken over. When one is not, the conversation is begun anew
// from the stored anchors, so that its log records are read again.
func (t *turn) join(ctx context.Context) {
	t.wait.Wait()
	if ctx.Err() != nil {
		return
	}
	failed := false
	for i, c := range t.emitted {
		switch err := t.errs[i]; {
		case err != nil:
			failed = true
			t.trouble(fmt.Errorf("%w: pump %s: %w", ErrEmit, c.Pump, err))
		case c.Report != nil && c.Report.Anchor != "":
			t.pumps[i].anchor = c.Report.Anchor
		}
	}
	if failed {
		t.hangUp()
	}
	if t.o.Watch != nil {
		t.o.Watch(t.Turn)
	}
}
