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
	"strings"
	"syscall"

	"github.com/alecthomas/kong" // maintained, no dependencies of its own; command line of all programs here

	"infusiond/simulator"
	"infusiond/simulator/mivafront"
)

const description = `Simulated infusion pumps: real protocol bytes on a pseudo-terminal or TCP, physics behind them.

A simulated pump gives nothing to anybody. Units: rates mL/h, volumes mL, pressures mbar, durations such as 90s, 5m or 1h.`

// cli is the command line.
type cli struct {
	Run    runCommand    `cmd:"" help:"Run pumps until SIGINT, SIGTERM or the line quit on standard input."`
	Send   sendCommand   `cmd:"" help:"Do something to a pump of a running infusim."`
	Models modelsCommand `cmd:"" help:"List the simulated models and what each cannot say."`
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
	parser, err := kong.New(&c, kong.Name("infusim"), kong.Description(description), kong.Writers(s.out, s.err),
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

type modelsCommand struct{}

// Run prints the models.
func (modelsCommand) Run(s streams) error {
	_, err := fmt.Fprintf(s.out, "miva  Zyno MIVA / Nimbus: %d baud 8N1, identity by serial number\n  cannot say: %s\n",
		mivafront.Baud, strings.Join(mivafront.Describe().CannotSay, "\n  cannot say: "))
	return err
}

// Help lists the keys of a pump and the commands, below the flags.
func (runCommand) Help() string {
	return "A pump is described by key=value, divided by commas:\n\n  " + strings.Join(simulator.PumpSettings(), "\n  ") +
		"\n\nCommands, one per line on standard input as PUMP COMMAND, or by infusim send:\n\n  " + strings.Join(simulator.Help(), "\n  ") +
		"\n  status, help, quit" +
		"\n\nExample:\n\n  infusim run --pump name=blue,rate=1.11,vtbi=100,bag=50,drug=milrinone,link=/tmp/blue\n  infusim send blue occlude in=10s"
}
