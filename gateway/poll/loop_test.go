package poll

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// within runs body in virtual time with a bench that is stopped afterwards.
func within(t *testing.T, change func(*Options), body func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, change)
		body(t, b)
		b.stop()
	})
}

func seconds(all ...float64) []time.Duration {
	var d []time.Duration
	for _, s := range all {
		d = append(d, time.Duration(s*float64(time.Second)))
	}
	return d
}

// Covers GW-15.
func TestCadence(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		b.driver.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) {
			time.Sleep(317 * time.Millisecond)
			return []drivers.Report{report("", "A1")}, nil
		}
		b.plug()
		b.run()
		got := b.pass(10*time.Hour + time.Second)
		if len(got) != 7201 {
			t.Errorf("%d cycles in ten hours, want 7201", len(got))
		}
		for i, c := range got {
			if c.At.Boot != time.Duration(i)*interval || c.Took != 317*time.Millisecond || c.Report == nil || c.Gap != nil {
				t.Fatalf("cycle %d = %+v", i, c)
			}
		}
		if n := b.driver.opened.Load(); n != 1 {
			t.Errorf("conversation opened %d times, want once", n)
		}
	})
}

// Covers GW-15.
func TestNoCatchUp(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  func(b *bench)
		want []time.Duration
	}{
		{
			name: "long cycle", want: seconds(0, 5, 20, 25),
			act: func(b *bench) {
				n := 0
				b.driver.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) {
					if n++; n == 2 {
						time.Sleep(12 * time.Second)
					}
					return []drivers.Report{report("", "A1")}, nil
				}
			},
		},
		{
			name: "blocked emit", want: seconds(0, 20, 25),
			act: func(b *bench) { b.block = 18 * time.Second },
		},
		{
			name: "cycle of exactly one interval", want: seconds(0, 10, 15, 20, 25),
			act: func(b *bench) { b.block = interval },
		},
		{
			// 1 h of sleep at 7 s: the timer goes on where it stood, the grid stays.
			name: "suspend", want: seconds(0, 5, 3610, 3615, 3620, 3625),
			act: func(b *bench) {
				time.AfterFunc(7*time.Second, func() { b.slept.Store(int64(time.Hour)) })
			},
		},
		{
			// 1 h and 4 s: the cycle is late by the rest of the timer, the next is on the grid again.
			name: "suspend off the grid", want: seconds(0, 5, 3614, 3615, 3620, 3625, 3630),
			act: func(b *bench) {
				time.AfterFunc(7*time.Second, func() { b.slept.Store(int64(time.Hour + 4*time.Second)) })
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			within(t, nil, func(t *testing.T, b *bench) {
				tt.act(b)
				b.plug()
				b.run()
				if diff := cmp.Diff(tt.want, at(b.pass(27*time.Second))); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// Covers GW-02, GW-12.
func TestAbsentPort(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		b.tell(infusion.LinkOpening, "")
		b.tell(infusion.LinkAbsent, "open /dev/x: no such device")
		b.run()
		got := b.pass(22 * time.Second)
		if diff := cmp.Diff(seconds(0, 5, 10, 15, 20), at(got)); diff != "" {
			t.Error(diff)
		}
		for _, c := range got {
			want := Cycle{
				Pump: "milrinone", At: c.At, Gap: &infusion.Gap{Reason: infusion.GapPortAbsent, Detail: "open /dev/x: no such device"},
				Link: infusion.Link{State: infusion.LinkAbsent, Reason: "open /dev/x: no such device", Since: got[0].At},
			}
			if diff := cmp.Diff(want, c); diff != "" {
				t.Error(diff)
			}
		}
		// The cable is plugged in between two cycles: polled at once, on a new grid.
		b.plug()
		got = b.pass(12 * time.Second)[5:]
		if diff := cmp.Diff(seconds(22, 27, 32), at(got)); diff != "" {
			t.Error(diff)
		}
		if got[0].Report == nil || got[0].Link.State != infusion.LinkOnline || got[0].Link.Reason != "" || got[0].Link.Since.Boot != 22*time.Second {
			t.Errorf("first cycle after plugging in = %+v", got[0])
		}
	})
}

func TestSlowOpeningDoesNotHoldTheFirstCycleForLong(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		b.run()
		got := b.pass(12 * time.Second)
		if diff := cmp.Diff(seconds(1, 6, 11), at(got)); diff != "" {
			t.Error(diff)
		}
		for _, c := range got {
			if c.Gap == nil || c.Gap.Reason != infusion.GapPortAbsent || c.Link.State != infusion.LinkOpening || c.Link.Since.Boot != 0 {
				t.Errorf("cycle = %+v", c)
			}
		}
	})
}

// Covers GW-13.
func TestSilentAfterTwoAndBack(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		answers := "y nnny ny"
		b.driver.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) {
			answers = strings.TrimSpace(answers)
			answer := answers[0]
			answers = answers[1:]
			if answer == 'n' {
				return nil, drivers.ErrSilent
			}
			return []drivers.Report{report("", "A1")}, nil
		}
		b.plug()
		b.run()
		type row struct {
			State infusion.LinkState
			Since time.Duration
			Gap   infusion.GapReason
		}
		var got []row
		for _, c := range b.pass(32 * time.Second) {
			r := row{State: c.Link.State, Since: c.Link.Since.Boot}
			if c.Gap != nil {
				r.Gap = c.Gap.Reason
			}
			if (c.Report == nil) != (c.Gap != nil) {
				t.Errorf("report and gap: %+v", c)
			}
			got = append(got, r)
		}
		s := time.Second
		want := []row{
			{infusion.LinkOnline, 0, ""},
			{infusion.LinkOnline, 0, infusion.GapNoReply},
			{infusion.LinkSilent, 10 * s, infusion.GapNoReply},
			{infusion.LinkSilent, 10 * s, infusion.GapNoReply},
			{infusion.LinkOnline, 20 * s, ""},
			{infusion.LinkOnline, 20 * s, infusion.GapNoReply},
			{infusion.LinkOnline, 20 * s, ""},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNobodyAnswersTheOpening(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		b.driver.open = func(context.Context, drivers.Port, drivers.OpenOptions) error { return drivers.ErrSilent }
		b.plug()
		b.run()
		got := b.pass(12 * time.Second)
		var states []infusion.LinkState
		for _, c := range got {
			states = append(states, c.Link.State)
			if c.Gap == nil || c.Gap.Reason != infusion.GapNoReply {
				t.Errorf("gap = %+v, want no_reply", c.Gap)
			}
		}
		want := []infusion.LinkState{infusion.LinkIdentifying, infusion.LinkSilent, infusion.LinkSilent}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Error(diff)
		}
		if n := b.driver.opened.Load(); n != 3 {
			t.Errorf("conversation tried %d times, want once per cycle", n)
		}
	})
}

func TestHangUpWithinACycle(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		b.driver.poll = func(_ context.Context, p drivers.Port) ([]drivers.Report, error) {
			time.Sleep(200 * time.Millisecond)
			if _, err := p.Write([]byte("Q")); err != nil {
				// A careless driver that hides the cause.
				return nil, errors.New("query failed")
			}
			return []drivers.Report{report("", "A1")}, nil
		}
		port := b.plug()
		b.run()
		b.pass(time.Second)
		port.broken.Store(true)
		b.set(func() { b.block = 300 * time.Millisecond }) // a slow Emit does not hold up the line
		got := b.pass(4*time.Second + 250*time.Millisecond)
		b.set(func() {
			if len(b.returned) != 1 || !errors.Is(b.returned[0], errUnplugged) {
				t.Errorf("the port came back with %v, want the hang-up, before Emit returns", b.returned)
			}
		})
		if len(got) != 1 {
			t.Errorf("%d cycles while the failed one is being emitted, want 1", len(got))
		}
		b.plug() // at 5.25 s
		got = b.pass(6 * time.Second)
		if diff := cmp.Diff(seconds(0, 5, 6, 11), at(got)); diff != "" {
			t.Error(diff)
		}
		failed := got[1]
		if failed.Gap == nil || failed.Gap.Reason != infusion.GapPortLost || failed.Gap.Detail != errUnplugged.Error() ||
			failed.Link.State != infusion.LinkAbsent || failed.Took != 200*time.Millisecond {
			t.Errorf("failed cycle = %+v, gap %+v", failed, failed.Gap)
		}
		if c := got[2]; c.Report == nil || c.Link.State != infusion.LinkOnline {
			t.Errorf("cycle after the reconnect = %+v", c)
		}
		if o, c := b.driver.opened.Load(), b.driver.closed.Load(); o != 2 || c != 1 {
			t.Errorf("conversations opened %d, closed %d, want 2 and 1", o, c)
		}
	})
}

// Covers GW-13.
func TestLostPortStaysAbsentUntilTheLineSpeaks(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		b.driver.poll = func(_ context.Context, p drivers.Port) ([]drivers.Report, error) {
			return []drivers.Report{report("", "A1")}, p.ResetInputBuffer()
		}
		port := b.plug()
		b.run()
		b.pass(time.Second)
		port.broken.Store(true)
		got := b.pass(10 * time.Second)
		// The report of the cycle in which the port was lost is still true.
		if c := got[1]; c.Report == nil || c.Gap != nil || c.Link.State != infusion.LinkAbsent {
			t.Errorf("cycle = %+v", c)
		}
		if c := got[2]; c.Gap == nil || c.Gap.Reason != infusion.GapPortAbsent || c.Link.State != infusion.LinkAbsent ||
			c.Link.Since.Boot != 5*time.Second || c.Link.Reason != errUnplugged.Error() {
			t.Errorf("cycle = %+v", c)
		}
	})
}

// Covers GW-03.
func TestFlappingPortMakesNoBurst(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		b.driver.poll = func(_ context.Context, p drivers.Port) ([]drivers.Report, error) {
			_, err := p.Write([]byte("Q"))
			return nil, err
		}
		b.run()
		for range 200 {
			b.plug().broken.Store(true)
			b.pass(250 * time.Millisecond)
		}
		got := at(b.pass(0))
		for i := 1; i < len(got); i++ {
			if d := got[i] - got[i-1]; d < quick || d > interval {
				t.Errorf("cycle %d follows after %v, want %v to %v", i, d, quick, interval)
			}
		}
		if len(got) < 200/4/5 {
			t.Errorf("only %d cycles in 50 s", len(got))
		}
	})
}

func TestCancelWithinACycle(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		b.driver.poll = func(ctx context.Context, _ drivers.Port) ([]drivers.Report, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		b.plug()
		b.run()
		b.pass(time.Second)
		b.cancel()
		if got := b.pass(0); len(got) != 0 {
			t.Errorf("a cycle that was cut off was emitted: %+v", got)
		}
		b.set(func() {
			if len(b.returned) != 1 || !errors.Is(b.returned[0], context.Canceled) {
				t.Errorf("the port came back with %v", b.returned)
			}
		})
		if b.driver.closed.Load() != 1 {
			t.Error("the conversation was not closed")
		}
	})
}

func TestCancelWithinEmit(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		b.block = time.Hour
		b.plug()
		b.run()
		b.pass(time.Minute)
		b.cancel()
		b.pass(0)
		b.set(func() {
			if len(b.cycles) != 0 || len(b.troubles) != 0 {
				t.Errorf("cycles %v, troubles %v, want none after a cancel", b.cycles, b.troubles)
			}
		})
	})
}

func TestLineThatEndsIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		close(b.events)
		b.run()
		if err := <-b.ended; err == nil || !strings.Contains(err.Error(), "ended by itself") {
			t.Errorf("run = %v, want an error", err)
		}
		b.cancel()
	})
}

// Covers GW-15.
func TestOptionsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(o *Options)
		want   string
	}{
		{name: "no interval", change: func(o *Options) { o.Interval = 0 }, want: "interval 0s"},
		{name: "below the driver's", change: func(o *Options) { o.Interval = time.Millisecond }, want: "at least 10ms"},
		{name: "no pump", change: func(o *Options) { o.Pumps = nil }, want: "no pump"},
		{name: "no serial number", change: func(o *Options) { o.Pumps[0].Serial = "" }, want: "milrinone: no serial number"},
		{name: "address twice", change: func(o *Options) {
			two(o)
			o.Pumps[1].Address = "1"
		}, want: `dobutamine: address "1" belongs to milrinone`},
		{name: "no address among several", change: func(o *Options) {
			two(o)
			o.Pumps[1].Address = ""
		}, want: "dobutamine: no address, and 2 pumps"},
		{name: "several for a driver that knows one", change: func(o *Options) {
			two(o)
			o.Driver.(*fakeDriver).single = true
		}, want: "2 pumps on this port, the driver fake knows one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.change)
			if err := b.loop.Run(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("run = %v, want %q in it", err, tt.want)
			}
		})
	}
}
