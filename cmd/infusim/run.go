package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"infusiond/simulator"
	"infusiond/simulator/control"
)

type runCommand struct {
	Scenario   string        `arg:"" optional:"" placeholder:"SCENARIO" help:"A scenario file, or the id of a shipped one such as SC-10: it brings its pumps and ends by itself."`
	Model      string        `default:"miva" help:"The protocol of a scenario's pumps."`
	Pump       []string      `sep:"none" placeholder:"KEY=VALUE,..." help:"A pump; repeat for more."`
	Fleet      string        `placeholder:"PLAN" help:"Many pumps: ${plan}."`
	Folder     string        `default:"/tmp/infusim" help:"Where the links of a fleet or a scenario are made."`
	TCP        string        `name:"tcp" placeholder:"HOST:PORT" help:"Lines of a fleet or a scenario are serial servers on this and the following ports, not pseudo-terminals."`
	Seed       uint64        `default:"1" help:"Seed of everything random."`
	Speed      float64       `default:"1" help:"Model time passes so much faster; the wire keeps its pace."`
	Control    string        `default:"127.0.0.1:7070" help:"Where infusim send reaches this one: loopback host:port, unix:PATH, or off."`
	Truth      string        `placeholder:"FILE" help:"Write what really happens beside what the pumps say, as JSON lines."`
	TruthEvery time.Duration `default:"5s" help:"Simulated time between two of these lines of a pump; events and commands are written at once."`
	Verbose    bool          `short:"v" help:"Log every command on standard error."`
}

// options reads the pumps.
func (r *runCommand) options(pumps []simulator.PumpOptions) (simulator.Options, error) {
	o := simulator.Options{Pumps: pumps, Seed: r.Seed, Speed: r.Speed, TruthEvery: r.TruthEvery}
	var errs []error
	for _, text := range r.Pump {
		p, err := simulator.ParsePump(text)
		errs = append(errs, err)
		o.Pumps = append(o.Pumps, p)
	}
	if r.Fleet != "" {
		pumps, err := simulator.ParsePlan(r.Fleet, r.Folder, r.TCP)
		errs = append(errs, err)
		o.Pumps = append(o.Pumps, pumps...)
	}
	if len(o.Pumps) == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("nothing to run: give --pump, --fleet or a scenario; infusim run --help explains them"))
	}
	return o, errors.Join(errs...)
}

// Run runs the pumps.
func (r *runCommand) Run(ctx context.Context, s streams) (err error) {
	played, pumps, err := r.scenario()
	if err != nil {
		return err
	}
	options, err := r.options(pumps)
	if err != nil {
		return err
	}
	if r.Truth != "" {
		f, createErr := os.Create(r.Truth)
		if createErr != nil {
			return fmt.Errorf("truth: %w", createErr)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		options.Truth = f
	}
	level := slog.LevelWarn
	if r.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
	options.Log = log
	var listener net.Listener
	if r.Control != "off" {
		l, err := control.Listen(ctx, r.Control)
		if err != nil {
			return err
		}
		listener = l
	}
	sim, err := simulator.New(options)
	if err != nil {
		if listener != nil {
			err = errors.Join(err, listener.Close())
		}
		return err
	}
	if err := r.announce(s.out, sim, listener); err != nil {
		return errors.Join(err, sim.Close())
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return sim.Run(ctx) })
	if listener != nil {
		g.Go(func() error { return control.NewServer(sim, log).Run(ctx, listener) })
	}
	g.Go(func() error {
		defer quit()
		return obey(ctx, s, sim)
	})
	if played != nil {
		g.Go(func() error {
			defer quit()
			return r.play(ctx, s.out, played, sim)
		})
	}
	return g.Wait()
}

// announce prints the lines by which programs learn what was opened.
func (r *runCommand) announce(out io.Writer, sim *simulator.Simulator, l net.Listener) error {
	for _, st := range sim.Statuses() {
		text := fmt.Sprintf("infusim: pump=%s model=%s serial=%s", st.Name, st.Model, st.Serial)
		if st.Serial == "" {
			text = fmt.Sprintf("infusim: pump=%s model=%s", st.Name, st.Model)
		}
		if st.Address != "" {
			text += " address=" + st.Address
		}
		if st.Port != "" {
			text += " port=" + st.Port
		}
		if st.TCP != "" {
			text += " tcp=" + st.TCP
		}
		if _, err := fmt.Fprintln(out, text); err != nil {
			return err
		}
	}
	if l != nil {
		if _, err := fmt.Fprintln(out, "infusim: control="+control.Address(l)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "infusim: ready pumps=%d seed=%d speed=%v\n", len(sim.Names()), r.Seed, r.Speed)
	return err
}

// obey does what standard input says until quit or until ctx ends. The end of the input
// ends nothing: infusim also runs without a terminal.
func obey(ctx context.Context, s streams, sim *simulator.Simulator) error {
	lines := make(chan string)
	// This goroutine may outlive obey in a blocked read; it ends with the program.
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(s.in); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case text, open := <-lines:
			if !open {
				<-ctx.Done()
				return nil
			}
			answer, quit := interpret(text, sim)
			if quit {
				return nil
			}
			if _, err := io.WriteString(s.out, answer); err != nil {
				return fmt.Errorf("print answer: %w", err)
			}
		}
	}
}

// interpret does one line of standard input and returns one or more lines about it.
func interpret(text string, sim *simulator.Simulator) (answer string, quit bool) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return "", false
	}
	var err error
	switch command := strings.Join(words[1:], " "); {
	case words[0] == "quit":
		return "", true
	case words[0] == "help":
		answer = fmt.Sprintf("PUMP COMMAND, with PUMP one of %s:\n  %s\nstatus, help, quit\n", strings.Join(sim.Names(), ", "), strings.Join(simulator.Help(), "\n  "))
	case words[0] == "status":
		for _, st := range sim.Statuses() {
			answer += statusLine(st) + "\n"
		}
	case command == "status":
		var st simulator.Status
		st, err = sim.Status(words[0])
		answer = statusLine(st) + "\n"
	default:
		err = sim.Do(words[0], command)
		answer = fmt.Sprintf("infusim: done pump=%s command=%q\n", words[0], command)
	}
	if err != nil {
		return fmt.Sprintf("infusim: error=%q\n", err), false
	}
	return answer, false
}

// statusLine is a status on one machine-readable line.
func statusLine(st simulator.Status) string {
	alarms := make([]string, len(st.Says.Alarms))
	for i, a := range st.Says.Alarms {
		alarms[i] = string(a)
	}
	return fmt.Sprintf("infusim: status pump=%s state=%s programmed_rate_ml_per_h=%.2f running_rate_ml_per_h=%.2f volume_infused_ml=%.2f "+
		"battery_v=%.2f alarms=[%s] plugged=%t patient_rate_ml_per_h=%.2f patient_volume_ml=%.3f line_pressure_mbar=%.0f bag_ml=%.2f battery_percent=%.1f control_commands=%d",
		st.Name, st.Says.State, st.Says.ProgrammedRate, st.Says.RunningRate, st.Says.Infused, st.Says.BatteryVolts, strings.Join(alarms, " "), st.Plugged,
		st.Truth.PatientRate, st.Truth.PatientVolume, st.Truth.PressureMbar, st.Truth.Bag, st.Truth.BatteryPercent, st.Wire.Control)
}
