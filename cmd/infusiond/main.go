// Command infusiond is the telemetry gateway beside an ambulatory infusion pump. It
// reads the pump, compares what it reports with the prescription, and publishes to MQTT
// and InfluxDB. It never writes a setting to a pump.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	// kong: declarative flags and commands with one small module, actively kept; cobra would bring
	// a dozen modules for the same three commands.
	"github.com/alecthomas/kong"
)

// Exit codes: 1 something failed while running, 2 the command line or a file is wrong.
const (
	exitFailed = 1
	exitUsage  = 2
)

const description = `infusiond reads ambulatory infusion pumps over serial lines, compares what they
report with the prescription, and publishes to MQTT and InfluxDB. It only ever reads: no command of this
program can start, stop or set a pump.

What it shows is pump-reported, not delivered to the patient. infusiond is not a medical device
and does not replace the pump's own alarm.`

type commandLine struct {
	Run         runCommand    `cmd:"" help:"Run the gateway until it is interrupted."`
	CheckConfig checkCommand  `cmd:"" name:"check-config" help:"Check a configuration with its prescriptions and drug library, and say every problem with its line and the mend."`
	Probe       probeCommand  `cmd:"" help:"Ask who is on a serial port, with the named protocols only, and print entries for the configuration. Never on a patient."`
	Decode      decodeCommand `cmd:"" help:"Explain captured bytes, or bytes in hex, field by field."`
	Version     versionCmd    `cmd:"" help:"Print the version."`
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(out io.Writer) error {
	_, err := fmt.Fprintln(out, "infusiond", version())
	return err
}

// version is the module's version or the commit that the program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "0.0.0-" + s.Value[:12]
		}
	}
	return "0.0.0-dev"
}

// gcPercent trades a little processor time for memory: the daemon lives beside a pump on a small device, with few
// megabytes in use.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program but the process: tests call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cl commandLine
	exit := -1
	parser, err := kong.New(&cl, kong.Name("infusiond"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exit = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		say(stderr, "infusiond:", err)
		return exitUsage
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		say(stderr, "infusiond:", err)
		say(stderr, "See infusiond --help.")
		return exitUsage
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.BindTo(stdout, (*io.Writer)(nil))
	parsed.Bind(errorStream{stderr})
	if err := parsed.Run(); err != nil {
		say(stderr, err)
		// kong joins these with the errors of its hooks
		_, file := errors.AsType[fileError](err)
		if _, usage := errors.AsType[usageError](err); usage || file {
			return exitUsage
		}
		return exitFailed
	}
	return 0
}

// errorStream is the standard error output.
type errorStream struct{ io.Writer }

// fileError is a problem in a file that a person wrote.
type fileError struct{ error }

// usageError is a command line that cannot be done.
type usageError struct{ error }

// say writes a line; when even that fails nobody can be told.
func say(w io.Writer, v ...any) { _, _ = fmt.Fprintln(w, v...) }
