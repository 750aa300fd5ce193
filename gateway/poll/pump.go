package poll

import "infusiond/gateway/infusion"

// silentAfter is how many cycles in a row must fail before the link counts as silent.
const silentAfter = 2

// pump is a configured pump and what the loop knows of it.
type pump struct {
	Pump
	link     infusion.Link
	failures int    // failed cycles in a row since the port was opened or the pump answered
	anchor   string // of the last report that was taken over
}

// follow moves the link state after a cycle in which the pump was asked.
func (p *pump) follow(gap *infusion.Gap, lost error, now infusion.Instant) {
	switch {
	case lost != nil:
		p.failures = 0
		p.set(infusion.LinkAbsent, oneLine(lost.Error()), now)
	case gap == nil:
		p.failures = 0
		p.set(infusion.LinkOnline, "", now)
	case gap.Reason == infusion.GapWrongIdentity:
		p.failures = 0
		p.set(infusion.LinkIdentifying, gap.Detail, now)
	default:
		if p.failures++; p.failures >= silentAfter {
			p.set(infusion.LinkSilent, gap.Detail, now)
		}
	}
}

// set changes the link state; Since stays when the state does.
func (p *pump) set(s infusion.LinkState, reason string, since infusion.Instant) {
	if s != p.link.State {
		p.link.Since = since
	}
	p.link.State, p.link.Reason = s, reason
}
