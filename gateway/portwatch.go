package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"infusiond/drivers"
	"infusiond/gateway/config"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/poll"
)

// patience is how many cycles in a row a port must look wrong, or right again, before it is said.
const patience = 3

// portWatch turns what the cycles of one port show into conditions, and counts. Its parts are
// called by the port's goroutines and by health.
type portWatch struct {
	port   string
	pumps  []config.Pump // of the whole gateway, to name a pump by its number
	report func(code, subject, detail, hint string)

	mu      sync.Mutex
	noise   streak
	foreign streak
	counts  map[string]*counts // by pump of this port
	// unclosed says that a conversation was not ended properly, until a pump answers again.
	unclosed bool
}

// counts are what health tells of a pump, since the start.
type counts struct {
	cycles, failed, badFrames, strangers, repeats uint64

	trouble string // of the driver in the present cycle
	read    bool   // the present cycle brought a report
}

// streak is a condition that holds after patience cycles and ends after as many without.
type streak struct {
	on, off int
	raised  bool
}

// step takes one cycle and returns whether the condition holds.
func (s *streak) step(is bool) bool {
	if is {
		s.on, s.off = s.on+1, 0
		s.raised = s.raised || s.on >= patience
	} else {
		s.on, s.off = 0, s.off+1
		s.raised = s.raised && s.off < patience
	}
	return s.raised
}

func newPortWatch(port string, here, all []config.Pump, report func(code, subject, detail, hint string)) *portWatch {
	w := &portWatch{port: port, pumps: all, report: report, counts: map[string]*counts{}}
	for _, p := range here {
		w.counts[p.Name] = &counts{}
	}
	return w
}

// turn takes what a whole cycle showed of the port.
func (w *portWatch) turn(t poll.Turn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !t.Asked || t.Lost || t.Reports > 0 {
		w.noise = streak{} // the link tells of a port that is gone, and a report is understood
	}
	if !t.Asked || t.Lost {
		w.foreign = streak{}
	}
	detail := ""
	if w.noise.step(t.Bytes > 0 && t.Reports == 0 && !t.Lost && !errors.Is(t.Err, drivers.ErrIdentity)) {
		detail = "the last cycles brought bytes and no answer" // the number of bytes is not said: it would change every cycle
	}
	w.report("port_not_understood", w.port, detail, "")
	w.strangers(t)
	w.troubles(t)
}

// troubles tells what the driver did wrong; it is over for a pump when a cycle brings its report and nothing wrong.
func (w *portWatch) troubles(t poll.Turn) {
	for name, c := range w.counts {
		if slices.Contains(t.Repeated, name) {
			c.repeats++
			c.trouble = "more than one report of this pump in one cycle; the first one counts"
		}
		if c.trouble != "" || c.read {
			w.report("driver_trouble", name, c.trouble, "")
		}
		c.trouble, c.read = "", false
	}
	if t.Reports > 0 && w.unclosed {
		w.unclosed = false
		w.report("driver_trouble", w.port, "", "")
	}
}

// strangers tells of pumps that nobody configured. One that is seen once is told at once, and is over when
// it was not seen for some cycles.
func (w *portWatch) strangers(t poll.Turn) {
	for _, c := range w.counts {
		c.strangers += uint64(len(t.Strangers))
	}
	if len(t.Strangers) == 0 {
		if !w.foreign.step(false) {
			w.report("unknown_pump", w.port, "", "")
		}
		return
	}
	w.foreign = streak{raised: true}
	all := make([]string, len(t.Strangers))
	for i, s := range t.Strangers {
		all[i] = fmt.Sprintf("address %q, serial number %s%s", s.Address, cmp.Or(s.Serial, "not told"), w.known(s.Serial))
	}
	w.report("unknown_pump", w.port, strings.Join(all, "; "), "")
}

// known names the configured pump of a serial number.
func (w *portWatch) known(serial string) string {
	for _, p := range w.pumps {
		if serial != "" && p.Serial == serial {
			return fmt.Sprintf(" (configured as %s on %s)", p.Name, p.Port)
		}
	}
	return ""
}

// cycle takes one pump's cycle, and whether it was recorded.
func (w *portWatch) cycle(c poll.Cycle, recorded error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.counts[c.Pump]
	n.cycles++
	detail := ""
	if recorded != nil && !errors.Is(recorded, context.Canceled) {
		detail = recorded.Error()
	}
	w.report("cycle_not_recorded", c.Pump, detail, "")
	switch {
	case c.Report != nil:
		n.badFrames += uint64(max(c.Report.BadFrames, 0))
		w.report("wrong_pump", c.Pump, "", "")
		n.read = true
		return
	case c.Gap.Reason == infusion.GapCorruptReply:
		n.badFrames++ // one at least; a failed cycle does not tell how many
	case c.Gap.Reason == infusion.GapWrongIdentity:
		detail, hint := c.Gap.Detail, ""
		for _, p := range w.pumps {
			if p.Serial != "" && strings.Contains(detail, "serial number "+p.Serial+" answers") {
				detail += w.known(p.Serial)
				hint = fmt.Sprintf("nothing of it is attributed: the cables of %s and %s seem to be exchanged", c.Pump, p.Name)
			}
		}
		w.report("wrong_pump", c.Pump, detail, hint)
	case c.Gap.Reason == infusion.GapInternal:
		n.trouble = c.Gap.Detail
	}
	n.failed++
}

// closing takes the failure to end a conversation.
func (w *portWatch) closing(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unclosed = true
	w.report("driver_trouble", w.port, err.Error(), "")
}

// fill writes a pump's counts into its entry in health.
func (w *portWatch) fill(l *message.PumpLink) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.counts[l.Pump]; c != nil {
		l.Cycles, l.FailedCycles, l.BadFrames, l.UnknownPumps, l.RepeatedReports = c.cycles, c.failed, c.badFrames, c.strangers, c.repeats
	}
}
