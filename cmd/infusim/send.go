package main

import (
	"context"
	"fmt"
	"strings"

	"infusiond/simulator/control"
)

type sendCommand struct {
	Control string   `default:"127.0.0.1:7070" help:"Address that infusim run printed: host:port or unix:PATH."`
	Words   []string `arg:"" passthrough:"" help:"PUMP COMMAND [ARGUMENT...], or status, or help." name:"words"`
}

// Run sends one command and prints the pump's status after it.
func (c *sendCommand) Run(ctx context.Context, s streams) error {
	client := control.NewClient(c.Control)
	words := c.Words
	if len(words) == 1 && words[0] == "help" {
		lines, err := client.Help(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, strings.Join(lines, "\n"))
		return err
	}
	if len(words) == 1 && words[0] == "status" || len(words) == 2 && words[1] == "status" {
		return c.status(ctx, client, s)
	}
	if len(words) < 2 {
		return fmt.Errorf("send needs PUMP COMMAND, or status, or help")
	}
	status, err := client.Do(ctx, words[0], words[1], words[2:]...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, statusLine(status))
	return err
}

func (c *sendCommand) status(ctx context.Context, client *control.Client, s streams) error {
	list, err := client.Status(ctx)
	if err != nil {
		return err
	}
	found := len(c.Words) == 1
	for _, st := range list {
		if len(c.Words) == 2 && st.Name != c.Words[0] {
			continue
		}
		found = true
		if _, err := fmt.Fprintln(s.out, statusLine(st)); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("no pump %q", c.Words[0])
	}
	return nil
}
