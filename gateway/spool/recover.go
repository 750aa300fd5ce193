package spool

import (
	"context"
	"log/slog"
	"maps"
)

// recover tries to use the disk again: what is in memory goes there in order, with its keys, in one
// transaction; then a new durable epoch begins.
func (s *Spool) recover(ctx context.Context) {
	s.mu.Lock()
	if s.reason == "" {
		s.mu.Unlock()
		return
	}
	d, st := s.disk, s.state.clone()
	memory, notes, cursors, rejected := s.memory, maps.Clone(s.notes), maps.Clone(s.cursors), s.rejected
	s.mu.Unlock()

	fresh := d == nil
	if fresh {
		opened, err := openDisk(ctx, s.o.Path)
		if err != nil {
			s.still(err)
			return
		}
		d = opened
	}
	if fresh {
		// The places of the memory follow those of the file that now turned up.
		have, err := d.loadState(ctx)
		if err == nil {
			err = s.shift(have.pos, &memory, &st)
		}
		if err != nil {
			s.still(err)
			_ = d.close() // the error above says why
			return
		}
	}
	// A new epoch: its numbers begin anew and nobody can take them for the memory's.
	next := state{epoch: s.o.NewEpoch(), pos: st.pos, counts: map[string]counts{}}
	work := []request{{records: memory, batch: Batch{Notes: notes}, rejected: rejected}}
	for sink, pos := range cursors {
		work = append(work, request{sink: sink, pos: pos})
	}
	if err := d.begin(ctx, next, work); err != nil {
		s.still(err)
		if fresh {
			_ = d.close() // the error above says why
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disk, s.state, s.visible = d, next, next.pos
	s.memory, s.notes, s.rejected, s.moved, s.reason = nil, map[string][]byte{}, nil, false, ""
	s.o.Log.Info("records go to disk again", slog.Int("from_memory", len(memory)))
	s.announce()
}

// shift moves memory and cursors behind the last place of a file.
func (s *Spool) shift(by int64, memory *[]Record, st *state) error {
	if by == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	moved := make([]Record, len(*memory))
	for i, r := range *memory {
		r.Pos += by
		moved[i] = r
	}
	for sink := range s.cursors {
		s.cursors[sink] += by
	}
	*memory, s.memory = moved, moved
	s.state.pos += by
	st.pos += by
	return nil
}

func (s *Spool) still(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason = err.Error()
}

// begin writes what memory held and forgets the counters of the epoch before.
func (d *disk) begin(ctx context.Context, next state, work []request) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	w := writer{ctx: ctx, tx: tx}
	w.err = transact(ctx, tx, state{epoch: next.epoch, pos: next.pos, counts: map[string]counts{}}, work)
	w.exec("DELETE FROM counter")
	w.meta("epoch", next.epoch)
	w.meta("pos", formatPos(next.pos))
	if w.err != nil {
		_ = tx.Rollback() // the error above says why
		return w.err
	}
	return tx.Commit()
}
