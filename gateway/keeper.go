package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/spool"
)

// Times of the gateway's own messages (design section 6).
const (
	healthEvery    = 30 * time.Second
	healthValidFor = 90 * time.Second
	pruneEvery     = time.Hour
	measureEvery   = 5 * time.Second
	clockStep      = time.Second // a jump of the wall clock beyond this is an event
)

const notePumps = "pumps"

// begin records that the gateway started, and which pumps left the configuration.
func (g *Gateway) begin(ctx context.Context) error {
	b := batch{sender: g.sender, at: g.options.Clock()}
	b.event(message.Event{Event: message.EventStarted, Text: "infusiond " + g.sender.version + " started"})
	var names []string
	for _, p := range g.options.Config.Pumps {
		names = append(names, p.Name)
	}
	all := spool.Batch{Drafts: b.drafts, Notes: map[string][]byte{}}
	for _, gone := range g.removed(ctx, names) {
		left := batch{sender: g.sender, pump: gone, at: b.at}
		left.event(message.Event{Event: message.EventRemoved, Text: "this pump left the gateway's configuration: nothing is known of it any more"})
		all.Drafts = append(all.Drafts, left.drafts...)
		g.set.Clear(g.sender.topics.State(gone))
		g.set.Clear(g.sender.topics.Alerts(gone))
	}
	list, err := json.Marshal(names)
	if err != nil {
		return fmt.Errorf("encode pump names: %w", err)
	}
	all.Notes[notePumps] = list
	if _, err := g.spool.Append(ctx, all); err != nil {
		return err
	}
	return g.putHealth(b.at)
}

// removed lists the pumps of the last run that are no longer configured.
func (g *Gateway) removed(ctx context.Context, names []string) []string {
	note, found, err := g.spool.Note(ctx, notePumps)
	if err != nil || !found {
		return nil
	}
	var before []string
	if err := json.Unmarshal(note, &before); err != nil {
		g.options.Log.Error("the list of pumps of the last run cannot be read", slog.Any("error", err))
	}
	return slices.DeleteFunc(before, func(name string) bool { return slices.Contains(names, name) })
}

// end records that the gateway stopped in order.
func (g *Gateway) end(ctx context.Context) {
	b := batch{sender: g.sender, at: g.options.Clock()}
	b.event(message.Event{Event: message.EventStopped, Text: "infusiond stopped in order"})
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := g.spool.Append(ctx, spool.Batch{Drafts: b.drafts}); err != nil {
		g.options.Log.Error("the end was not recorded", slog.Any("error", err))
	}
}

// keep keeps health true: at once when a condition changes, and every 30 s. It also watches
// clock and disk, and lets delivered observations go.
func (g *Gateway) keep(ctx context.Context) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	last := g.options.Clock()
	said, pruned, measured := last, last, last
	var before string
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.tracker.Changed():
		case <-second.C:
		}
		now := g.options.Clock()
		g.watchClock(ctx, last, now)
		last = now
		g.watchDisk()
		g.recordConditions(ctx, now)
		if now.Since(pruned) >= pruneEvery {
			pruned = now
			if err := g.prune(ctx, now); err != nil {
				g.options.Log.Error("old observations were not removed", slog.Any("error", err))
			}
		}
		if now.Since(measured) >= measureEvery {
			measured = now
			for _, r := range g.running() {
				if err := r.Measure(ctx); err != nil && ctx.Err() == nil {
					g.options.Log.Error("backlog is not known", slog.Any("error", err))
				}
			}
		}
		if present := g.fingerprint(); present != before || now.Since(said) >= healthEvery {
			before, said = present, now
			if err := g.putHealth(now); err != nil {
				return err
			}
		}
	}
}

// watchClock records a jump between wall clock and boot clock.
func (g *Gateway) watchClock(ctx context.Context, last, now infusion.Instant) {
	step := now.UTC.Sub(last.UTC) - now.Since(last)
	if step > clockStep || step < -clockStep {
		b := batch{sender: g.sender, at: now}
		b.event(message.Event{
			Event: message.EventClockStep, Text: fmt.Sprintf("the gateway's wall clock jumped by %v", step.Round(time.Millisecond)),
			ClockStep: &message.ClockStep{StepMS: step.Milliseconds()},
		})
		g.append(ctx, b.drafts)
	}
	detail := ""
	if !now.Synced {
		detail = "times of records may be wrong; ages and timers are not affected"
	}
	g.tracker.Report("clock_unsynced", "", detail, "")
}

func (g *Gateway) watchDisk() {
	status := g.spool.Status()
	detail := ""
	if !status.Durable {
		detail = status.Reason
		if detail == "" {
			detail = "unknown reason"
		}
	}
	g.tracker.Report("disk_failed", spoolFile, detail, "")
	g.reportProblems()
}

// recordConditions puts changes of conditions into the gateway's own stream.
func (g *Gateway) recordConditions(ctx context.Context, now infusion.Instant) {
	b := batch{sender: g.sender, at: now}
	for _, change := range g.tracker.Take() {
		kind := message.EventConditionRaised
		if change.Ended {
			kind = message.EventConditionEnded
		}
		c := change.Condition
		b.event(message.Event{Event: kind, Text: c.Text, Condition: &c})
		g.options.Log.Info("condition", slog.String("event", kind), slog.String("code", c.Code), slog.String("subject", c.Subject), slog.String("detail", c.Detail))
	}
	for _, loss := range g.spool.TakeLosses() {
		text := fmt.Sprintf("%d records were lost: %s", loss.Count, loss.Reason)
		if loss.FromSeq > 0 {
			text = fmt.Sprintf("%d records between %d and %d of stream %q were lost: %s", loss.Count, loss.FromSeq, loss.ToSeq, loss.Stream, loss.Reason)
		}
		b.event(message.Event{Event: message.EventLoss, Text: text, Loss: &message.Loss{
			Epoch: loss.Epoch, Stream: loss.Stream, FromSeq: loss.FromSeq, ToSeq: loss.ToSeq, Count: loss.Count, Reason: loss.Reason,
		}})
		g.tracker.Report("records_lost", loss.Stream, text, "")
	}
	g.append(ctx, b.drafts)
}

func (g *Gateway) append(ctx context.Context, drafts []spool.Draft) {
	if len(drafts) == 0 {
		return
	}
	if _, err := g.spool.Append(ctx, spool.Batch{Drafts: drafts}); err != nil && !errors.Is(err, context.Canceled) {
		g.options.Log.Error("an event of the gateway was not recorded", slog.Any("error", err))
	}
}

func (g *Gateway) prune(ctx context.Context, now infusion.Instant) error {
	var sinks []string
	for _, s := range g.sinks() {
		if s.State != "disabled" {
			sinks = append(sinks, s.Name)
		}
	}
	return g.spool.Prune(ctx, sinks, now.UTC.Add(-g.options.Config.History))
}
