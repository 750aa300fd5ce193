package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/alert"
	"infusiond/gateway/check"
	"infusiond/gateway/config"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/normalize"
	"infusiond/gateway/prescription"
	"infusiond/gateway/retain"
	"infusiond/gateway/spool"
)

// recorder is the part of the spool that a channel needs.
type recorder interface {
	Append(ctx context.Context, b spool.Batch) ([]spool.Record, error)
	Note(ctx context.Context, key string) ([]byte, bool, error)
}

// channelOptions is what a channel is made of.
type channelOptions struct {
	Pump   config.Pump
	Sender sender
	Book   func() *prescription.Book
	Spool  recorder
	Set    *retain.Set
	Clock  infusion.Clock
	NewID  func() string
	Log    *slog.Logger
}

// channel is the goroutine of one pump: it takes its polling cycles, judges and records them, and
// keeps the pump's retained messages true. All its state belongs to that goroutine.
type channel struct {
	channelOptions
	cycles  chan work
	born    infusion.Instant
	checker *check.Checker
	machine *alert.Machine

	hasAnchor bool // the pump's log was read before: its alarms have a history
	link      infusion.LinkState
	shown     atomic.Pointer[infusion.Link] // for health, which another goroutine makes
	serial    string                        // as last told by the pump
	class     prescription.StopClass
	version   message.PrescriptionRef
	epoch     string // of the last record
	durable   bool
	lastSeq   uint64
	known     lastKnown
	alarms    bool // the pump's own alarms are known
}

// lastKnown are values of earlier cycles, each with its own time inside.
type lastKnown struct {
	at      infusion.Instant
	reading *message.OldRead
	slow    message.LastKnown
}

type work struct {
	input normalize.Input
	done  chan error
}

func newChannel(o channelOptions) *channel {
	born := o.Clock()
	return &channel{
		channelOptions: o, cycles: make(chan work), born: born, checker: check.New(born), machine: alert.New(o.NewID), class: prescription.Fast,
	}
}

func (c *channel) String() string { return "channel " + c.Pump.Name }

// take hands a cycle to the channel's goroutine and returns when it is recorded.
func (c *channel) take(ctx context.Context, in normalize.Input) error {
	w := work{input: in, done: make(chan error, 1)}
	select {
	case c.cycles <- w:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run restores the pump's open alerts and then takes cycles and ticks until ctx ends.
func (c *channel) Run(ctx context.Context) error {
	if err := c.restore(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case w := <-c.cycles:
			err = c.cycle(ctx, w.input)
			w.done <- err
		case <-tick.C:
			err = c.tick(ctx)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			// The cycle's own caller has the error, too, and reads the pump's log again.
			c.Log.Error("cycle was not recorded", slog.String("pump", c.Pump.Name), slog.Any("error", err))
		}
	}
}

// lastLink is the link as of the last cycle.
func (c *channel) lastLink() infusion.Link {
	if l := c.shown.Load(); l != nil {
		return *l
	}
	return infusion.Link{State: infusion.LinkAbsent, Reason: "not tried yet", Since: c.born}
}

func (c *channel) noteAlerts() string { return "alerts/" + c.Pump.Name }

// noteAnchor is the key under which a pump's log anchor is stored. A pump with a serial number takes its
// anchor along to another port; one without is known by its port and address alone.
func noteAnchor(p config.Pump) string {
	if p.Serial == "" {
		return "anchor/" + drivers.AnchorKey("", p.Address) + " " + p.Port
	}
	return "anchor/" + p.Serial
}

func (c *channel) restore(ctx context.Context) error {
	saved, found, err := c.Spool.Note(ctx, c.noteAlerts())
	if err != nil {
		return fmt.Errorf("read open alerts: %w", err)
	}
	if found {
		if err := c.machine.Restore(saved, c.Clock()); err != nil {
			// Alerts that cannot be read are raised again by what is still true.
			c.Log.Error("open alerts of the last run cannot be read", slog.String("pump", c.Pump.Name), slog.Any("error", err))
		}
	}
	order, ordered := c.Book().At(c.Pump.Name, c.Clock().UTC)
	c.class = class(order, ordered) // timers go on before the first cycle
	if planned, known := c.machine.Onset(message.CodeStopped); known {
		c.checker.Resume(planned)
	}
	for _, code := range []string{message.CodeDataStale, message.CodeDataDelayed} {
		if last, known := c.machine.Onset(code); known {
			c.checker.ResumeSilence(last)
		}
	}
	_, c.hasAnchor, err = c.Spool.Note(ctx, noteAnchor(c.Pump))
	if err != nil {
		return fmt.Errorf("read log anchor: %w", err)
	}
	return nil
}

// cycle judges one polling cycle and records everything that it brought in one transaction:
// alert transitions first, then events, then the observation.
func (c *channel) cycle(ctx context.Context, in normalize.Input) error {
	o := normalize.Observation(in)
	c.shown.Store(&o.Link)
	if o.Identity.Serial != "" {
		c.serial = o.Identity.Serial
	}
	order, ordered := c.Book().At(c.Pump.Name, o.At.UTC)
	c.class = class(order, ordered)
	result := c.checker.Observe(o, order, ordered)

	b := batch{sender: c.Sender, pump: c.Pump.Name, serial: o.Identity.Serial, at: o.At}
	undo := c.undo()
	transitions := c.transitions(o, in.Report, result)
	c.events(&b, o, in.Report, order, ordered)
	b.observation(o, result)
	records, err := c.commit(ctx, &b, transitions, in.Report)
	if err != nil {
		undo()
		return err
	}
	c.lastSeq = records[len(records)-1].Seq
	c.remember(o)
	c.alarms = o.Gap == nil && o.AlarmsKnown
	return errors.Join(c.putState(o, result), c.putAlerts(o.At))
}

// undo returns what takes back the changes that a cycle or tick is about to record, when it is not recorded: an
// alert that nobody was told of must be raised again.
func (c *channel) undo() func() {
	mark, link, version := c.machine.Mark(), c.link, c.version
	return func() {
		c.machine.Reset(mark)
		c.link, c.version = link, version
	}
}

func class(order prescription.Order, ordered bool) prescription.StopClass {
	if ordered && order.Limits != nil {
		return order.Limits.Stop
	}
	return prescription.Fast
}

// transitions brings the alerts up to date.
func (c *channel) transitions(o infusion.Observation, r *drivers.Report, result check.Result) []alert.Transition {
	ev := alert.Clock
	var out []alert.Transition
	if o.Gap == nil {
		ev |= alert.Reading | alert.Identity
		// A pump that shows one alarm at a time may hide one that still stands: it does not end.
		if o.AlarmsKnown && !slices.Contains(o.Uncertain, "Alarms") {
			ev |= alert.Alarms
		}
		if c.hasAnchor {
			out = c.machine.Log(o.At, r.Log, r.Alarms, r.AlarmsKnown)
		}
	}
	return append(out, c.machine.Update(o.At, ev, c.class, alert.Of(o.At, result.Findings, o.Alarms))...)
}

// events adds what happened: link and prescription changes, log records and gaps.
func (c *channel) events(b *batch, o infusion.Observation, r *drivers.Report, order prescription.Order, ordered bool) {
	if o.Link.State != c.link {
		b.event(message.Event{
			Event: message.EventLink, Text: "link " + orNone(string(c.link)) + " → " + string(o.Link.State),
			LinkChange: &message.LinkChange{From: string(c.link), To: string(o.Link.State), Reason: o.Link.Reason},
		})
		if o.Link.State == infusion.LinkOnline && o.Identity.Serial != "" {
			b.event(message.Event{Event: message.EventPumpIdentified, Text: fmt.Sprintf("%s %s, firmware %s, answers",
				orNone(o.Identity.Model), o.Identity.Serial, orNone(o.Identity.Firmware))})
		}
		c.link = o.Link.State
	}
	var version message.PrescriptionRef
	if ordered {
		version = *reference(order)
	}
	if version != c.version {
		e := message.Event{Event: message.EventPrescriptionChange, Text: "no prescription applies any more"}
		if ordered {
			e.Text = fmt.Sprintf("prescription version %d applies: %s", version.Version, prescribedText(order))
			e.Prescription = &version
		}
		b.event(e)
		c.version = version
	}
	if r == nil || o.Gap != nil {
		return
	}
	for _, gap := range r.LogGaps {
		b.event(message.Event{
			Event: message.EventGap, Text: "the pump's event log could not be connected: " + gap.Reason,
			Gap: &message.Gap{Reason: gap.Reason, From: gap.From, To: gap.To},
		})
	}
	for _, record := range r.Log {
		b.event(logEvent(o.At, record))
	}
}

func orNone(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

func logEvent(at infusion.Instant, r drivers.LogRecord) message.Event {
	l := &message.PumpLog{
		RecordID: r.ID, RawCode: r.RawCode, Name: r.Name, Alarm: string(r.Alarm), PumpTime: r.PumpTime, RawHex: hex.EncodeToString(r.Raw),
	}
	if r.AgeS.Valid && r.AgeS.Unit == drivers.Second && r.AgeS.Exponent == 0 {
		l.Occurred = message.TimeOf(at.UTC.Add(-time.Duration(r.AgeS.Mantissa) * time.Second))
	}
	for name, q := range r.Values {
		if l.Values == nil {
			l.Values = map[string]message.Decimal{}
		}
		if d := plain(q); !d.IsZero() {
			l.Values[name] = d
		}
	}
	return message.Event{Event: message.EventPumpLog, Text: r.Text, PumpLog: l}
}

// commit records a batch together with the open alerts and the log anchor.
func (c *channel) commit(ctx context.Context, b *batch, transitions []alert.Transition, r *drivers.Report) ([]spool.Record, error) {
	all := spool.Batch{Notes: map[string][]byte{}}
	for _, t := range transitions {
		all.Drafts = append(all.Drafts, b.transition(t))
	}
	all.Drafts = append(all.Drafts, b.drafts...)
	// The pump's log can change what the alerts remember without a transition; it must not be newer than the anchor.
	if len(transitions) > 0 || r != nil && len(r.Log) > 0 {
		saved, err := c.machine.Save()
		if err != nil {
			return nil, err
		}
		all.Notes[c.noteAlerts()] = saved
	}
	anchored := r != nil && r.Anchor != "" && strings.TrimSpace(r.Identity.Serial) == c.Pump.Serial
	if anchored {
		all.Notes[noteAnchor(c.Pump)] = []byte(r.Anchor)
	}
	if len(all.Drafts) == 0 {
		return nil, nil
	}
	records, err := c.Spool.Append(ctx, all)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	last := records[len(records)-1]
	c.epoch, c.durable = last.Epoch, last.Durable
	c.hasAnchor = c.hasAnchor || anchored
	return records, nil
}

// tick lets time pass: silence becomes delayed and stale, priorities rise.
func (c *channel) tick(ctx context.Context) error {
	at := c.Clock()
	silent := c.checker.Silence(at)
	b := batch{sender: c.Sender, pump: c.Pump.Name, serial: c.serial, at: at}
	undo := c.undo()
	transitions := c.machine.Pass(at, c.class, alert.Of(at, silent, nil))
	if len(transitions) == 0 {
		return nil
	}
	if _, err := c.commit(ctx, &b, transitions, nil); err != nil {
		undo()
		return err
	}
	return c.putAlerts(at)
}
