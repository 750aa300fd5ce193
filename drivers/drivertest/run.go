package drivertest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"infusiond/drivers"
)

// run is one conversation under faults.
type run struct {
	suite   Suite
	port    *Port
	conn    drivers.Conn
	anchors map[string]string
	log     map[string][]string // record ids by drivers.AnchorKey
	opened  int                 // the last exchange of the first Open
	took    time.Duration       // from the start of the last cycle to its last report
}

func (s Suite) newRun(pump Responder) *run {
	port := NewPort(s.Driver.Profile(), pump)
	port.record = s.record
	port.SetPush(s.PushEvery)
	return &run{suite: s, port: port, anchors: make(map[string]string), log: make(map[string][]string)}
}

// poll makes one cycle, opening first when there is no conversation. Like the gateway, it
// stores anchors with the records of a report.
func (r *run) poll(ctx context.Context) ([]drivers.Report, error) {
	r.port.Advance(pollEvery)
	if r.conn == nil {
		conn, err := r.suite.Driver.Open(ctx, r.port, drivers.OpenOptions{
			Anchors: maps.Clone(r.anchors), Addresses: r.suite.Addresses, Now: r.port.Now,
		})
		if err != nil {
			return nil, fmt.Errorf("open: %w", err)
		}
		if r.conn = conn; r.opened == 0 {
			r.opened = r.port.events - 1
		}
	}
	var reports []drivers.Report
	began := r.port.Now()
	err := r.conn.Poll(ctx, func(report drivers.Report) {
		r.took = r.port.Now() - began
		pump := drivers.AnchorKey(report.Identity.Serial, report.Address)
		r.anchors[pump] = report.Anchor
		for _, record := range report.Log {
			r.log[pump] = append(r.log[pump], record.ID)
		}
		reports = append(reports, report)
	})
	return reports, err
}

// beside holds that a cycle of a single pump ends either with its report or with an error. On a line with
// several, reports that were handed over before the error stand.
func (s Suite) beside(t *testing.T, reports []drivers.Report, err error, where string) {
	t.Helper()
	if err != nil && len(reports) > 0 && len(s.Addresses) < 2 {
		t.Errorf("%s: reports beside the error %v", where, err)
	}
}

// all says whether every pump of the line has its report.
func (s Suite) all(reports []drivers.Report) bool { return len(reports) == max(1, len(s.Addresses)) }

// reference is what a pump says on a good line.
type reference struct {
	merged map[string]drivers.Report // by address and serial number
	log    map[string][]string
	starts []int // the first exchange of each cycle
	// identified is the first exchange whose answer holds a serial number as text; when none does, the last one before
	// the conversation was open.
	identified int
	took       time.Duration // the longest from the start of a later cycle to its last report
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
	for i := range runCycles {
		ref.starts = append(ref.starts, r.port.events)
		reports, err := r.poll(t.Context())
		if i > 0 {
			ref.took = max(ref.took, r.took)
		}
		if err != nil || !s.all(reports) {
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
	ref.identified = slices.IndexFunc(replies, func(reply []byte) bool {
		for _, report := range ref.merged {
			if report.Identity.Serial != "" && bytes.Contains(reply, []byte(report.Identity.Serial)) {
				return true
			}
		}
		return false
	})
	if ref.identified < 0 {
		ref.identified = r.opened
	}
	if len(r.port.refused) > 0 {
		t.Fatalf("the driver wrote what its allow-list refuses: % X", r.port.refused)
	}
	return ref
}

// check holds the property for the reports of one cycle.
func (ref reference) check(t *testing.T, reports []drivers.Report, where string) {
	t.Helper()
	checkEither(t, reports, where, ref)
}

// checkEither holds it for pumps that changed: each field must be true of one of the references.
func checkEither(t *testing.T, reports []drivers.Report, where string, refs ...reference) {
	t.Helper()
	for _, report := range reports {
		var said []drivers.Report
		for _, ref := range refs {
			if want, ok := ref.merged[key(report)]; ok {
				said = append(said, want)
			}
		}
		if said == nil {
			t.Errorf("%s: a report of pump %q, which does not exist", where, key(report))
			continue
		}
		for _, problem := range invented(report, said...) {
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
	if err != nil || !r.suite.all(reports) {
		t.Errorf("%s: no recovery: %d reports, %v", where, len(reports), err)
	}
	for _, report := range reports {
		want := ref.merged[key(report)]
		if report.State != want.State || report.AlarmsKnown != want.AlarmsKnown {
			t.Errorf("%s: after recovery state %d, alarms known %v (%s); want %d, %v", where, report.State, report.AlarmsKnown, report.AlarmsReason, want.State, want.AlarmsKnown)
		}
		pump := drivers.AnchorKey(report.Identity.Serial, report.Address)
		if got, want := fmt.Sprint(r.log[pump]), fmt.Sprint(ref.log[pump]); got != want {
			t.Errorf("%s: log %s, want each record once: %s", where, got, want)
		}
	}
	if len(r.port.refused) > 0 {
		t.Errorf("%s: refused writes % X", where, r.port.refused)
	}
}
