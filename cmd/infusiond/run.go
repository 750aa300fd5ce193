package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"infusiond/gateway"
	"infusiond/gateway/clock"
	"infusiond/gateway/config"
)

type runCommand struct {
	Config  string `arg:"" type:"path" help:"The configuration file; see configs/infusiond.example.yaml."`
	Capture string `type:"path" placeholder:"FILE" help:"Append every byte on the port to FILE, with direction and time; with several pumps to FILE.PUMP."`
}

// Run runs the gateway.
func (r *runCommand) Run(ctx context.Context, out io.Writer, errOut errorStream) (err error) {
	c, err := config.Load(r.Config, table())
	if err != nil {
		return fileError{fmt.Errorf("%w\n%s", err, "infusiond does not start with a wrong configuration; nothing was sent to any pump")}
	}
	system, err := clock.New()
	if err != nil {
		return fmt.Errorf("read clock: %w", err)
	}
	o := gateway.Options{Config: c, Drivers: table(), Version: version(), Clock: system.Now, Log: logger(errOut, c.Log.Level)}
	if r.Capture != "" {
		files := captures{path: r.Capture, several: len(c.Pumps) > 1}
		defer func() { err = errors.Join(err, files.close()) }()
		o.Capture = files.open
	}
	g := gateway.New(o)
	go greet(ctx, g, c, out)
	return g.Run(ctx)
}

// greet says, once everything is up, where to look.
func greet(ctx context.Context, g *gateway.Gateway, c *config.Config, out io.Writer) {
	select {
	case <-ctx.Done():
		return
	case <-g.Ready():
	}
	say(out, "infusiond", version(), "gateway", c.Gateway)
	if url := g.PageURL(); url != "" {
		say(out, "page:", url)
	}
	if url := g.MQTTURL(); url != "" {
		kind := "outside broker"
		if c.Embedded() {
			kind = "own broker, this machine only"
		}
		say(out, "mqtt:", url, "("+kind+")", "topics:", g.TopicRoot()+"#")
	}
	say(out, "Pump-reported, not delivered to the patient. Not a medical device; the pump's own alarm comes first.")
}

// captures are the capture files, one for each port: their lines carry no port.
type captures struct {
	path    string
	several bool
	files   []*os.File
}

// open appends to FILE, or with several pumps to FILE.PUMP.
func (c *captures) open(pump string) (io.Writer, error) {
	path := c.path
	if c.several {
		path += "." + pump
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, err
	}
	c.files = append(c.files, f)
	return f, nil
}

func (c *captures) close() error {
	var errs []error
	for _, f := range c.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

func logger(w io.Writer, level string) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: levels[level]}))
}
