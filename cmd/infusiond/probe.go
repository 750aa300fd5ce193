package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"infusiond/gateway/clock"
	"infusiond/gateway/probe"
)

type probeCommand struct {
	Port          string            `arg:"" help:"The serial port: a device path, or tcp://host:port of a serial device server."`
	Protocols     []string          `required:"" sep:"," placeholder:"NAME" help:"Which protocols to try; nothing else is sent. \"all\" means those whose queries have no side effect: the others have to be named."`
	NotOnAPatient bool              `help:"Say that no patient is connected to what is on this port. Without it nothing is sent."`
	Settings      map[string]string `aliases:"setting" placeholder:"KEY=VALUE" mapsep:"," help:"Settings of the driver, with one protocol only, e.g. checksum=xor."`
	Addresses     []string          `sep:"," placeholder:"ADDRESS" help:"On a line with several pumps: the addresses to ask."`
	JSON          bool              `name:"json" help:"Print JSON."`
}

const notOnAPatient = `probe: refused, and nothing was sent.
It sends queries to whatever is on the port. A pump may take those of another protocol for something else, and
some queries acknowledge an alarm or start a heartbeat. Take the pump off the patient; then say --not-on-a-patient`

// Run asks who is on a port.
func (p *probeCommand) Run(ctx context.Context, out io.Writer, errOut errorStream) error {
	drivers := table()
	names, left, err := probe.Select(p.Protocols, drivers)
	if err != nil {
		return usageError{fmt.Errorf("probe: %w; nothing was sent", err)}
	}
	if !p.NotOnAPatient {
		return usageError{errors.New(notOnAPatient)}
	}
	if len(p.Settings) > 0 && len(names) != 1 {
		return usageError{fmt.Errorf("probe: --settings belong to one protocol, and %d are to be tried; nothing was sent", len(names))}
	}
	o := probe.Options{Address: p.Port, NotOnAPatient: true, Addresses: p.Addresses}
	if !strings.Contains(p.Port, "://") {
		if o.Address, err = filepath.Abs(p.Port); err != nil {
			return fmt.Errorf("probe %s: %w", p.Port, err)
		}
	}
	for _, name := range names {
		if _, err := drivers[name](p.Settings); err != nil {
			return usageError{fmt.Errorf("probe: settings of %s: %w; nothing was sent", name, err)}
		}
		o.Protocols = append(o.Protocols, probe.Protocol{Name: name, Settings: p.Settings, Make: drivers[name]})
	}
	system, err := clock.New()
	if err != nil {
		return fmt.Errorf("read clock: %w", err)
	}
	o.Clock = system.Now
	if !p.JSON {
		for _, name := range slices.Sorted(maps.Keys(left)) {
			say(errOut, fmt.Sprintf("%s is not tried: %s. Name it to try it.", name, left[name]))
		}
	}
	attempts, err := probe.Run(ctx, o)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	return p.tell(out, o.Address, attempts)
}

// tell prints what was found. Nobody at all is an error, so that scripts notice.
func (p *probeCommand) tell(out io.Writer, port string, attempts []probe.Attempt) error {
	var entries []string
	for _, a := range attempts {
		for _, pump := range a.Pumps {
			entries = append(entries, pump.Entry)
		}
	}
	if p.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(struct {
			Port     string          `json:"port"`
			Attempts []probe.Attempt `json:"attempts"`
		}{port, attempts}); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	} else {
		for _, a := range attempts {
			tellAttempt(out, a)
		}
		if len(entries) > 0 {
			say(out, "\nFor the configuration:\n\npumps:")
			for _, e := range entries {
				say(out, strings.TrimSuffix(indent(e), "\n"))
			}
		}
	}
	if len(entries) == 0 {
		return errors.New("probe: no pump answered on " + port)
	}
	return nil
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}

func tellAttempt(out io.Writer, a probe.Attempt) {
	head := a.Protocol
	if a.Line != "" {
		head += " at " + a.Line
	}
	switch a.Outcome {
	case probe.Found:
		say(out, fmt.Sprintf("%s: %d found", head, len(a.Pumps)))
		for _, pump := range a.Pumps {
			say(out, fmt.Sprintf("  model %s, serial number %s, address %s, firmware %s", orDash(pump.Model), orDash(pump.Serial), orDash(pump.Address), orDash(pump.Firmware)))
		}
	case probe.Silence:
		say(out, head+": silence")
	case probe.NotUnderstood:
		say(out, fmt.Sprintf("%s: %d bytes that are no answer of this protocol, beginning %s", head, a.Bytes, a.First))
	case probe.PortFailed, probe.Failed:
		say(out, head+": "+a.Error)
	}
	if a.Advice != "" {
		say(out, "  "+a.Advice)
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
