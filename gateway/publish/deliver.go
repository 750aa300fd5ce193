package publish

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/relay"
	"infusiond/gateway/spool"
)

// delivery is one batch on its way.
type delivery struct {
	batch    []spool.Record
	accepted atomic.Int64    // acknowledged records, from the start of the batch
	gone     <-chan struct{} // closed when nobody waits any more
	done     chan error      // has room for the one value that counts
}

// finish answers the delivery. Only the first answer counts.
func (d *delivery) finish(err error) {
	select {
	case d.done <- err:
	default:
	}
}

// Deliver implements relay.Sink. It returns when every record is acknowledged, when the
// connection that carries them ends, or soon after ctx ends. Without a connection
// it waits a few seconds for one.
func (p *Publisher) Deliver(ctx context.Context, batch []spool.Record) (relay.Outcome, error) {
	if len(batch) == 0 {
		return relay.Outcome{}, nil
	}
	d := &delivery{batch: batch, gone: ctx.Done(), done: make(chan error, 1)}
	limit := time.NewTimer(p.timing.patience)
	defer limit.Stop()
	select {
	case p.requests <- d:
	case <-limit.C:
		return relay.Outcome{}, p.failure()
	case <-ctx.Done():
		return relay.Outcome{}, ctx.Err()
	}
	var err error
	select {
	case err = <-d.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	return relay.Outcome{Accepted: int(d.accepted.Load())}, err
}

// topic is where a record is published.
func topic(t message.Topics, r *spool.Record) string {
	if r.Stream == "" {
		return t.GatewayEvent()
	}
	switch r.Kind {
	case spool.Observation:
		return t.Observation(r.Stream)
	case spool.Alert:
		return t.Alert(r.Stream)
	case spool.Event:
	}
	return t.Event(r.Stream)
}

// markLate returns the JSON object with "late":true as its last member. Bytes that are no
// object come back as they are.
func markLate(payload []byte) []byte {
	end := bytes.LastIndexByte(payload, '}')
	if end < 0 {
		return payload
	}
	member := `,"late":true}`
	if before := bytes.TrimRight(payload[:end], " \t\r\n"); len(before) > 0 && before[len(before)-1] == '{' {
		member = member[1:]
	}
	out := make([]byte, 0, end+len(member))
	return append(append(out, payload[:end]...), member...)
}
