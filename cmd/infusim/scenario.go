package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"infusiond/simulator"
	"infusiond/simulator/scenario"
)

// scenario reads the scenario that is to be played, with its pumps; nil when there is none.
func (r *runCommand) scenario() (*scenario.Scenario, []simulator.PumpOptions, error) {
	if r.Scenario == "" {
		return nil, nil, nil
	}
	played, err := scenario.Load(r.Scenario)
	if err != nil {
		return nil, nil, err
	}
	pumps, err := played.PumpOptions(r.Model)
	if err != nil {
		return nil, nil, err
	}
	return played, pumps, simulator.Place(pumps, r.Folder, r.TCP)
}

// errFacts says that the simulated pumps did not do what the scenario says.
var errFacts = errors.New("facts of the scenario do not hold")

// play plays a scenario in real time and prints each step and, at the end, how it went.
func (r *runCommand) play(ctx context.Context, out io.Writer, s *scenario.Scenario, sim *simulator.Simulator) error {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, "infusim: "+format+"\n", args...) }
	say("scenario=%s model=%s duration=%v title=%q", s.ID, r.Model, s.Duration, s.Title)
	for _, missing := range s.Missing(r.Model) {
		say("warning=%q", fmt.Sprintf("a %s pump cannot tell %s, which this scenario is about", r.Model, missing))
	}
	result, err := scenario.Run(ctx, s, scenario.NewReal(sim, r.Model, r.Speed), scenario.Options{Told: func(text string) { say("step=%q", text) }})
	if err != nil {
		if ctx.Err() != nil {
			return nil // somebody ended it
		}
		return err
	}
	for _, step := range result.Left {
		say("for_the_harness=%q", fmt.Sprintf("%v %s", step.At, step.Harness))
	}
	for _, refused := range result.Refused {
		say("refused=%q", refused)
	}
	for _, wrong := range result.Wrong {
		say("wrong=%q", wrong)
	}
	say("scenario=%s done steps=%d for_the_harness=%d refused=%d wrong=%d seed=%d", s.ID, result.Steps, len(result.Left), len(result.Refused), len(result.Wrong), r.Seed)
	if len(result.Wrong) > 0 {
		return fmt.Errorf("scenario %s: %d %w", s.ID, len(result.Wrong), errFacts)
	}
	return nil
}

type scenariosCommand struct {
	Matrix bool   `help:"Say which protocol can run which scenario, and what it lacks for the others."`
	ID     string `arg:"" optional:"" help:"Show one scenario whole."`
}

// Run prints the scenarios.
func (c *scenariosCommand) Run(s streams) error {
	all, err := scenario.All()
	if err != nil {
		return err
	}
	if c.Matrix {
		_, err := io.WriteString(s.out, scenario.Matrix(all))
		return err
	}
	if c.ID != "" {
		return c.show(s)
	}
	for _, one := range all {
		if _, err := fmt.Fprintf(s.out, "%s  %-8v %s\n       expected: %s\n", one.ID, one.Duration, one.Title, one.Expected); err != nil {
			return err
		}
	}
	return nil
}

func (c *scenariosCommand) show(s streams) error {
	one, err := scenario.Load(c.ID)
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s  %s\nexpected: %s\nduration: %v   needs: %v\n", one.ID, one.Title, one.Expected, one.Duration, one.Needs)
	for _, p := range one.Pumps {
		fmt.Fprintf(&text, "pump %s: %v\n", p.Name, p.Keys)
	}
	for _, step := range one.Steps {
		fmt.Fprintf(&text, "  %-10v %s\n", step.At, strings.TrimSpace(step.Pump+" "+step.Do+step.Harness))
	}
	_, err = io.WriteString(s.out, text.String())
	return err
}
