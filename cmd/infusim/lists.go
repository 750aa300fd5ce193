package main

import (
	"fmt"
	"io"
	"strings"

	"infusiond/simulator"
	"infusiond/simulator/pumpmodel"
)

type modelsCommand struct{}

// Run prints the protocols.
func (modelsCommand) Run(s streams) error {
	for _, m := range simulator.Models() {
		identity, alarms, log, line := "by serial number, like "+m.Serial, "a set", "no log", "one pump a line"
		if m.Serial == "" {
			identity = "none: no serial number"
		}
		if m.OneAlarm {
			alarms = "one at a time, the most urgent"
		}
		if m.HasLog {
			log = "a log with times"
		}
		if m.Addresses != "" {
			line = "several pumps a line, address " + m.Addresses
		}
		var known []string
		for _, a := range pumpmodel.Alarms() {
			if m.Announces(a) {
				known = append(known, string(a))
			}
		}
		alarms += ": " + strings.Join(known, ", ")
		if len(known) == 0 {
			alarms = "the protocol tells none"
		}
		_, err := fmt.Fprintf(s.out, "%s\n  pumps       %s\n  line        %d baud 8N1, %s\n  identity    %s\n  alarms      %s\n  log         %s\n  cannot say  %s\n",
			m.Protocol, m.Models, m.Baud, line, identity, alarms, log, strings.Join(m.CannotSay, "\n              "))
		if err != nil {
			return err
		}
	}
	return nil
}

type faultsCommand struct{}

// Run prints the commands to devices and bytes.
func (faultsCommand) Run(s streams) error {
	devices, bytes := simulator.FaultHelp()
	_, err := fmt.Fprintf(s.out, "Commands PUMP FAULT act on the whole line of a pump.\n\nDevices and cables:\n  %s\n\nBytes:\n  %s\n\n"+
		"Two pumps with one serial number: serial NUMBER. A program that hangs behind a living line: freeze on.\n"+
		"Several faults of different kinds add up; without for= a fault lasts until clean.\n",
		strings.Join(devices, "\n  "), strings.Join(bytes, "\n  "))
	return err
}

// Help lists the keys of a pump and the commands, below the flags.
func (runCommand) Help() string {
	var b strings.Builder
	section := func(title string, lines []string) {
		_, _ = io.WriteString(&b, title+"\n\n  "+strings.Join(lines, "\n  ")+"\n\n") // a builder never fails
	}
	section("A pump is described by key=value, divided by commas:", simulator.PumpSettings())
	section("Commands, one per line on standard input as PUMP COMMAND, or by infusim send:", append(simulator.Help(), "status, help, quit"))
	section("Examples:", []string{
		"infusim run --pump name=blue,rate=1.11,vtbi=100,bag=50,drug=milrinone,link=/tmp/blue",
		"infusim send blue occlude in=10s",
		"infusim run --fleet miva:16,bcc:16@4 --folder /tmp/pumps --truth /tmp/truth.jsonl",
	})
	return strings.TrimSpace(b.String())
}
