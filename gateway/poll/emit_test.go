package poll

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// logPump is a fake pump that writes one log record per cycle and hands over what follows
// the anchor, as a driver does.
type logPump struct {
	head, read int
	begunAt    []string
}

func (l *logPump) attach(d *fakeDriver) {
	d.open = func(_ context.Context, _ drivers.Port, o drivers.OpenOptions) error {
		anchor, known := o.Anchors["A1"]
		l.begunAt = append(l.begunAt, anchor)
		l.read = 0
		if known {
			var err error
			if l.read, err = strconv.Atoi(anchor); err != nil {
				return err
			}
		}
		return nil
	}
	d.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) {
		l.head++
		r := report("", "A1")
		for ; l.read < l.head; l.read++ {
			r.Log = append(r.Log, drivers.LogRecord{ID: strconv.Itoa(l.read + 1)})
		}
		r.Anchor = strconv.Itoa(l.read)
		return []drivers.Report{r}, nil
	}
}

func logIDs(cycles []Cycle) []string {
	var ids []string
	for _, c := range cycles {
		if c.Report != nil {
			for _, rec := range c.Report.Log {
				ids = append(ids, rec.ID)
			}
		}
	}
	return ids
}

// Covers GW-18.
func TestFailedEmitLosesNoLogRecord(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		log := &logPump{}
		log.attach(b.driver)
		b.plug()
		b.run()
		b.pass(6 * time.Second) // two cycles taken over
		b.set(func() { b.emitErr = errors.New("disk full") })
		b.pass(10 * time.Second) // two refused
		b.set(func() { b.emitErr = nil })
		got := b.pass(10 * time.Second)
		if diff := cmp.Diff([]string{"1", "2", "3", "4", "5", "6"}, logIDs(got)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"", "2", "2"}, log.begunAt); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(seconds(0, 5, 20, 25), at(got)); diff != "" {
			t.Error(diff)
		}
		b.set(func() {
			if len(b.troubles) != 2 || !errors.Is(b.troubles[0], ErrEmit) {
				t.Errorf("troubles = %v, want two failures to emit", b.troubles)
			}
			if len(b.returned) != 0 {
				t.Errorf("the port was given back: %v", b.returned)
			}
		})
	})
}

// Covers GW-14.
func TestFailedEmitStillEmitsTheOthers(t *testing.T) {
	change := func(o *Options) {
		two(o)
		take := o.Emit
		o.Emit = func(ctx context.Context, c Cycle) error {
			if c.Pump == "milrinone" {
				return errors.New("refused")
			}
			return take(ctx, c)
		}
	}
	within(t, change, func(t *testing.T, b *bench) {
		b.driver.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) {
			return []drivers.Report{report("1", "A1"), report("2", "B2")}, nil
		}
		b.plug()
		b.run()
		got := b.pass(6 * time.Second)
		if len(got) != 2 || got[0].Pump != "dobutamine" || got[1].Pump != "dobutamine" {
			t.Errorf("cycles = %+v, want two of dobutamine", got)
		}
	})
}

// Covers GW-16.
func TestAnchorThatCannotBeReadStopsNothing(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		log := &logPump{}
		log.attach(b.driver)
		b.anchorIs = errors.New("disk")
		b.plug()
		b.run()
		b.pass(6 * time.Second)
		b.set(func() { b.emitErr = errors.New("disk") })
		b.pass(5 * time.Second)
		b.set(func() { b.emitErr = nil })
		got := b.pass(5 * time.Second)
		// The second conversation goes on where this process knows that it was.
		if diff := cmp.Diff([]string{"", "2"}, log.begunAt); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"1", "2", "3", "4"}, logIDs(got)); diff != "" {
			t.Error(diff)
		}
		b.set(func() {
			if len(b.troubles) != 3 || !errors.Is(b.troubles[0], ErrAnchor) || !errors.Is(b.troubles[2], ErrAnchor) {
				t.Errorf("troubles = %v, want anchor, emit, anchor", b.troubles)
			}
		})
	})
}

func TestFailedCloseIsTold(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		b.driver.closeErr = errors.New("still busy")
		b.driver.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) { return nil, drivers.ErrIdentity }
		b.plug()
		b.run()
		c := b.pass(time.Second)[0]
		if c.Gap == nil || c.Gap.Reason != infusion.GapWrongIdentity {
			t.Errorf("cycle = %+v, want wrong_identity", c)
		}
		b.set(func() {
			if len(b.troubles) != 1 || !errors.Is(b.troubles[0], ErrClose) {
				t.Errorf("troubles = %v, want a failed close", b.troubles)
			}
		})
	})
}
