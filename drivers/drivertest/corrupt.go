package drivertest

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Corruption describes to Corrupt how a driver takes what it receives.
type Corruption struct {
	// Name is the driver's, with the setting that is tried.
	Name string
	// Streams are good answers, one frame or more each.
	Streams [][]byte
	// Frames cuts a stream into the frames whose checksum agrees, as the driver does. The texts must not be views.
	Frames func(stream []byte) []string
	// Values is what the driver that waits for the answer Streams[i] would report of a frame; empty when it takes it for no answer.
	Values func(i int, frame string) []string
	// FrameShare and ValueShare bound, by kind of corruption, which share of the cases may
	// be accepted with other bytes or other values than the pump sent; "" is for the kinds that are not named. They follow from the checksum: what it
	// cannot see is derived in the driver's doc.go.
	FrameShare, ValueShare map[string]float64
	// Suite, when given, takes a share of the cases through whole cycles; ReportShare bounds the reports that hold a wrong value.
	Suite       *Suite
	ReportShare float64
	// Seed starts the cases; 0 takes a fixed one.
	Seed uint64
}

// The number of corrupted streams, and of conversations with corrupted answers.
const (
	corruptCases = 1_000_000
	corruptRuns  = 400
)

// count is how one kind of corruption fared.
type count struct{ cases, frames, values int }

// Corrupt decodes a million seeded corrupted streams and counts what is accepted and was never
// sent. It prints one line, and one for each kind of corruption in verbose runs.
func Corrupt(t *testing.T, c Corruption) {
	t.Helper()
	if c.Seed == 0 {
		c.Seed = 20260714
	}
	n := corruptCases / slower
	if testing.Short() {
		n /= 20
	}
	frames, values := c.good()
	kinds := make([]count, len(spoilers))
	rng := rand.New(rand.NewPCG(c.Seed, 0))
	examples := 0
	for range n {
		i, kind := rng.IntN(len(c.Streams)), rng.IntN(len(spoilers))
		stream := spoil(rng, kind, c.Streams[i], c.Streams[rng.IntN(len(c.Streams))])
		if bytes.Equal(stream, c.Streams[i]) {
			continue
		}
		k := &kinds[kind]
		k.cases++
		unsent := slices.DeleteFunc(c.Frames(stream), func(f string) bool { return frames[f] })
		if len(unsent) == 0 {
			continue
		}
		k.frames++
		wrong := slices.DeleteFunc(c.Values(i, unsent[0]), func(v string) bool { return values[i][v] })
		if len(wrong) == 0 {
			continue
		}
		k.values++
		if examples++; examples <= 5 {
			t.Logf("%s: %q was %q, accepted %q", spoilers[kind].name, stream, c.Streams[i], wrong)
		}
	}
	c.judge(t, kinds)
	if c.Suite != nil {
		c.cycles(t)
	}
}

// good is what may be accepted: any frame that was really sent, and what it says to who waits for Streams[i].
func (c Corruption) good() (frames map[string]bool, values []map[string]bool) {
	frames = make(map[string]bool)
	for _, stream := range c.Streams {
		for _, f := range c.Frames(stream) {
			frames[f] = true
		}
	}
	for i := range c.Streams {
		said := make(map[string]bool)
		for f := range frames {
			for _, v := range c.Values(i, f) {
				said[v] = true
			}
		}
		values = append(values, said)
	}
	return frames, values
}

func (c Corruption) judge(t *testing.T, kinds []count) {
	t.Helper()
	var sum count
	for i, k := range kinds {
		sum.cases, sum.frames, sum.values = sum.cases+k.cases, sum.frames+k.frames, sum.values+k.values
		name := spoilers[i].name
		t.Logf("%-12s %7d cases, %6d frames and %6d values accepted wrong (%.5f, %.5f)", name, k.cases, k.frames, k.values, share(k.frames, k.cases), share(k.values, k.cases))
		for _, b := range []struct {
			what  string
			n     int
			bound float64
		}{{"frames", k.frames, bound(c.FrameShare, name)}, {"values", k.values, bound(c.ValueShare, name)}} {
			// Chance may exceed a small share by a few cases.
			if most := b.bound * float64(k.cases); float64(b.n) > most+3*math.Sqrt(most)+1 {
				t.Errorf("%s (seed %d): %d of %d %s accepted wrong, the bound is a share of %v", name, c.Seed, b.n, k.cases, b.what, b.bound)
			}
		}
	}
	t.Logf("corrupt: driver=%s cases=%d seed=%d frames_accepted_wrong=%d values_accepted_wrong=%d", strings.ReplaceAll(c.Name, " ", "_"), sum.cases, c.Seed, sum.frames, sum.values)
}

func share(n, of int) float64 { return float64(n) / float64(max(of, 1)) }

func bound(shares map[string]float64, kind string) float64 {
	if s, ok := shares[kind]; ok {
		return s
	}
	return shares[""]
}

// cycles corrupts one answer in four of whole conversations.
func (c Corruption) cycles(t *testing.T) {
	t.Helper()
	s := *c.Suite
	ref := s.reference(t, s.Pump)
	runs := corruptRuns / slower
	if testing.Short() {
		runs /= 20
	}
	struck, reports, wrong := 0, 0, 0
	for i := range runs {
		rng := rand.New(rand.NewPCG(c.Seed, uint64(1+i)))
		r := s.newRun(s.Pump())
		previous := c.Streams[0]
		r.port.SetTamper(func(_ int, _, reply []byte) []Piece {
			if len(reply) == 0 || rng.IntN(4) > 0 {
				return now(reply)
			}
			struck++
			spoiled := spoil(rng, rng.IntN(len(spoilers)), reply, previous)
			previous = reply
			return now(spoiled)
		})
		for range runCycles {
			got, err := r.poll(t.Context())
			s.beside(t, got, err, s.seeded(i))
			reports += len(got)
			for _, report := range got {
				want, known := ref.merged[key(report)]
				if problems := invented(report, want); !known || len(problems) > 0 {
					wrong++
					t.Logf("%s: %s", s.seeded(i), fmt.Sprint(problems))
				}
			}
		}
	}
	t.Logf("corrupt: driver=%s answers=%d seed=%d reports=%d reports_wrong=%d", strings.ReplaceAll(c.Name, " ", "_"), struck, c.Seed, reports, wrong)
	if most := c.ReportShare * float64(reports); float64(wrong) > most+3*math.Sqrt(most)+1 {
		t.Errorf("seed %d: %d of %d reports hold a wrong value, the bound is a share of %v", c.Seed, wrong, reports, c.ReportShare)
	}
}
