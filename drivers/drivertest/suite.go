package drivertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"infusiond/drivers"
)

// Suite describes a driver to the conformance suite.
type Suite struct {
	// Driver is the driver under test.
	Driver drivers.Driver
	// Pump returns a new pump, or a new line with several. Its values and its clock stand still, it runs, its
	// log holds several records, and no two of its values are equal.
	Pump func() Responder
	// Addresses are configured on the port; of several every one answers.
	Addresses []string
	// PushEvery is how often the pump is asked for what it sends by itself; 0 when it sends nothing.
	PushEvery time.Duration
	// Written says of a query whether the driver may write it, without asking the driver: it proves the allow-list.
	Written func(query []byte) bool
	// Forbidden are byte strings that change a pump: each must be refused.
	Forbidden [][]byte
	// Seed starts the random faults; 0 takes a fixed one.
	Seed uint64

	// Other returns a pump of the same kind with another serial number and other values.
	Other func() Responder
	// Unlisted returns a pump that announces an alarm which is not in the driver's table, and its raw code.
	Unlisted func() (pump Responder, raw string)
	// Dead returns a line on which the pump at one of Addresses does not answer, and that address.
	Dead func() (line Responder, address string)
	// Changes are pumps that change while they are read, by the name of the part.
	Changes map[string]Change
	// Impossible gives the reason for each part that this protocol cannot have.
	Impossible map[string]string
	// Variant says which variant of a driver this is, when another suite runs the parts that are left out here.
	Variant string

	record *recorder
}

// The shape of one run.
const (
	pollEvery   = 5 * time.Second
	runCycles   = 5   // polls of a run; a fault strikes within the first two
	openTries   = 4   // after a fault that hit Open
	randomRuns  = 150 // runs with random faults
	faultChance = 12  // one exchange in this many
)

// errLost is the error of a line that is gone.
var errLost = errors.New("drivertest: the line is gone")

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	t.Helper()
	if s.Seed == 0 {
		s.Seed = 1
	}
	s.record = newRecorder()
	t.Run("profile", s.profile)
	t.Run("forbidden", s.forbidden)
	ref := s.reference(t, s.Pump)
	t.Run("short_reads", func(t *testing.T) { s.shortReads(t, ref) })
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) { s.everywhere(t, ref, f) })
	}
	t.Run("silence_for_good", func(t *testing.T) { s.silence(t, ref) })
	t.Run("hang_up", func(t *testing.T) { s.hangUp(t, ref) })
	t.Run("cancel", func(t *testing.T) { s.cancel(t, ref) })
	t.Run("always_late", func(t *testing.T) { s.alwaysLate(t, ref) })
	t.Run("stall", func(t *testing.T) { s.stall(t, ref) })
	t.Run("overtaken", func(t *testing.T) { s.overtakenAtAnyTime(t, ref) })
	t.Run("random", func(t *testing.T) { s.random(t, ref) })
	t.Run("babble", s.babble)
	s.part(t, PartSwap, s.Other != nil, func(t *testing.T) { s.swap(t, ref) })
	s.part(t, PartUnlistedAlarm, s.Unlisted != nil, s.unlisted)
	if s.Driver.Profile().SeveralPumps {
		s.part(t, PartDeadPump, s.Dead != nil, func(t *testing.T) { s.deadPump(t, ref) })
	}
	for _, name := range changeParts() {
		c, given := s.Changes[name]
		s.part(t, name, given, func(t *testing.T) { s.change(t, c) })
	}
	t.Run("written", s.writtenOnly)
}

// part runs a part that needs something from the driver's test. One that is left out needs a reason.
func (s Suite) part(t *testing.T, name string, given bool, run func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		reason := s.Impossible[name]
		switch {
		case given && reason != "":
			t.Errorf("given, and declared impossible: %s", reason)
		case given:
			run(t)
		case reason != "":
			t.Skip("impossible: " + reason)
		case s.Variant != "":
			t.Skip("runs elsewhere: this is " + s.Variant)
		default:
			t.Error("left out without a reason in Suite.Impossible")
		}
	})
}

func (s Suite) profile(t *testing.T) {
	p := s.Driver.Profile()
	if p.Name == "" || p.Models == "" || p.Line.Baud <= 0 || p.Line.DataBits == 0 || p.Line.StopBits == 0 || p.MinPollInterval <= 0 {
		t.Errorf("the profile is not complete: %+v", p)
	}
	if len(p.Allow) == 0 {
		t.Error("the allow-list is empty")
	}
	if p.Identity == drivers.IdentityStrong && p.SimulatorSerials == nil {
		t.Error("no serial numbers for simulators")
	}
	for _, q := range p.Allow {
		if (q.Form == nil) == (len(q.Exact) == 0) {
			t.Errorf("%s: an entry is either exact or a form", q.Name)
		}
	}
	alarms(t, p.Alarms)
}

func (s Suite) forbidden(t *testing.T) {
	for _, b := range s.Forbidden {
		port := NewPort(s.Driver.Profile(), func([]byte) []byte { return nil })
		if n, err := port.Write(b); n != 0 || !errors.Is(err, drivers.ErrForbidden) {
			t.Errorf("% X: %d bytes written, %v, want ErrForbidden", b, n, err)
		}
	}
}

func (s Suite) shortReads(t *testing.T, ref reference) {
	for _, chunk := range []int{1, 2, 3, 5, 7} {
		r := s.newRun(s.Pump())
		r.port.SetChunk(chunk)
		where := fmt.Sprintf("%d bytes per read", chunk)
		for range runCycles {
			reports, err := r.poll(t.Context())
			if err != nil {
				t.Errorf("%s: %v", where, err)
			}
			ref.check(t, reports, where)
		}
		r.recovers(t, ref, where)
	}
}

// everywhere lets one fault strike at each exchange of the first two cycles.
func (s Suite) everywhere(t *testing.T, ref reference, f fault) {
	for at := range ref.starts[2] {
		r := s.newRun(s.Pump())
		previous := []byte(nil)
		rng := rand.New(rand.NewPCG(s.Seed, uint64(at)))
		r.port.SetTamper(func(n int, query, reply []byte) []Piece {
			pieces := Clean(n, query, reply)
			if n >= at && n < at+f.length() {
				pieces = f.strike(event{n: n - at, query: query, reply: reply, previous: previous, rng: rng})
			}
			previous = reply
			return pieces
		})
		where := fmt.Sprintf("%s at exchange %d (seed %d)", f.name, at, s.Seed)
		for range 2 {
			reports, err := r.poll(t.Context())
			ref.check(t, reports, where)
			s.beside(t, reports, err, where)
		}
		r.recovers(t, ref, where)
	}
}
