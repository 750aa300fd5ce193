package drivertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"infusiond/drivers"
)

// Suite describes a driver to the conformance suite.
type Suite struct {
	// Driver is the driver under test.
	Driver drivers.Driver
	// Pump returns a new pump. Its values and its clock stand still, it runs, its
	// log holds several records, and no two of its values are equal.
	Pump func() Responder
	// Other returns a pump of the same kind with another serial number and other values; nil
	// when the protocol has no identity.
	Other func() Responder
	// Forbidden are byte strings that change a pump: each must be refused.
	Forbidden [][]byte
	// Seed starts the random faults; 0 takes a fixed one.
	Seed uint64
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
	if s.Other != nil {
		t.Run("swap", func(t *testing.T) { s.swap(t, ref) })
	}
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
}

func (s Suite) forbidden(t *testing.T) {
	for _, b := range s.Forbidden {
		port := NewPort(s.Driver.Profile(), func([]byte) []byte { return nil })
		if n, err := port.Write(b); n != 0 || !errors.Is(err, drivers.ErrForbidden) {
			t.Errorf("% X: %d bytes written, %v, want ErrForbidden", b, n, err)
		}
	}
}

// run is one conversation under faults.
type run struct {
	suite   Suite
	port    *Port
	conn    drivers.Conn
	anchors map[string]string
	log     map[string][]string // record ids by serial number
}

func (s Suite) newRun(pump Responder) *run {
	return &run{suite: s, port: NewPort(s.Driver.Profile(), pump), anchors: make(map[string]string), log: make(map[string][]string)}
}

// poll makes one cycle, opening first when there is no conversation. Like the gateway, it
// stores anchors with the records of a report.
func (r *run) poll(ctx context.Context) ([]drivers.Report, error) {
	r.port.Advance(pollEvery)
	if r.conn == nil {
		conn, err := r.suite.Driver.Open(ctx, r.port, drivers.OpenOptions{Anchors: maps.Clone(r.anchors), Now: r.port.Now})
		if err != nil {
			return nil, fmt.Errorf("open: %w", err)
		}
		r.conn = conn
	}
	reports, err := drivers.Collect(ctx, r.conn)
	for _, report := range reports {
		r.anchors[report.Identity.Serial] = report.Anchor
		for _, record := range report.Log {
			r.log[report.Identity.Serial] = append(r.log[report.Identity.Serial], record.ID)
		}
	}
	return reports, err
}

// reference is what a pump says on a good line.
type reference struct {
	merged    map[string]drivers.Report // by address and serial number
	log       map[string][]string
	exchanges int   // of all cycles
	starts    []int // the first exchange of each cycle
	// identified is the first exchange whose answer holds a serial number as text; 0 when none does.
	identified int
}

func key(r drivers.Report) string { return r.Address + "/" + r.Identity.Serial }

func (s Suite) reference(t *testing.T, pump func() Responder) reference {
	t.Helper()
	r := s.newRun(pump())
	ref := reference{merged: make(map[string]drivers.Report), log: r.log}
	var replies [][]byte
	r.port.SetTamper(func(n int, query, reply []byte) []Piece {
		replies = append(replies, slices.Clone(reply))
		return Clean(n, query, reply)
	})
	for range runCycles {
		ref.starts = append(ref.starts, len(r.port.writes))
		reports, err := r.poll(t.Context())
		if err != nil || len(reports) == 0 {
			t.Fatalf("good line: %d reports, %v", len(reports), err)
		}
		for _, report := range reports {
			if report.BadFrames != 0 {
				t.Errorf("good line: %d bad frames", report.BadFrames)
			}
			old := ref.merged[key(report)]
			ref.merged[key(report)] = merge(old, report)
		}
	}
	ref.exchanges = len(r.port.writes)
	ref.identified = max(0, slices.IndexFunc(replies, func(reply []byte) bool {
		for _, report := range ref.merged {
			if report.Identity.Serial != "" && bytes.Contains(reply, []byte(report.Identity.Serial)) {
				return true
			}
		}
		return false
	}))
	if len(r.port.refused) > 0 {
		t.Fatalf("the driver wrote what its allow-list refuses: % X", r.port.refused)
	}
	return ref
}

// check holds the property for the reports of one cycle.
func (ref reference) check(t *testing.T, reports []drivers.Report, where string) {
	t.Helper()
	for _, report := range reports {
		want, ok := ref.merged[key(report)]
		if !ok {
			t.Errorf("%s: a report of pump %q, which does not exist", where, key(report))
			continue
		}
		for _, problem := range invented(want, report) {
			t.Errorf("%s: %s", where, problem)
		}
	}
}

// recovers lets the faults end and demands a complete report and a complete log.
func (r *run) recovers(t *testing.T, ref reference, where string) {
	t.Helper()
	r.port.SetTamper(nil)
	for range openTries {
		reports, err := r.poll(t.Context())
		ref.check(t, reports, where)
		if err != nil {
			continue
		}
	}
	reports, err := r.poll(t.Context())
	if err != nil || len(reports) == 0 {
		t.Errorf("%s: no recovery: %d reports, %v", where, len(reports), err)
	}
	for _, report := range reports {
		want := ref.merged[key(report)]
		if report.State != want.State || report.AlarmsKnown != want.AlarmsKnown {
			t.Errorf("%s: after recovery state %d, alarms known %v (%s); want %d, %v", where, report.State, report.AlarmsKnown, report.AlarmsReason, want.State, want.AlarmsKnown)
		}
		if got, want := fmt.Sprint(r.log[report.Identity.Serial]), fmt.Sprint(ref.log[report.Identity.Serial]); got != want {
			t.Errorf("%s: log %s, want each record once: %s", where, got, want)
		}
	}
	if len(r.port.refused) > 0 {
		t.Errorf("%s: refused writes % X", where, r.port.refused)
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
			if err != nil && len(reports) > 0 {
				t.Errorf("%s: reports beside the error %v", where, err)
			}
		}
		r.recovers(t, ref, where)
	}
}
