package fault

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newWire(seed uint64) *Wire { return New(rand.New(rand.NewPCG(seed, 0))) }

// Covers GW-122.
func TestEachFaultSpoilsAsItSays(t *testing.T) {
	const query, answer = "\x02RNA0\x03", "\x02RNSIM000017A\x03"
	for _, row := range []struct {
		fault Fault
		holds func(out []byte, delay time.Duration) bool
	}{
		{Fault{Kind: Noise, Rate: 1}, func(out []byte, _ time.Duration) bool {
			return len(out) == len(answer) && !bytes.Equal(out, []byte(answer))
		}},
		{Fault{Kind: Drop, Rate: 1}, func(out []byte, _ time.Duration) bool { return len(out) == 0 }},
		{Fault{Kind: Checksum, Rate: 1}, func(out []byte, _ time.Duration) bool {
			n := len(answer) - 2
			return len(out) == len(answer) && out[n] != answer[n] && string(out[:n]) == answer[:n] && out[n+1] == 3
		}},
		{Fault{Kind: Late, Rate: 1, Delay: time.Second}, func(out []byte, d time.Duration) bool { return string(out) == answer && d == time.Second }},
		{Fault{Kind: Silence, Rate: 1}, func(out []byte, _ time.Duration) bool { return len(out) == 0 }},
		{Fault{Kind: Stale, Rate: 1}, func(out []byte, _ time.Duration) bool { return string(out) == "before" }},
		{Fault{Kind: Echo, Rate: 1}, func(out []byte, _ time.Duration) bool { return string(out) == query+answer }},
		{Fault{Kind: Garbage, Rate: 1}, func(out []byte, _ time.Duration) bool {
			return len(out) > len(answer) && bytes.HasSuffix(out, []byte(answer))
		}},
		{Fault{Kind: Truncate, Rate: 1}, func(out []byte, _ time.Duration) bool {
			return len(out) < len(answer) && strings.HasPrefix(answer, string(out))
		}},
		{Fault{Kind: Split, Rate: 1}, func(out []byte, _ time.Duration) bool {
			return len(out) > 0 && len(out) < len(answer) && strings.HasPrefix(answer, string(out))
		}},
		{Fault{Kind: Joined, Rate: 1}, func(out []byte, _ time.Duration) bool { return len(out) == 0 }},
		{Fault{Kind: Twice, Rate: 1}, func(out []byte, _ time.Duration) bool { return string(out) == answer+answer }},
		{Fault{Kind: Babble, Rate: 1}, func(out []byte, _ time.Duration) bool { return string(out) == answer }},
	} {
		t.Run(string(row.fault.Kind), func(t *testing.T) {
			for seed := range uint64(50) {
				w := newWire(seed)
				w.Shape(0, nil, []byte("before"))
				if err := w.Add(0, row.fault); err != nil {
					t.Fatal(err)
				}
				given := []byte(answer)
				out, delay := w.Shape(time.Second, []byte(query), given)
				if !row.holds(out, delay) {
					t.Errorf("seed %d: %q after %v", seed, out, delay)
				}
				if string(given) != answer {
					t.Fatalf("seed %d: the caller's answer became %q", seed, given)
				}
			}
		})
	}
}

func TestFaultsEnd(t *testing.T) {
	w := newWire(1)
	if err := w.Add(10*time.Second, Fault{Kind: Silence, Rate: 1, For: 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	if out, _ := w.Shape(14*time.Second, nil, []byte("x")); out != nil {
		t.Errorf("answered %q in silence", out)
	}
	if out, _ := w.Shape(15*time.Second, nil, []byte("x")); string(out) != "x" {
		t.Errorf("%q after the silence", out)
	}
	if err := w.Add(0, Fault{Kind: Noise, Rate: 0.5}); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(0, Fault{Kind: Noise, Rate: 0.1}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Kind{Noise}, w.Active(time.Hour)); d != "" {
		t.Error(d)
	}
	w.Clear()
	if got := w.Active(0); len(got) != 0 {
		t.Errorf("after Clear: %v", got)
	}
}

func TestRateIsAShare(t *testing.T) {
	w := newWire(3)
	if err := w.Add(0, Fault{Kind: Silence, Rate: 0.25}); err != nil {
		t.Fatal(err)
	}
	var silent int
	for range 4000 {
		if out, _ := w.Shape(0, nil, []byte("x")); out == nil {
			silent++
		}
	}
	if silent < 900 || silent > 1100 {
		t.Errorf("seed 3: %d of 4000 silent, want about 1000", silent)
	}
}

// Covers GW-121.
func TestSameSeedSameFaults(t *testing.T) {
	run := func(seed uint64) (all []string) {
		w := newWire(seed)
		for _, k := range []Kind{Noise, Drop, Garbage} {
			if err := w.Add(0, Fault{Kind: k, Rate: 0.2}); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 {
			out, _ := w.Shape(0, nil, []byte("\x02Q504D260\x03"))
			all = append(all, string(out))
		}
		return all
	}
	if d := cmp.Diff(run(8), run(8)); d != "" {
		t.Error(d)
	}
	if cmp.Equal(run(8), run(9)) {
		t.Error("two seeds gave the same faults")
	}
}

func TestRefusedFaults(t *testing.T) {
	for _, f := range []Fault{
		{Kind: "nonsense", Rate: 1},
		{Kind: Noise},
		{Kind: Noise, Rate: 1.1},
		{Kind: Late, Rate: 1, Delay: -1},
		{Kind: Late, Rate: 1, For: -1},
	} {
		if err := newWire(1).Add(0, f); err == nil {
			t.Errorf("%+v was accepted", f)
		}
	}
}

// TestHeldBytesCome: the end of a split answer comes after its pause when the line is asked, otherwise with the
// next answer; a held answer comes together with the next one.
func TestHeldBytesCome(t *testing.T) {
	w := newWire(2)
	must(t, w.Add(0, Fault{Kind: Split, Rate: 1, Delay: 300 * time.Millisecond}))
	first, _ := w.Shape(0, nil, []byte("answer"))
	if every := w.Every(); every <= 0 || every > 300*time.Millisecond {
		t.Errorf("to be asked every %v, want at most the pause", every)
	}
	if early := w.Unasked(299*time.Millisecond, nil); early != nil {
		t.Errorf("%q came before its pause", early)
	}
	if rest := w.Unasked(300*time.Millisecond, nil); string(first)+string(rest) != "answer" || len(rest) == 0 {
		t.Errorf("split into %q and %q", first, rest)
	}
	first, _ = w.Shape(time.Second, nil, []byte("second"))
	w.Clear()
	must(t, w.Add(0, Fault{Kind: Joined, Rate: 1}))
	if out, _ := w.Shape(2*time.Second, nil, []byte("third")); len(out) != 0 {
		t.Errorf("%q came, want it held back (%q before)", out, first)
	}
	if out, _ := w.Shape(3*time.Second, nil, []byte("fourth")); string(out) != "thirdfourth" {
		t.Errorf("%q, want both together", out)
	}
}

func TestStrayIsAnotherPumpsAnswer(t *testing.T) {
	w := newWire(4)
	for query, answer := range map[string]string{"0RAT": "zero", "1RAT": "one", "0DIS": "volume", "0RATE": "long"} {
		w.Shape(0, []byte(query), []byte(answer))
	}
	must(t, w.Add(0, Fault{Kind: Stray, Rate: 1}))
	if out, _ := w.Shape(0, []byte("0RAT"), []byte("zero again")); string(out) != "one" {
		t.Errorf("%q, want the answer of the other pump to the same question", out)
	}
}

func TestBabbleAndSpoiledPushes(t *testing.T) {
	w := newWire(5)
	must(t, w.Add(0, Fault{Kind: Babble, Rate: 1}))
	if w.Every() != babbleTime || len(w.Unasked(time.Second, nil)) == 0 || len(w.Unasked(time.Second+babbleTime/2, nil)) != 0 {
		t.Errorf("babbles every %v, want %v", w.Every(), babbleTime)
	}
	w.Clear()
	if out := w.Unasked(2*time.Second, []byte("batch")); string(out) != "batch" || w.Every() != 0 {
		t.Errorf("without faults: %q", out)
	}
	must(t, w.Add(0, Fault{Kind: Silence, Rate: 1}))
	if out := w.Unasked(3*time.Second, []byte("batch")); len(out) != 0 {
		t.Errorf("pushed %q in silence", out)
	}
}

func TestEveryKindHasHelp(t *testing.T) {
	for _, r := range Rows() {
		if r.Help == "" || !(r.Usual > 0 && r.Usual <= 1) {
			t.Errorf("%s: help %q, usual rate %v", r.Kind, r.Help, r.Usual)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
