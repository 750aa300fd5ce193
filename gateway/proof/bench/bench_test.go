package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"infusiond/drivers/miva/wire"
)

// TestGoodFramesAreVectors looks for the measured frames among those of the protocol documents, and decodes them.
func TestGoodFramesAreVectors(t *testing.T) {
	for _, f := range goodFrames() {
		paths, err := filepath.Glob(filepath.Join("..", "..", "..", "drivers", f.driver, "wire", "testdata", "frames", "*.hex"))
		if err != nil || len(paths) != 1 {
			t.Fatalf("%v, %v", paths, err)
		}
		text, err := os.ReadFile(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.ReplaceAll(string(text), " ", ""), "|"+f.hex+"\n") {
			t.Errorf("%s of %s is no vector: %s", f.name, f.driver, f.hex)
		}
		frame, err := hex.DecodeString(f.hex)
		if err != nil {
			t.Fatal(err)
		}
		one := f.decode()
		if err := errors.Join(one(frame), one(frame)); err != nil {
			t.Errorf("%s of %s: %v", f.name, f.driver, err)
		}
	}
}

func TestPercentilesAreMeasuredValues(t *testing.T) {
	var hundred times
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i))
	}
	for _, row := range []struct {
		name string
		of   times
		p    float64
		want time.Duration
	}{
		{"none", nil, 50, 0},
		{"one", times{7}, 99, 7},
		{"the lower of two", times{9, 1}, 50, 1},
		{"the longest of sixty", hundred[:60], 99, 100},
		{"the middle of a hundred", hundred, 50, 50},
		{"the last but one of a hundred", hundred, 99, 99},
		{"the longest", hundred, 100, 100},
	} {
		if got := row.of.at(row.p); got != row.want {
			t.Errorf("%s: got %d, want %d", row.name, got, row.want)
		}
	}
}

// TestPumpMarksAlarmAndEndOfCycle plays the end of a cycle without a line.
func TestPumpMarksAlarmAndEndOfCycle(t *testing.T) {
	frame := func(vector string) []byte {
		b, err := hex.DecodeString(vector)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	occlusion := frame("025245303030303030304630393435323330314630303030323030303030303030303030303030303030303544" + "03") // M7
	started := frame("025245303030303030313030313435323330314630303030303030303030303030303030303030303030303345" + "03")   // M6
	number := frame("02524E534E383030303038373103")                                                                         // M2
	var p pump
	begin := time.Now()
	for i, answer := range [][]byte{number, started, occlusion, started, nil, number, number} {
		p.sending = kind(answer)
		p.Leaves(begin.Add(time.Duration(i)))
	}
	if alarm, cycle := p.marks(); alarm.Sub(begin) != 2 || cycle.Sub(begin) != 5 {
		t.Errorf("alarm at %d, end of its cycle at %d; want 2 and 5", alarm.Sub(begin), cycle.Sub(begin))
	}
}

func TestReportSaysRatiosToTheBaseline(t *testing.T) {
	var out bytes.Buffer
	b := &bench{out: &out, seed: 7}
	b.report(samples{
		latency: times{30 * time.Millisecond}, queries: times{26 * time.Millisecond}, rest: times{4 * time.Millisecond},
		baseline: times{2 * time.Millisecond}, bare: times{time.Millisecond},
	})
	for _, want := range []string{
		"bench: latency p50_ratio=15.00 p99_ratio=15.00 p50_ms=30.00 p99_ms=30.00 baseline_p50_ms=2.00 baseline_p99_ms=2.00 bare_p50_ms=1.00 bare_p50_ratio=30.00 n=1 seed=7\n",
		"bench: latency_stages queries_p50_ms=26.00 queries_p99_ms=26.00 rest_p50_ms=4.00 rest_p99_ms=4.00 rest_p50_ratio=2.00 rest_p99_ratio=2.00 seed=7\n",
		"missed",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestUnknownMeasurementsAreRefused(t *testing.T) {
	t.Setenv("SEED", "")
	for _, args := range [][]string{{"-run", "decode,drian"}, {"-run", ""}, {"-alarms", "0"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
	t.Setenv("SEED", "seven")
	if err := run(t.Context(), nil, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "SEED") {
		t.Errorf("SEED=seven: %v", err)
	}
	if kind(nil) != wire.NoQuery {
		t.Error("no answer counts as one")
	}
}
