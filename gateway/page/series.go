package page

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
)

// running is the delivery status as the chart shows it.
type running uint8

const (
	runUnknown running = iota
	runYes
	runNo
)

func (r running) String() string {
	switch r {
	case runYes:
		return "running"
	case runNo:
		return "not_running"
	case runUnknown:
	}
	return "unknown"
}

// runningOf counts a keep-vein-open rate as not running: it is no therapy (HZ-18).
func runningOf(s infusion.DeliveryStatus) running {
	switch {
	case s.Infusing():
		return runYes
	case s.Known():
		return runNo
	}
	return runUnknown
}

// row is one moment of the chart; its values hold until the next row.
type row struct {
	at                               int64 // Unix milliseconds
	prescribed, programmed, reported message.Decimal
	status                           running
}

// same says that two rows differ in time only.
func (r row) same(o row) bool {
	o.at = r.at
	return r == o
}

// blank is a moment of which nothing is known.
func blank(at int64) row { return row{at: at} }

// The bounds of a series.
const (
	buckets    = 360
	perBucket  = 24               // changes kept in one bucket before it is reduced to its marks
	holdAtMost = 30 * time.Second // a value older than this is no longer the present (HZ-01)
	holdFirst  = 5 * time.Second  // until the poll interval is known
)

// thinner reduces observations to at most buckets·perBucket changes, with the holes between
// them. It keeps every change as long as a bucket holds few; of a bucket with many it keeps
// the extremes of each rate and the beginning and end of stops and gaps. Rows may come out of
// order (a clock step): each goes to the bucket of its own time.
type thinner struct {
	from, width int64
	buckets     []bucket
	added       int
	last        row
	interval    int64 // between the last two rows, at most holdAtMost
}

func newThinner(from, to time.Time) *thinner {
	span := max(to.Sub(from).Milliseconds(), buckets)
	return &thinner{from: from.UnixMilli(), width: (span + buckets - 1) / buckets, buckets: make([]bucket, buckets), interval: holdFirst.Milliseconds()}
}

// add takes the next row of the record. A hole before it becomes a blank row.
func (t *thinner) add(r row) {
	if t.added > 0 {
		step := r.at - t.last.at
		if step > holdAtMost.Milliseconds() {
			t.put(blank(t.last.at + t.interval))
		} else if step > 0 {
			t.interval = step
		}
	}
	t.put(r)
	t.added++
	t.last = r
}

func (t *thinner) put(r row) {
	i := min(max((r.at-t.from)/t.width, 0), buckets-1)
	t.buckets[i].add(r)
}

// rows gives the series up to the present in order of time, without rows that change nothing, and
// whether any change was left out. The last row always stands, so that the reader can tell its age.
func (t *thinner) rows(present time.Time) ([]row, bool) {
	if t.added > 0 && present.UnixMilli()-t.last.at > holdAtMost.Milliseconds() {
		t.put(blank(t.last.at + t.interval))
	}
	var all []row
	thinned := false
	for i := range t.buckets {
		all = append(all, t.buckets[i].rows()...)
		thinned = thinned || t.buckets[i].reduced
	}
	slices.SortStableFunc(all, func(a, b row) int { return cmp.Compare(a.at, b.at) })
	var out []row
	for i, r := range all {
		if i > 0 && (r == all[i-1] || i < len(all)-1 && r.same(all[i-1])) {
			continue
		}
		out = append(out, r)
	}
	return out, thinned
}

// bucket holds a stretch of time: first its changes, and once they are too many its marks.
type bucket struct {
	changes []row
	last    row
	count   int
	marks   marks
	reduced bool
}

func (b *bucket) add(r row) {
	b.count++
	b.marks.add(r, b.last, b.count == 1)
	if !b.reduced && (b.count == 1 || !r.same(b.last)) {
		b.changes = append(b.changes, r)
		if len(b.changes) > perBucket-1 { // one place is the last row's
			b.changes, b.reduced = nil, true
		}
	}
	b.last = r
}

func (b *bucket) rows() []row {
	switch {
	case b.count == 0:
		return nil
	case b.reduced:
		return b.marks.rows(b.last)
	}
	return append(b.changes, b.last)
}

// marks are the rows that a bucket may not lose.
type marks struct {
	first row
	low   [3]mark // of prescribed, programmed, reported
	high  [3]mark
	// The first and the last stretch of each status: where it begins and where it ends.
	status [3]stretches
}

type mark struct {
	row   row
	value float64
	set   bool
}

type stretches struct {
	begin, end         row // of the first stretch
	lastBegin, lastEnd row
	begun, ended       bool
}

func (m *marks) add(r, before row, first bool) {
	if first {
		m.first = r
	}
	for i, d := range [...]message.Decimal{r.prescribed, r.programmed, r.reported} {
		v, err := strconv.ParseFloat(d.String(), 64)
		if err != nil { // absent
			continue
		}
		if !m.low[i].set || v < m.low[i].value {
			m.low[i] = mark{row: r, value: v, set: true}
		}
		if !m.high[i].set || v > m.high[i].value {
			m.high[i] = mark{row: r, value: v, set: true}
		}
	}
	if first || r.status != before.status {
		m.status[r.status].start(r)
		if !first {
			m.status[before.status].stop(r)
		}
	}
}

func (s *stretches) start(r row) {
	if !s.begun {
		s.begin, s.begun = r, true
	}
	s.lastBegin = r
}

func (s *stretches) stop(r row) {
	if !s.ended {
		s.end, s.ended = r, true
	}
	s.lastEnd = r
}

// rows lists the marks; the same row may stand twice, rows() of the thinner drops repeats.
func (m *marks) rows(last row) []row {
	out := []row{m.first, last}
	for i := range m.low {
		if m.low[i].set {
			out = append(out, m.low[i].row, m.high[i].row)
		}
	}
	for _, s := range m.status {
		if s.begun {
			out = append(out, s.begin, s.lastBegin)
		}
		if s.ended {
			out = append(out, s.end, s.lastEnd)
		}
	}
	slices.SortStableFunc(out, func(a, b row) int { return cmp.Compare(a.at, b.at) })
	return slices.Compact(out)
}
