// Command infusim runs simulated infusion pumps that speak the real bytes of their
// protocols on pseudo-terminals or TCP, and lets a person or a program do to them
// what happens to pumps. simulator/README.md is the tour.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong" // maintained, no dependencies of its own; command line of all programs here

	"infusiond/simulator"
)

const description = `Simulated infusion pumps: real protocol bytes on pseudo-terminals or TCP, physics behind them.

infusim run --pump name=blue,rate=1.11,link=/tmp/blue starts one; infusim send blue occlude in=10s does something to it;
infusim run --help lists every key and command. A simulated pump gives nothing to anybody.
Units: rates mL/h, volumes mL, pressures mbar, durations such as 90s, 5m or 1h.`

// cli is the command line.
type cli struct {
	Run       runCommand       `cmd:"" help:"Run pumps until SIGINT, SIGTERM or the line quit on standard input."`
	Send      sendCommand      `cmd:"" help:"Do something to a pump of a running infusim."`
	Models    modelsCommand    `cmd:"" help:"List the simulated protocols: line, identity, alarms, and what each cannot say."`
	Faults    faultsCommand    `cmd:"" help:"List what can go wrong on a line: devices and bytes."`
	Scenarios scenariosCommand `cmd:"" help:"List the shipped scenarios, or which protocol can run which."`
}

// streams are the standard ones, replaced in tests.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(realMain(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

func realMain(ctx context.Context, args []string, s streams) (code int) {
	err := execute(ctx, args, s)
	if exit, ok := errors.AsType[exitStatus](err); ok {
		return int(exit)
	}
	if err != nil {
		if _, err := fmt.Fprintln(s.err, "infusim:", err); err != nil {
			return 3
		}
		return 1
	}
	return 0
}

// exitStatus is the status that the command line's parser wants to end with, after --help for example.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func execute(ctx context.Context, args []string, s streams) error {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("infusim"), kong.Description(description), kong.Writers(s.out, s.err), kong.Vars{"plan": simulator.PlanHelp},
		kong.Exit(func(n int) { exited = n }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exitStatus(exited)
	}
	if err != nil {
		return err
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(s)
}
