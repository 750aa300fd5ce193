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

// latchOf reads an anchor. Without one, or with one that cannot be read, an alarm may have been lost.
func latchOf(anchor string) latch {
	words := strings.Split(anchor, ",")
	l := latch{doubt: words[0] != wordKnown}
	for _, raw := range words[1:] {
		if len(raw) == 3 && strings.HasPrefix(raw, "A?") {
			l.raise(raw)
		}
	}
	return l
}
