package poll

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

// Covers GW-07, GW-08.
func TestIdentity(t *testing.T) {
	for _, tt := range []struct {
		name       string
		configured string
		answers    string
		refuse     string
		identity   drivers.IdentityStrength
		detail     string // empty: attributed
	}{
		{name: "the right one", configured: "A1", answers: "A1", identity: drivers.IdentityStrong},
		{name: "padded", configured: "A1", answers: " A1 ", identity: drivers.IdentityStrong},
		{name: "another pump", configured: "A1", answers: "B2", identity: drivers.IdentityStrong, detail: "serial number B2 answers, configured is A1"},
		{name: "other case", configured: "A1", answers: "a1", identity: drivers.IdentityStrong, detail: "serial number a1 answers, configured is A1"},
		{name: "does not tell", configured: "A1", identity: drivers.IdentityStrong, detail: "the pump does not tell its serial number, configured is A1"},
		{name: "simulator", configured: "A1", answers: "SIM1", refuse: "^SIM", identity: drivers.IdentityStrong, detail: "serial number SIM1 is a simulator's, refused on a real gateway"},
		{name: "simulator that is configured", configured: "SIM1", answers: "SIM1", refuse: "^SIM", identity: drivers.IdentityStrong, detail: "serial number SIM1 is a simulator's, refused on a real gateway"},
		{name: "real one beside a refusal", configured: "A1", answers: "A1", refuse: "^SIM", identity: drivers.IdentityStrong},
		{name: "weak identity has none", identity: drivers.IdentityWeak},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change := func(o *Options) {
				o.Pumps[0].Serial = tt.configured
				o.Driver.(*fakeDriver).identity = tt.identity
				if tt.refuse != "" {
					o.RefuseSerials = regexp.MustCompile(tt.refuse)
				}
			}
			within(t, change, func(t *testing.T, b *bench) {
				b.driver.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) {
					return []drivers.Report{report("", tt.answers)}, nil
				}
				b.plug()
				b.run()
				c := b.pass(time.Second)[0]
				if tt.detail == "" {
					if c.Report == nil || c.Gap != nil || c.Link.State != infusion.LinkOnline {
						t.Errorf("cycle = %+v, want a report", c)
					}
					return
				}
				want := Cycle{
					Pump: "milrinone", At: c.At, Took: c.Took, Gap: &infusion.Gap{Reason: infusion.GapWrongIdentity, Detail: tt.detail},
					Link: infusion.Link{State: infusion.LinkIdentifying, Reason: tt.detail, Since: c.Link.Since},
				}
				if diff := cmp.Diff(want, c); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// Covers GW-07.
func TestExchangedPumpIsAskedAnew(t *testing.T) {
	within(t, nil, func(t *testing.T, b *bench) {
		serial := ""
		b.driver.open = func(context.Context, drivers.Port, drivers.OpenOptions) error {
			serial = "B2" // a driver that asks once per conversation
			if b.driver.opened.Load() == 3 {
				serial = "A1"
			}
			return nil
		}
		b.driver.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) {
			return []drivers.Report{report("", serial)}, nil
		}
		b.plug()
		b.run()
		got := b.pass(22 * time.Second)
		var states []infusion.LinkState
		for _, c := range got {
			states = append(states, c.Link.State)
		}
		want := []infusion.LinkState{
			infusion.LinkIdentifying, infusion.LinkIdentifying, infusion.LinkOnline, infusion.LinkOnline, infusion.LinkOnline,
		}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Error(diff)
		}
	})
}

func two(o *Options) {
	o.Pumps = []Pump{{Name: "milrinone", Address: "1", Serial: "A1"}, {Name: "dobutamine", Address: "2", Serial: "B2"}}
}

// Covers GW-14.
func TestSeveralPumpsOnOnePort(t *testing.T) {
	for _, tt := range []struct {
		name    string
		reports []drivers.Report
		err     error
		want    []infusion.GapReason // by pump, empty for a report
	}{
		{name: "both", reports: []drivers.Report{report("2", "B2"), report("1", "A1")}, want: []infusion.GapReason{"", ""}},
		{name: "exchanged", reports: []drivers.Report{report("1", "B2"), report("2", "A1")}, want: []infusion.GapReason{infusion.GapWrongIdentity, infusion.GapWrongIdentity}},
		{name: "one silent", reports: []drivers.Report{report("2", "B2")}, want: []infusion.GapReason{infusion.GapNoReply, ""}},
		{name: "one with a failure", reports: []drivers.Report{report("1", "A1")}, err: drivers.ErrChecksum, want: []infusion.GapReason{"", infusion.GapCorruptReply}},
		{name: "none with a failure", err: drivers.ErrSilent, want: []infusion.GapReason{infusion.GapNoReply, infusion.GapNoReply}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			within(t, two, func(t *testing.T, b *bench) {
				b.driver.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) { return tt.reports, tt.err }
				b.plug()
				b.run()
				got := b.pass(time.Second)
				if len(got) != 2 || got[0].Pump != "milrinone" || got[1].Pump != "dobutamine" {
					t.Fatalf("cycles = %+v, want one per pump", got)
				}
				for i, c := range got {
					if (tt.want[i] == "") != (c.Report != nil) || (tt.want[i] == "") != (c.Gap == nil) {
						t.Errorf("%s = %+v, want gap %q", c.Pump, c, tt.want[i])
					} else if c.Gap != nil && c.Gap.Reason != tt.want[i] {
						t.Errorf("%s: gap %q, want %q", c.Pump, c.Gap.Reason, tt.want[i])
					}
				}
			})
		})
	}
}

func TestUnknownAddressIsToldOnce(t *testing.T) {
	within(t, two, func(t *testing.T, b *bench) {
		b.driver.poll = func(context.Context, drivers.Port) ([]drivers.Report, error) {
			return []drivers.Report{report("1", "A1"), report("2", "B2"), report("3", "C3")}, nil
		}
		b.plug()
		b.run()
		if got := b.pass(12 * time.Second); len(got) != 6 {
			t.Errorf("%d cycles, want two for each of 3 turns", len(got))
		}
		if n := b.loop.Strangers(); n != 3 {
			t.Errorf("strangers = %d, want 3", n)
		}
		b.set(func() {
			if len(b.troubles) != 1 || !errors.Is(b.troubles[0], ErrUnknownAddress) {
				t.Errorf("troubles = %v, want one unknown address", b.troubles)
			}
		})
	})
}

// Covers GW-12.
func TestGapOf(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want infusion.GapReason
	}{
		{name: "silent", err: fmt.Errorf("open: %w", drivers.ErrSilent), want: infusion.GapNoReply},
		{name: "timeout of the port", err: fmt.Errorf("read: %w", os.ErrDeadlineExceeded), want: infusion.GapNoReply},
		{name: "checksum", err: &drivers.DecodeError{Cause: drivers.ErrChecksum}, want: infusion.GapCorruptReply},
		{name: "truncated", err: &drivers.DecodeError{Cause: drivers.ErrTruncated}, want: infusion.GapCorruptReply},
		{name: "malformed", err: &drivers.DecodeError{Cause: drivers.ErrMalformed}, want: infusion.GapCorruptReply},
		{name: "unsupported", err: drivers.ErrUnsupported, want: infusion.GapCorruptReply},
		{name: "answer to another question", err: drivers.ErrMismatch, want: infusion.GapCorruptReply},
		{name: "corrupt and then silent", err: errors.Join(drivers.ErrSilent, drivers.ErrChecksum), want: infusion.GapCorruptReply},
		{name: "identity changed", err: drivers.ErrIdentity, want: infusion.GapWrongIdentity},
		{name: "identity wins over silence", err: errors.Join(drivers.ErrSilent, drivers.ErrIdentity), want: infusion.GapWrongIdentity},
		{name: "lost wins over all", err: &lostError{drivers.ErrIdentity}, want: infusion.GapPortLost},
		{name: "forbidden write", err: fmt.Errorf("ask: %w", drivers.ErrForbidden), want: infusion.GapInternal},
		{name: "anything else", err: errors.New("surprise"), want: infusion.GapInternal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := gapOf(tt.err)
			if got.Reason != tt.want {
				t.Errorf("reason = %q, want %q", got.Reason, tt.want)
			}
			if got.Detail == "" || regexp.MustCompile("\n").MatchString(got.Detail) {
				t.Errorf("detail = %q, want one line", got.Detail)
			}
		})
	}
}
