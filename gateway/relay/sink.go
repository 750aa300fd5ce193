package relay

import (
	"context"

	"infusiond/gateway/spool"
)

// Sink receives the records of the spool, in order.
type Sink interface {
	// Name is the sink's name in health and logs: "mqtt", "influxdb".
	Name() string
	// Deliver sends records and waits for their confirmation. Outcome counts a prefix of the
	// batch: everything before Accepted is confirmed or in Rejected, nothing after it is.
	// An error says why the rest was not sent; the relay tries it again. Deliver returns
	// soon after ctx ends.
	Deliver(ctx context.Context, batch []spool.Record) (Outcome, error)
}

// Outcome is how far a delivery came.
type Outcome struct {
	Accepted int      // records of the batch that are dealt with, from its start
	Rejected []Reject // those of them that the receiver will never take
}

// Reject is a record that a receiver refuses for good. It is set aside with its reason.
type Reject struct {
	Index  int // in the batch
	Reason string
}

// Failure is an error with a stable code and a hint, for health.
type Failure struct {
	Code   string // e.g. "broker_unreachable", "influxdb_unauthorized"
	Hint   string // what a person can do
	Err    error
	Refuse bool // trying again soon cannot help: wait longer between tries
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }
