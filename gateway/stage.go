package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// stage is a set of goroutines that are stopped and joined together.
type stage struct {
	ctx    context.Context //nolint:containedctx // the stage is the life of its tasks; nobody else sees it
	cancel context.CancelFunc
	fail   context.CancelCauseFunc
	tasks  sync.WaitGroup
}

// newStage begins a stage. A task that returns an error, or returns before the stage is stopped,
// calls fail with an error that names it.
func newStage(base context.Context, fail context.CancelCauseFunc) *stage {
	ctx, cancel := context.WithCancel(base)
	return &stage{ctx: ctx, cancel: cancel, fail: fail}
}

func (s *stage) run(name string, task func(context.Context) error) {
	s.tasks.Go(func() {
		err := task(s.ctx)
		switch {
		case s.ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)):
		case err == nil:
			s.fail(fmt.Errorf("%s: ended by itself", name))
		default:
			s.fail(fmt.Errorf("%s: %w", name, err))
		}
	})
}

// stop cancels the stage and waits for its tasks.
func (s *stage) stop() {
	s.cancel()
	s.tasks.Wait()
}
