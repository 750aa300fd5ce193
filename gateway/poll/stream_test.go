package poll

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// said is one Cycle in short: when it was emitted, whose it is, and what it says.
func said(b *bench) []string {
	var out []string
	for i, c := range b.cycles {
		what := "report"
		if c.Gap != nil {
			what = string(c.Gap.Reason)
		}
		out = append(out, fmt.Sprintf("%v %s %s took %v, %s", b.emitted[i], c.Pump, what, c.Took, c.Link.State))
	}
	return out
}

// Covers GW-127.
func TestADeadPumpHoldsUpNoOther(t *testing.T) {
	within(t, two, func(t *testing.T, b *bench) {
		b.driver.stream = func(_ context.Context, _ drivers.Port, take func(drivers.Report)) error {
			time.Sleep(100 * time.Millisecond)
			take(report("2", "B2"))
			time.Sleep(3 * time.Second) // the dead one is asked again and again
			return nil
		}
		b.plug()
		b.run()
		b.pass(6 * time.Second)
		want := []string{
			"100ms dobutamine report took 100ms, online", "3.1s milrinone no_reply took 3.1s, identifying",
			"5.1s dobutamine report took 100ms, online",
		}
		if diff := cmp.Diff(want, said(b)); diff != "" {
			t.Error(diff)
		}
	})
}

// Covers GW-127. A record that is slow to store does not hold up the questions to the next pump.
func TestASlowRecordHoldsUpNoOther(t *testing.T) {
	within(t, two, func(t *testing.T, b *bench) {
		b.block = 2 * time.Second
		b.driver.stream = func(_ context.Context, _ drivers.Port, take func(drivers.Report)) error {
			take(report("1", "A1"))
			time.Sleep(100 * time.Millisecond)
			take(report("2", "B2"))
			return nil
		}
		b.plug()
		b.run()
		b.pass(4 * time.Second)
		want := []string{"100ms dobutamine report took 100ms, online", "2s milrinone report took 0s, online"}
		if diff := cmp.Diff(want, said(b)); diff != "" {
			t.Error(diff)
		}
	})
}

// Covers GW-12, GW-127.
func TestWhatWasReportedStandsWhateverFollows(t *testing.T) {
	for _, tt := range []struct {
		name   string
		then   func(p *fakePort) error
		first  infusion.LinkState
		reason infusion.GapReason // of the second pump
	}{
		{name: "nothing", then: func(*fakePort) error { return nil }, first: infusion.LinkOnline, reason: infusion.GapNoReply},
		{name: "checksum", then: func(*fakePort) error { return drivers.ErrChecksum }, first: infusion.LinkOnline, reason: infusion.GapCorruptReply},
		{name: "identity", then: func(*fakePort) error { return drivers.ErrIdentity }, first: infusion.LinkOnline, reason: infusion.GapWrongIdentity},
		{name: "hang-up", then: func(p *fakePort) error {
			p.broken.Store(true)
			return nil
		}, first: infusion.LinkOnline, reason: infusion.GapPortLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			within(t, two, func(t *testing.T, b *bench) {
				var port *fakePort
				b.driver.stream = func(_ context.Context, p drivers.Port, take func(drivers.Report)) error {
					take(report("1", "A1"))
					return errors.Join(tt.then(port), p.ResetInputBuffer())
				}
				port = b.plug()
				b.run()
				got := b.pass(time.Second)
				if len(got) != 2 || got[0].Report == nil || got[0].Link.State != tt.first || got[1].Gap == nil || got[1].Gap.Reason != tt.reason {
					t.Fatalf("cycles %+v", got)
				}
				next := b.pass(5 * time.Second)
				if tt.reason == infusion.GapPortLost && next[2].Link.State != infusion.LinkAbsent {
					t.Errorf("after the hang-up %+v, want absent", next[2])
				}
			})
		})
	}
}

// Covers GW-127.
func TestASecondReportOfOnePumpIsNoSecondCycle(t *testing.T) {
	within(t, two, func(t *testing.T, b *bench) {
		b.driver.stream = func(_ context.Context, _ drivers.Port, take func(drivers.Report)) error {
			first := report("1", "A1")
			first.Mode = "first"
			take(first)
			for range 3 {
				take(report("1", "A1"))
			}
			take(report("2", "B2"))
			return nil
		}
		b.plug()
		b.run()
		got := b.pass(6 * time.Second)
		if len(got) != 4 || got[0].Report.Mode != "first" {
			t.Errorf("cycles = %+v, want two for each of two turns, of the first reports", got)
		}
		if n := b.loop.Repeats(); n != 6 {
			t.Errorf("repeats = %d, want 6", n)
		}
		b.set(func() {
			if len(b.troubles) != 6 || !errors.Is(b.troubles[0], ErrRepeated) {
				t.Errorf("troubles = %v", b.troubles)
			}
			if diff := cmp.Diff([]string{"milrinone"}, b.turns[1].Repeated); diff != "" {
				t.Error(diff)
			}
		})
	})
}

// A cycle that is cut off says nothing about the pumps that had not answered yet.
func TestCancelAfterOneOfTwo(t *testing.T) {
	within(t, two, func(t *testing.T, b *bench) {
		b.driver.stream = func(ctx context.Context, _ drivers.Port, take func(drivers.Report)) error {
			take(report("1", "A1"))
			<-ctx.Done()
			take(report("2", "B2"))
			return ctx.Err()
		}
		b.plug()
		b.run()
		b.pass(time.Second)
		b.cancel()
		if got := b.pass(0); len(got) != 1 || got[0].Pump != "milrinone" || got[0].Report == nil {
			t.Errorf("cycles = %+v, want the one that was complete", got)
		}
	})
}

// Covers GW-07. A pump without an address in the configuration is known by its serial number.
func TestOnePumpWithoutAnAddress(t *testing.T) {
	for _, tt := range []struct {
		name    string
		reports []drivers.Report
		want    infusion.GapReason
		foreign uint64
	}{
		{name: "at any address", reports: []drivers.Report{report("7", "A1")}},
		{name: "another one is there, too", reports: []drivers.Report{report("1", "B2"), report("7", "A1"), report("8", "C3")}, foreign: 2},
		{name: "only another one", reports: []drivers.Report{report("1", "B2")}, want: infusion.GapWrongIdentity, foreign: 1},
		{name: "nobody", want: infusion.GapNoReply},
	} {
		t.Run(tt.name, func(t *testing.T) {
			within(t, nil, func(t *testing.T, b *bench) {
				b.driver.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) { return tt.reports, nil }
				b.plug()
				b.run()
				got := b.pass(time.Second)
				if len(got) != 1 || (got[0].Gap == nil) != (tt.want == "") || tt.want != "" && got[0].Gap.Reason != tt.want {
					t.Errorf("cycles = %+v, want gap %q", got, tt.want)
				}
				if n := b.loop.Strangers(); n != tt.foreign {
					t.Errorf("strangers = %d, want %d", n, tt.foreign)
				}
			})
		})
	}
}

func TestManyStrangersTakeNoMemory(t *testing.T) {
	within(t, two, func(t *testing.T, b *bench) {
		n := 0
		b.driver.stream = func(_ context.Context, _ drivers.Port, take func(drivers.Report)) error {
			for range 1000 {
				n++
				take(report("x"+fmt.Sprint(n), "Z"))
			}
			return nil
		}
		b.plug()
		b.run()
		b.pass(6 * time.Second)
		if got := b.loop.Strangers(); got != 2000 {
			t.Errorf("strangers = %d, want 2000", got)
		}
		b.set(func() {
			if len(b.troubles) != maxStrangers || len(b.turns[1].Strangers) != maxStrangers {
				t.Errorf("%d troubles, %d strangers of the second turn", len(b.troubles), len(b.turns[1].Strangers))
			}
		})
	})
}

// The driver is told which addresses to ask and where each pump's log was read to.
func TestOpenOptions(t *testing.T) {
	weak := func(o *Options) {
		two(o)
		o.Pumps[1].Serial = ""
		o.Driver.(*fakeDriver).identity = drivers.IdentityWeak
	}
	within(t, weak, func(t *testing.T, b *bench) {
		b.anchors["milrinone"], b.anchors["dobutamine"] = "one", "two"
		var got drivers.OpenOptions
		b.driver.open = func(_ context.Context, _ drivers.Port, o drivers.OpenOptions) error { got = o; return nil }
		b.plug()
		b.run()
		b.pass(time.Second)
		if diff := cmp.Diff([]string{"1", "2"}, got.Addresses); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]string{"A1": "one", "@2": "two"}, got.Anchors); diff != "" {
			t.Error(diff)
		}
	})
}
