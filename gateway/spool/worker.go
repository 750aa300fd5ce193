package spool

import (
	"context"
	"time"
)

// worker carries out the disk's jobs in its own goroutine, one at a time, because a job may hang
// with the disk. It is used by one goroutine.
type worker struct {
	jobs    chan func(context.Context) error
	results chan error
	busy    bool
}

func newWorker() *worker {
	return &worker{jobs: make(chan func(context.Context) error), results: make(chan error, 1)}
}

// run ends when jobs is closed.
func (w *worker) run(ctx context.Context) {
	for job := range w.jobs {
		w.results <- job(ctx)
	}
}

// start begins a job whose result comes on results. The worker must not be busy.
func (w *worker) start(job func(context.Context) error) {
	w.busy = true
	w.jobs <- job
}

// try waits for a job as long as limit. In time is false when it goes on alone.
func (w *worker) try(limit time.Duration, job func(context.Context) error) (err error, inTime bool) { //nolint:revive // the error is the job's, not try's
	w.start(job)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-w.results:
		w.busy = false
		return err, true
	case <-timer.C:
		return nil, false
	}
}
