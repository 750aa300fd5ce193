package spool

import (
	"cmp"
	"maps"
	"slices"
)

// remember answers requests from memory while the disk does not work.
func (w *writing) remember(group []*request) {
	s := w.s
	var fresh []Record
	for _, r := range group {
		if r.sink != "" {
			w.rejectedLater(r.rejected, nil)
			s.mu.Lock()
			s.move(r.sink, r.pos)
			s.mu.Unlock()
			continue
		}
		if r.records, r.err = w.num.batch(&r.batch); r.err != nil {
			continue
		}
		fresh = append(fresh, r.records...)
		maps.Copy(w.unsaved, r.batch.Notes)
		s.mu.Lock()
		s.take(r.batch.Notes)
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(fresh) > 0 {
		s.memory = append(s.memory, fresh...)
		s.end = fresh[len(fresh)-1].Pos
	}
	if over := len(s.memory) - s.o.MemoryRecords; over > 0 {
		w.forget(max(over, s.o.MemoryRecords/64))
	}
	s.announce()
}

// take needs s.mu.
func (s *Spool) take(notes map[string][]byte) {
	for key, value := range notes {
		if value == nil {
			delete(s.notes, key)
		} else {
			s.notes[key] = value
		}
	}
}

// rejectedLater keeps what goes with the next commit that succeeds.
func (w *writing) rejectedLater(rejected []RejectedRecord, cursors map[string]int64) {
	w.rejected = append(w.rejected, rejected...)
	if over := len(w.rejected) - w.s.o.MemoryRecords; over > 0 {
		w.rejected = slices.Delete(w.rejected, 0, over)
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	for sink := range cursors {
		w.s.moved[sink] = true
	}
}

// forget drops n records from memory: the oldest observations first, events when there is no observation
// left, alerts last. What is being copied to disk stays. It needs s.mu.
func (w *writing) forget(n int) {
	s := w.s
	copying := int64(0)
	if w.attempt != nil {
		copying = w.attempt.upTo
	}
	for _, kind := range []Kind{Observation, Event, Alert} {
		if n <= 0 {
			return
		}
		kept := make([]Record, 0, len(s.memory))
		for _, r := range s.memory {
			if n > 0 && r.Kind == kind && r.Pos > copying {
				n--
				s.lose(Loss{Epoch: r.Epoch, Stream: r.Stream, FromSeq: r.Seq, ToSeq: r.Seq, Count: 1, Reason: reasonMemoryFull})
				w.holes = widen(w.holes, r.Pos)
				continue
			}
			kept = append(kept, r)
		}
		s.memory = kept
		// Only what is over the bound goes beyond observations.
		n = min(n, len(s.memory)-s.o.MemoryRecords)
	}
}

// widen adds a place to holes, which are in order and do not touch.
func widen(holes []hole, pos int64) []hole {
	i, _ := slices.BinarySearchFunc(holes, pos, func(h hole, pos int64) int { return cmp.Compare(h.first, pos) })
	before, after := i > 0 && holes[i-1].last == pos-1, i < len(holes) && holes[i].first == pos+1
	switch {
	case before && after:
		holes[i-1].last = holes[i].last
		return slices.Delete(holes, i, i+1)
	case before:
		holes[i-1].last = pos
		return holes
	case after:
		holes[i].first = pos
		return holes
	}
	return slices.Insert(holes, i, hole{first: pos, last: pos})
}
