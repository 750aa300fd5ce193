// Command bench is `make bench`: measurements with their baselines from the same run, each ending in a
// line that a program can read. -run names the parts: decode, latency, idle, cycles, virtual.
//
// It runs the real programs from its own folder and leaves nothing behind. A missed goal
// is printed, not an error: comparing runs is for whoever reads the lines.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"infusiond/gateway/proof/parts"
)

// bench is what the parts have in common.
type bench struct {
	out    io.Writer
	bin    string // the folder of the programs
	seed   uint64
	alarms int

	idleFor time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	names := flags.String("run", "decode,latency,idle,cycles,virtual", "the `parts` to run, separated by commas")
	alarms := flags.Int("alarms", 60, "how many alarms the latency is measured with, two seconds each")
	idleFor := flags.Duration("idle-for", time.Minute, "how `long` each number of pumps is polled by the gateway and by its baseline")
	file := flags.String("play", "", "be the baseline of idle with the plan in this `file`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *file != "" {
		return play(ctx, *file)
	}
	seed, err := seed()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own folder: %w", err)
	}
	b := &bench{out: out, bin: filepath.Dir(self), seed: seed, alarms: *alarms, idleFor: *idleFor}
	measurements := map[string]func(t parts.TB){"decode": b.decode, "latency": b.latency, "cycles": b.cycles, "virtual": b.virtual, "idle": b.idle}
	wanted := strings.Split(*names, ",")
	if i := slices.IndexFunc(wanted, func(name string) bool { return measurements[name] == nil }); i >= 0 || *alarms < 1 {
		return fmt.Errorf("no such measurement: -run %s -alarms %d; known are %s, with at least one alarm", *names, *alarms, strings.Join(slices.Sorted(maps.Keys(measurements)), ", "))
	}
	for _, name := range wanted {
		if err := b.measure(ctx, measurements[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// measure runs one part in a folder of its own beside the programs: on a disk, where a folder
// for temporary files may be in memory.
func (b *bench) measure(ctx context.Context, part func(t parts.TB)) (err error) {
	dir, err := os.MkdirTemp(b.bin, "bench-run-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return parts.Program(ctx, dir, part)
}

func seed() (uint64, error) {
	text := os.Getenv("SEED")
	if text == "" {
		return rand.Uint64() >> 32, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("SEED: %w", err)
	}
	return n, nil
}

func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.out, format+"\n", args...) }
