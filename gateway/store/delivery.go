package store

import (
	"context"
	"errors"
	"log/slog"

	"infusiond/gateway/relay"
	"infusiond/gateway/spool"
)

// delivery is the work on one batch, from its start to its end.
type delivery struct {
	s       *Store
	outcome relay.Outcome
	sound   bool // the server took a point during this delivery, so a refusal is the point's fault
}

// item is a line and where its record stands in the batch.
type item struct {
	line  string
	index int
	bad   error // why its record is set aside
}

// chunk deals with at most maxLines records.
func (d *delivery) chunk(ctx context.Context, records []spool.Record) error {
	items := make([]item, len(records))
	first := d.outcome.Accepted
	for i := range records {
		text, err := point(&records[i])
		items[i] = item{line: text, index: first + i, bad: err}
	}
	return d.halves(ctx, items)
}

// halves stores items in order. What is refused is halved until the bad point stands alone.
func (d *delivery) halves(ctx context.Context, items []item) error {
	lines := make([]string, 0, len(items))
	for _, it := range items {
		if it.bad == nil {
			lines = append(lines, it.line)
		}
	}
	if len(lines) == 0 {
		d.accept(items)
		return nil
	}
	err := d.s.send(ctx, lines...)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	verdict, failure := judge(err)
	switch verdict {
	case stored:
		d.sound = true
		d.accept(items)
		return nil
	case waiting:
		return failure
	case badData, tooBig:
	}
	if len(lines) == 1 {
		return d.alone(ctx, items, err)
	}
	middle := len(items) / 2
	if err := d.halves(ctx, items[:middle]); err != nil {
		return err
	}
	return d.halves(ctx, items[middle:])
}

// alone sets the one point aside that the server refuses, once it is proven that the server takes others.
func (d *delivery) alone(ctx context.Context, items []item, refusal error) error {
	if !d.sound {
		if err := d.s.probe(ctx); err != nil {
			return d.unsound(ctx, err, refusal)
		}
		d.sound = true
	}
	for i := range items {
		if items[i].bad == nil {
			items[i].bad = errors.New(wordsOf(refusal))
		}
	}
	d.accept(items)
	return nil
}

// unsound explains a refused probe: nothing is known about the point, so it waits.
func (d *delivery) unsound(ctx context.Context, err, refusal error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if verdict, failure := judge(err); verdict == waiting {
		return failure
	}
	return &relay.Failure{
		Code: CodeRefused, Hint: "the database refuses even a point that is beyond doubt; see its log and limits",
		Err: errors.New(wordsOf(refusal)), Refuse: true,
	}
}

// accept counts items as dealt with.
func (d *delivery) accept(items []item) {
	for _, it := range items {
		if it.bad == nil {
			continue
		}
		reason := cut(it.bad.Error())
		d.outcome.Rejected = append(d.outcome.Rejected, relay.Reject{Index: it.index, Reason: reason})
		d.s.log.Warn("record set aside", slog.String("sink", d.s.Name()), slog.String("reason", reason))
	}
	d.outcome.Accepted += len(items)
}
