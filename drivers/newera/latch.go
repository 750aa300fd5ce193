package newera

import (
	"slices"
	"strings"
)

// latch keeps what a query consumed: the alarms that were read since the pump was last seen running, and whether one may
// have been lost. Its text is the anchor.
type latch struct {
	doubt bool
	raws  []string
	told  int // how many of raws stood in a report
}

// The words of an anchor that are no alarms.
const (
	wordKnown = "known"
	wordDoubt = "doubt"
)

func (l *latch) raise(raw string) {
	if !slices.Contains(l.raws, raw) && len(l.raws) < 26 {
		l.raws = append(l.raws, raw)
	}
}

func (l *latch) String() string {
	first := wordKnown
	if l.doubt {
		first = wordDoubt
	}
	return strings.Join(append([]string{first}, l.raws...), ",")
}

// runs ends the doubt, and the alarms that stood in a report; one that was overcome before it is told once all the same.
func (l *latch) runs() { *l = latch{raws: l.raws[l.told:]} }

// latchOf reads an anchor. It is in doubt always: the anchor came with a report, and an alarm that was consumed
// by a cycle without one, or by a program that ended before, stands in none.
func latchOf(anchor string) latch {
	l := latch{doubt: true}
	for _, raw := range strings.Split(anchor, ",")[1:] {
		if len(raw) == 3 && strings.HasPrefix(raw, "A?") {
			l.raise(raw)
		}
	}
	l.told = len(l.raws)
	return l
}
