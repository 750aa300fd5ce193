package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"infusiond/gateway/spool"
)

// counter is the part of the spool that knows the size of a backlog; optional.
type counter interface {
	Backlog(ctx context.Context, sink string) (count uint64, oldest time.Time, err error)
}

// Measure asks the spool how much waits for this sink. It is for health, every few seconds, not for
// each record.
func (r *Relay) Measure(ctx context.Context) error {
	c, ok := r.o.Spool.(counter)
	if !ok {
		return nil
	}
	n, oldest, err := c.Backlog(ctx, r.status.Name)
	if err != nil {
		return fmt.Errorf("measure backlog of %s: %w", r.status.Name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Undelivered, r.status.Oldest = n, oldest
	return nil
}

// Drain waits until everything that the spool held when it was called is dealt with, or ctx ends.
func (r *Relay) Drain(ctx context.Context) error {
	for {
		changed := r.moved()
		r.mu.Lock()
		cursor := r.cursor
		r.mu.Unlock()
		rest, err := r.o.Spool.After(ctx, cursor, 1)
		if err != nil && !errors.Is(err, spool.ErrRewind) {
			return fmt.Errorf("drain %s: %w", r.status.Name, err)
		}
		if err == nil && len(rest) == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("drain %s: %w", r.status.Name, ctx.Err())
		}
	}
}

// moved returns a channel that is closed when the cursor moves next.
func (r *Relay) moved() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.advanced
}
