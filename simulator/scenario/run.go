package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"infusiond/simulator"
)

// Stage is where a scenario plays.
type Stage interface {
	// Do does one command of infusim to a pump.
	Do(pump, command string) error
	// Until lets the scenario's time pass up to at.
	Until(ctx context.Context, at time.Duration) error
	// Status returns what a pump says beside what really happens.
	Status(pump string) (simulator.Status, error)
	// Entries returns the log of a pump from a sequence number on, with true times.
	Entries(pump string, from uint64) ([]simulator.Entry, error)
	// Protocol is what the pumps speak.
	Protocol() string
	// Slack is how exactly the stage keeps the scenario's time: events may miss theirs by so much.
	Slack() time.Duration
}

// Options are the settings of Run.
type Options struct {
	// Harness, optional, does the steps that are not for the simulator.
	Harness func(ctx context.Context, step Step) error
	// Truth, optional, gets a JSON line for each pump after each step and at each Every: what it says beside what is true.
	Truth io.Writer
	Every time.Duration // 0: after steps only
	// Told, optional, is told each step as it happens, for people.
	Told func(text string)
}

// Result is how a run went.
type Result struct {
	Steps   int
	Left    []Step   // steps for a harness that nobody did
	Refused []string // commands that the pump refused, as a real one would
	Wrong   []string // facts that do not hold
	Judged  int      // facts that were judged: some are about other protocols
}

// moment is one line of the truth.
type moment struct {
	Scenario string           `json:"scenario"`
	ElapsedS float64          `json:"elapsed_s"`       // of the scenario
	Steps    []string         `json:"steps,omitempty"` // what was done just now
	Status   simulator.Status `json:"status"`
}

// Run plays a scenario. The error is that of the stage, the harness or the writer; a fact that does not hold stands in the result.
func Run(ctx context.Context, s *Scenario, stage Stage, o Options) (Result, error) {
	p := &play{Scenario: s, stage: stage, o: o, offset: map[string]float64{}, before: map[before]simulator.Status{}}
	for _, pump := range s.Pumps {
		status, err := stage.Status(pump.Name)
		if err != nil {
			return p.result, fmt.Errorf("scenario %s: %w", s.ID, err)
		}
		p.offset[pump.Name] = status.Truth.ElapsedS
	}
	times := map[time.Duration]bool{s.Duration: true}
	for _, step := range s.Steps {
		times[step.At] = true
	}
	for _, f := range s.Facts {
		times[p.due(&f)] = true
		if f.Difference {
			times[f.Since] = true
		}
	}
	if o.Every > 0 && o.Truth != nil {
		for at := o.Every; at < s.Duration; at += o.Every {
			times[at] = true
		}
	}
	for _, at := range slices.Sorted(maps.Keys(times)) {
		if err := stage.Until(ctx, at); err != nil {
			return p.result, fmt.Errorf("scenario %s at %v: %w", s.ID, at, err)
		}
		if err := p.facts(at); err != nil {
			return p.result, err
		}
		if err := p.steps(ctx, at); err != nil {
			return p.result, fmt.Errorf("scenario %s at %v: %w", s.ID, at, err)
		}
		if err := p.truth(at); err != nil {
			return p.result, err
		}
	}
	return p.result, nil
}

type play struct {
	*Scenario
	stage  Stage
	o      Options
	result Result
	offset map[string]float64 // age of each pump at the beginning, s
	before map[before]simulator.Status
}

// before is where a difference begins.
type before struct {
	pump string
	at   time.Duration
}

func (p *play) tell(format string, args ...any) {
	if p.o.Told != nil {
		p.o.Told(fmt.Sprintf(format, args...))
	}
}

// steps does what happens at a time, in the order of the file.
func (p *play) steps(ctx context.Context, at time.Duration) error {
	for _, step := range p.Steps {
		if step.At != at {
			continue
		}
		p.result.Steps++
		if step.Harness != "" {
			p.tell("%v harness: %s", at, step.Harness)
			if p.o.Harness == nil {
				p.result.Left = append(p.result.Left, step)
				continue
			}
			if err := p.o.Harness(ctx, step); err != nil {
				return fmt.Errorf("line %d: %w", step.Line, err)
			}
			continue
		}
		p.tell("%v %s: %s", at, step.Pump, step.Do)
		err := p.stage.Do(step.Pump, step.Do)
		switch {
		case err == nil:
		case errors.Is(err, simulator.ErrPump), errors.Is(err, simulator.ErrCommand):
			return fmt.Errorf("line %d: %w", step.Line, err)
		default:
			p.result.Refused = append(p.result.Refused, fmt.Sprintf("line %d: %s %s: %v", step.Line, step.Pump, step.Do, err))
		}
	}
	return nil
}

func (p *play) facts(at time.Duration) error {
	for _, f := range p.Facts {
		begins := f.Difference && f.Since == at
		if !f.about(p.stage.Protocol()) || p.due(&f) != at && !begins {
			continue
		}
		status, err := p.stage.Status(f.Pump)
		if err != nil {
			return fmt.Errorf("line %d: %w", f.Line, err)
		}
		if begins {
			p.before[before{f.Pump, at}] = status
		}
		if p.due(&f) != at {
			continue
		}
		wrong, err := p.judge(&f, &status)
		if err != nil {
			return fmt.Errorf("line %d: %w", f.Line, err)
		}
		p.result.Judged++
		if wrong != "" {
			p.result.Wrong = append(p.result.Wrong, fmt.Sprintf("line %d: %s", f.Line, wrong))
		}
	}
	return nil
}

// due is when a fact is judged: an event must have had its time.
func (p *play) due(f *Fact) time.Duration {
	if f.Event == "" {
		return f.At
	}
	return min(f.At+p.stage.Slack(), p.Duration)
}

func (p *play) judge(f *Fact, status *simulator.Status) (string, error) {
	if f.Event == "" {
		then := p.before[before{f.Pump, f.Since}]
		return f.check(status, &then), nil
	}
	entries, err := p.stage.Entries(f.Pump, 0)
	if err != nil {
		return "", err
	}
	return f.checkEvent(entries, p.offset[f.Pump], p.stage.Slack()), nil
}

func (p *play) truth(at time.Duration) error {
	if p.o.Truth == nil {
		return nil
	}
	var done []string
	for _, step := range p.Steps {
		if step.At == at {
			done = append(done, strings.TrimSpace(step.Pump+" "+step.Do+step.Harness))
		}
	}
	encoder := json.NewEncoder(p.o.Truth)
	for _, pump := range p.Pumps {
		status, err := p.stage.Status(pump.Name)
		if err != nil {
			return err
		}
		if err := encoder.Encode(moment{p.ID, at.Seconds(), done, status}); err != nil {
			return fmt.Errorf("write truth: %w", err)
		}
	}
	return nil
}

// PumpOptions returns the pumps of a scenario as pumps of a protocol. Rates are rounded to the protocol's step; each pump gets a line of its own.
// A scenario with a command that such pumps cannot take is refused.
func (s *Scenario) PumpOptions(protocol string) ([]simulator.PumpOptions, error) {
	if err := s.possible(protocol); err != nil {
		return nil, err
	}
	var all []simulator.PumpOptions
	for _, p := range s.Pumps {
		parts := []string{"name=" + p.Name, "model=" + protocol}
		for _, key := range slices.Sorted(maps.Keys(p.Keys)) {
			value := p.Keys[key]
			if key == "rate" {
				rounded, err := round(value, protocol)
				if err != nil {
					return nil, fmt.Errorf("%s:%d: pump %s: %w", s.File, p.Line, p.Name, err)
				}
				value = rounded
			}
			parts = append(parts, key+"="+value)
		}
		o, err := simulator.ParsePump(strings.Join(parts, ","))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: pump %s: %w", s.File, p.Line, p.Name, err)
		}
		all = append(all, o)
	}
	return all, nil
}

// round brings a rate to the step of a protocol's pumps.
func round(text, protocol string) (string, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", fmt.Errorf("rate %q is not a number", text)
	}
	for _, info := range simulator.Models() {
		if info.Protocol == protocol {
			step := info.Physics().RateStep
			return strconv.FormatFloat(math.Round(v/step)*step, 'f', 3, 64), nil
		}
	}
	return "", fmt.Errorf("model %q is not known", protocol)
}
