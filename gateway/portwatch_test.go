package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/gateway/config"
	"infusiond/gateway/health"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/poll"
)

// watchBench is a watch of one port with two pumps; a third pump is elsewhere.
type watchBench struct {
	*portWatch
	tracker *health.Tracker
}

func newWatchBench() *watchBench {
	here := []config.Pump{{Name: "blue", Serial: "A1", Port: "/dev/one", Address: "1"}, {Name: "red", Serial: "B2", Port: "/dev/one", Address: "2"}}
	all := append(slices.Clone(here), config.Pump{Name: "green", Serial: "C3", Port: "/dev/two"})
	tracker := health.New(func() infusion.Instant { return noon })
	return &watchBench{newPortWatch("/dev/one", here, all, tracker.Report), tracker}
}

// open are the open conditions, by code and subject.
func (b *watchBench) open() []string {
	out := []string{}
	for _, c := range b.tracker.Open() {
		out = append(out, c.Code+" "+c.Subject)
	}
	return out
}

func quiet() poll.Turn { return poll.Turn{Asked: true, Err: drivers.ErrSilent} }
func noisy() poll.Turn { return poll.Turn{Asked: true, Bytes: 40, Err: drivers.ErrMalformed} }
func fine() poll.Turn  { return poll.Turn{Asked: true, Bytes: 40, Reports: 2} }

func foreign(address string) poll.Turn {
	return poll.Turn{Asked: true, Bytes: 60, Reports: 3, Strangers: []poll.Stranger{{Address: address, Serial: "C3"}}}
}

// Covers GW-129.
func TestAPortThatIsNotUnderstood(t *testing.T) {
	raised := []string{"port_not_understood /dev/one"}
	for _, tt := range []struct {
		name  string
		turns []poll.Turn
		want  []string
	}{
		{name: "two cycles of noise", turns: []poll.Turn{noisy(), noisy()}, want: []string{}},
		{name: "three", turns: []poll.Turn{noisy(), noisy(), noisy()}, want: raised},
		{name: "a pump between them", turns: []poll.Turn{noisy(), noisy(), fine(), noisy()}, want: []string{}},
		{name: "a pump that is another one", turns: slices.Repeat([]poll.Turn{{Asked: true, Bytes: 9, Err: drivers.ErrIdentity}}, 4), want: []string{}},
		{name: "over with the first answer", turns: []poll.Turn{noisy(), noisy(), noisy(), fine()}, want: []string{}},
		{name: "not over with one silent cycle", turns: []poll.Turn{noisy(), noisy(), noisy(), quiet()}, want: raised},
		{name: "over when it is silent", turns: []poll.Turn{noisy(), noisy(), noisy(), quiet(), quiet(), quiet()}, want: []string{}},
		{name: "over when the port is gone", turns: []poll.Turn{noisy(), noisy(), noisy(), {}}, want: []string{}},
		{name: "over when the port is lost", turns: []poll.Turn{noisy(), noisy(), noisy(), {Asked: true, Bytes: 5, Lost: true}}, want: []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newWatchBench()
			for _, turn := range tt.turns {
				b.turn(turn)
			}
			if diff := cmp.Diff(tt.want, b.open()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Covers GW-129.
func TestAPumpThatNobodyConfigured(t *testing.T) {
	b := newWatchBench()
	b.turn(foreign("3"))
	open := b.tracker.Open()
	if len(open) != 1 || open[0].Code != "unknown_pump" || open[0].Subject != "/dev/one" || open[0].Hint == "" ||
		open[0].Detail != `address "3", serial number C3 (configured as green on /dev/two)` {
		t.Errorf("%+v", open)
	}
	for range 1000 {
		b.turn(foreign("3"))
	}
	if n := len(b.tracker.Take()); n != 1 {
		t.Errorf("%d changes for one pump that stays", n)
	}
	b.turn(fine())
	b.turn(fine())
	if len(b.open()) != 1 {
		t.Error("the condition ended before the pump was gone for some cycles")
	}
	b.turn(fine())
	if len(b.open()) != 0 {
		t.Errorf("%v", b.open())
	}
	l := message.PumpLink{Pump: "red"}
	b.fill(&l)
	if l.UnknownPumps != 1001 {
		t.Errorf("counted %d", l.UnknownPumps)
	}
}

func report(pump string) poll.Cycle {
	return poll.Cycle{Pump: pump, Report: &drivers.Report{BadFrames: 2}}
}

func failed(pump string, reason infusion.GapReason, detail string) poll.Cycle {
	return poll.Cycle{Pump: pump, Gap: &infusion.Gap{Reason: reason, Detail: detail}}
}

// Covers GW-07, GW-129.
func TestAWrongPumpIsACondition(t *testing.T) {
	b := newWatchBench()
	wrong := failed("blue", infusion.GapWrongIdentity, "serial number B2 answers, configured is A1")
	b.cycle(wrong, nil)
	open := b.tracker.Open()
	if len(open) != 1 || open[0].Code != "wrong_pump" || open[0].Subject != "blue" || open[0].Priority != message.PriorityHigh ||
		!strings.Contains(open[0].Detail, "configured as red on /dev/one") || !strings.Contains(open[0].Hint, "cables of blue and red") {
		t.Errorf("%+v", open)
	}
	b.cycle(failed("blue", infusion.GapNoReply, "silent"), nil)
	b.cycle(report("red"), nil)
	if diff := cmp.Diff([]string{"wrong_pump blue"}, b.open()); diff != "" {
		t.Errorf("silence, or another pump's report, ended it: %s", diff)
	}
	b.cycle(report("blue"), nil)
	if len(b.open()) != 0 {
		t.Errorf("%v", b.open())
	}
}

// Covers GW-129.
func TestTroublesOfDriverAndRecord(t *testing.T) {
	b := newWatchBench()
	b.cycle(report("blue"), nil)
	b.cycle(failed("red", infusion.GapInternal, "write refused"), errors.New("disk"))
	turn := fine()
	turn.Repeated = []string{"blue"}
	b.turn(turn)
	got := b.open()
	slices.Sort(got)
	if diff := cmp.Diff([]string{"cycle_not_recorded red", "driver_trouble blue", "driver_trouble red"}, got); diff != "" {
		t.Error(diff)
	}
	for range 10 { // it stays, and is told once
		b.cycle(report("blue"), nil)
		b.turn(turn)
	}
	if n := len(b.tracker.Take()); n != 3 {
		t.Errorf("%d changes, want 3", n)
	}
	b.closing(errors.New("busy"))
	b.cycle(report("blue"), nil)
	b.cycle(report("red"), context.Canceled)
	b.turn(fine())
	if len(b.open()) != 0 {
		t.Errorf("still open: %v", b.open())
	}
}

// Covers GW-10, GW-129.
func TestCountsOfAPump(t *testing.T) {
	b := newWatchBench()
	b.cycle(report("blue"), nil)
	b.cycle(failed("blue", infusion.GapCorruptReply, "checksum"), nil)
	b.cycle(failed("blue", infusion.GapPortAbsent, "gone"), nil)
	b.turn(poll.Turn{Asked: true, Reports: 2, Repeated: []string{"blue"}})
	l := message.PumpLink{Pump: "blue"}
	b.fill(&l)
	want := message.PumpLink{Pump: "blue", Cycles: 3, FailedCycles: 2, BadFrames: 3, RepeatedReports: 1}
	if l != want {
		t.Errorf("counts %+v, want %+v", l, want)
	}
}

// Whatever comes, one port has a handful of conditions.
func TestConditionsAreBounded(t *testing.T) {
	b := newWatchBench()
	for i := range 2000 {
		b.turn(foreign(fmt.Sprint(i)))
		b.cycle(failed("blue", infusion.GapWrongIdentity, fmt.Sprintf("serial number X%d answers, configured is A1", i)), nil)
		b.turn(noisy())
	}
	if n := len(b.open()); n > 4 {
		t.Errorf("%d conditions: %v", n, b.open())
	}
}
