package spool

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRandomHistories compares the spool with a plain list over random histories of appending, confirming,
// reopening, pruning and a failing disk.
// Covers GW-27, GW-35, GW-40, GW-41.
func TestRandomHistories(t *testing.T) {
	rnd := seeded(t)
	for n := range 25 {
		t.Run(fmt.Sprintf("history %d", n), func(t *testing.T) { newModel(t, rnd).play(60) })
	}
}

// model is what the spool should hold.
type model struct {
	t       *testing.T
	rnd     *rand.Rand
	o       Options
	s       *running
	failing *atomic.Bool
	now     time.Time
	records []Record
	given   int
	cursors map[string]int64
	notes   map[string]string
	aside   int
}

func newModel(t *testing.T, rnd *rand.Rand) *model {
	m := &model{
		t: t, rnd: rnd, o: options(filepath.Join(t.TempDir(), "spool.db")), now: start(),
		cursors: map[string]int64{"x": 0, "y": 0}, notes: map[string]string{},
	}
	m.open()
	return m
}

func (m *model) open() {
	s := open(m.t, m.o)
	m.failing = broken(s)
	m.s = run(m.t, s)
}

func (m *model) play(steps int) {
	for range steps {
		switch m.rnd.IntN(10) {
		case 0, 1, 2, 3:
			m.append()
		case 4:
			m.refuse()
		case 5, 6:
			m.advance()
		case 7:
			m.prune()
		case 8:
			m.failing.Store(!m.failing.Load())
			if !m.failing.Load() {
				until(m.t, "the disk is used again", func() bool { return m.s.Status().Durable })
			}
		case 9:
			m.failing.Store(false)
			m.s.end()
			m.open()
		}
		m.compare()
	}
	m.failing.Store(false)
	m.s.end()
	m.open()
	m.compare()
}

func (m *model) batch() Batch {
	b := Batch{Notes: map[string][]byte{}}
	for range 1 + m.rnd.IntN(30) {
		m.now = m.now.Add(time.Duration(m.rnd.IntN(2000)) * time.Millisecond)
		b.Drafts = append(b.Drafts, draft([]string{"", "a", "b"}[m.rnd.IntN(3)], Kind(1+m.rnd.IntN(3)), m.now))
	}
	for key := range 3 {
		switch m.rnd.IntN(4) {
		case 0:
			b.Notes[fmt.Sprint(key)] = fmt.Appendf(nil, "%d", m.rnd.IntN(1000))
		case 1:
			b.Notes[fmt.Sprint(key)] = nil
		}
	}
	return b
}

func (m *model) append() {
	b := m.batch()
	records, err := m.s.Append(m.t.Context(), b)
	if err != nil {
		m.t.Fatalf("append: %v", err)
	}
	for i, r := range records {
		if d := b.Drafts[i]; r.Stream != d.Stream || r.Kind != d.Kind || !r.At.Equal(d.At) {
			m.t.Fatalf("record %+v of draft %+v", r, d)
		}
		if m.failing.Load() && r.Durable {
			m.t.Fatal("durable on a failing disk")
		}
	}
	m.records = append(m.records, records...)
	m.given += len(records)
	for key, value := range b.Notes {
		if m.notes[key] = string(value); value == nil {
			delete(m.notes, key)
		}
	}
}

// refuse appends a batch that cannot be encoded.
func (m *model) refuse() {
	b := m.batch()
	no := errors.New("no")
	b.Drafts[m.rnd.IntN(len(b.Drafts))].Encode = func(Key) ([]byte, error) { return nil, no }
	if _, err := m.s.Append(m.t.Context(), b); !errors.Is(err, no) {
		m.t.Fatalf("append: %v", err)
	}
}

func (m *model) advance() {
	sink := []string{"x", "y"}[m.rnd.IntN(2)]
	waiting := m.behind(m.cursors[sink])
	if len(waiting) == 0 {
		return
	}
	r := waiting[m.rnd.IntN(len(waiting))]
	var rejected []RejectedRecord
	if m.rnd.IntN(5) == 0 {
		rejected = append(rejected, RejectedRecord{Sink: sink, Pos: r.Pos, Reason: "bad", Payload: r.Payload})
		m.aside++
	}
	if err := m.s.Advance(m.t.Context(), sink, r.Pos, rejected); err != nil {
		m.t.Fatalf("advance: %v", err)
	}
	m.cursors[sink] = r.Pos
}

func (m *model) prune() {
	before := m.now.Add(-time.Duration(m.rnd.IntN(60)) * time.Second)
	durable := m.s.Status().Durable
	err := m.s.Prune(m.t.Context(), []string{"x", "y"}, before)
	if m.failing.Load() || !durable {
		return // with a failing disk it may do nothing
	}
	if err != nil {
		m.t.Fatalf("prune: %v", err)
	}
	upTo := min(m.cursors["x"], m.cursors["y"])
	m.records = slices.DeleteFunc(m.records, func(r Record) bool {
		return r.Kind == Observation && r.At.Before(before) && r.Pos <= upTo
	})
}

func (m *model) behind(pos int64) []Record {
	i := slices.IndexFunc(m.records, func(r Record) bool { return r.Pos > pos })
	if i < 0 {
		return nil
	}
	return m.records[i:]
}

func (m *model) compare() {
	m.t.Helper()
	m.equal("records", m.records, all(m.t, m.s.Spool, 0))
	notes := map[string]string{}
	for key := range 3 {
		if value, found, _ := m.s.Note(m.t.Context(), fmt.Sprint(key)); found {
			notes[fmt.Sprint(key)] = string(value)
		}
	}
	if !maps.Equal(m.notes, notes) {
		m.t.Fatalf("notes %v, want %v", notes, m.notes)
	}
	for sink, want := range m.cursors {
		if pos, _ := m.s.Cursor(m.t.Context(), sink); pos != want {
			m.t.Fatalf("cursor of %s is %d, want %d", sink, pos, want)
		}
		waiting := m.behind(want)
		n, oldest, err := m.s.Backlog(m.t.Context(), sink)
		if err != nil || n != uint64(len(waiting)) || n > 0 && !oldest.Equal(waiting[0].At) {
			m.t.Fatalf("backlog of %s is %d from %v (%v), want %v", sink, n, oldest, err, waiting)
		}
	}
	if st := m.s.Status(); st.Records != uint64(len(m.records)) || st.Lost != 0 {
		m.t.Fatalf("status %+v, want %d records", st, len(m.records))
	}
	m.history()
	m.numbers()
}

// history looks at one stream and kind by time.
func (m *model) history() {
	m.t.Helper()
	stream, kind := []string{"", "a", "b"}[m.rnd.IntN(3)], Kind(1+m.rnd.IntN(3))
	from, to := start().Add(m.now.Sub(start())/4), m.now.Add(-time.Second)
	var want, got []Record
	for _, r := range m.records {
		if r.Stream == stream && r.Kind == kind && !r.At.Before(from) && r.At.Before(to) {
			want = append(want, r)
		}
	}
	err := m.s.Range(m.t.Context(), stream, kind, from, to, func(r Record) error { got = append(got, r); return nil })
	if err != nil {
		m.t.Fatalf("range: %v", err)
	}
	m.equal("history", want, got)
}

// equal leaves cmp, which takes its time, for the difference.
func (m *model) equal(what string, want, got []Record) {
	m.t.Helper()
	same := func(a, b Record) bool {
		return a.Key == b.Key && a.Pos == b.Pos && a.Kind == b.Kind && a.At.Equal(b.At) && bytes.Equal(a.Payload, b.Payload)
	}
	if !slices.EqualFunc(want, got, same) {
		m.t.Fatalf("%s: %s", what, cmp.Diff(want, got))
	}
}

// numbers looks whether keys ascend within a stream; what was pruned leaves holes.
func (m *model) numbers() {
	m.t.Helper()
	last := map[string]uint64{}
	for _, r := range m.records {
		if key := r.Epoch + " " + r.Stream; r.Seq <= last[key] {
			m.t.Fatalf("record %+v behind %d", r.Key, last[key])
		} else {
			last[key] = r.Seq
		}
	}
}
