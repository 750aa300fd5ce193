package simulator

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"infusiond/drivers/miva/wire"
	"infusiond/simulator/mivafront"
	"infusiond/simulator/pumpmodel"
)

// PumpOptions describes one simulated pump. Start from DefaultPump or ParsePump.
type PumpOptions struct {
	Name    string // [a-z0-9-]{1,32}
	Model   string // "miva"
	Serial  string // eight letters and digits; begins with SIM unless Pretend
	Pretend bool   // allow a serial number that a real pump may have
	Program string // e.g. "DAILY 1"
	Drug    string // said by the pump only in the long program form
	Rate    float64
	VTBI    float64
	Bag     float64 // label volume mL; 0: no reservoir count
	Stopped bool    // true: switched on but not started
	Link    string  // symbolic link to the pseudo-terminal; empty with TCP: none
	TCP     string  // host:port on which a serial server is simulated
	Front   mivafront.Options
	Physics pumpmodel.Config
}

// DefaultPump returns a running MIVA, 1.11 mL/h of 100 mL, with strokes and
// counter of 0.01 mL, as the protocol prints volumes.
func DefaultPump(name string) PumpOptions {
	physics := pumpmodel.Default()
	physics.StrokeML, physics.CounterStepML = 0.01, 0.01
	return PumpOptions{Name: name, Model: "miva", Program: "DAILY 1", Rate: 1.11, VTBI: 100, Physics: physics}
}

// setting is one key of a pump description.
type setting struct {
	key, help string
	set       func(o *PumpOptions, value string) error
}

func number(target func(*PumpOptions) *float64) func(*PumpOptions, string) error {
	return func(o *PumpOptions, value string) error {
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", value)
		}
		*target(o) = v
		return nil
	}
}

func text(target func(*PumpOptions) *string) func(*PumpOptions, string) error {
	return func(o *PumpOptions, value string) error {
		*target(o) = value
		return nil
	}
}

func choice(apply map[string]func(*PumpOptions)) func(*PumpOptions, string) error {
	return func(o *PumpOptions, value string) error {
		f, known := apply[value]
		if !known {
			return fmt.Errorf("%q: known %s", value, strings.Join(sortedKeys(apply), ", "))
		}
		f(o)
		return nil
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// settings is the table of everything that a pump description may hold.
func settings() []setting {
	return []setting{
		{"name", "name of the pump, a-z 0-9 and hyphen", text(func(o *PumpOptions) *string { return &o.Name })},
		{"model", "protocol: miva", text(func(o *PumpOptions) *string { return &o.Model })},
		{"serial", "serial number, 8 letters and digits beginning with SIM", text(func(o *PumpOptions) *string { return &o.Serial })},
		{"pretend", "yes allows a serial number that a real pump may have", choice(map[string]func(*PumpOptions){
			"yes": func(o *PumpOptions) { o.Pretend = true }, "no": func(o *PumpOptions) { o.Pretend = false },
		})},
		{"program", "name of the program, e.g. DAILY 1", text(func(o *PumpOptions) *string { return &o.Program })},
		{"drug", "drug; the pump says it only with form=long", text(func(o *PumpOptions) *string { return &o.Drug })},
		{"rate", "programmed rate, mL/h", number(func(o *PumpOptions) *float64 { return &o.Rate })},
		{"vtbi", "volume to be infused, mL", number(func(o *PumpOptions) *float64 { return &o.VTBI })},
		{"bag", "bag, mL; the pump then counts it down", number(func(o *PumpOptions) *float64 { return &o.Bag })},
		{"start", "running or stopped", choice(map[string]func(*PumpOptions){
			"running": func(o *PumpOptions) { o.Stopped = false }, "stopped": func(o *PumpOptions) { o.Stopped = true },
		})},
		{"link", "symbolic link to the pseudo-terminal", text(func(o *PumpOptions) *string { return &o.Link })},
		{"tcp", "host:port of a simulated serial server", text(func(o *PumpOptions) *string { return &o.TCP })},
		{"checksum", "sum or xor", choice(map[string]func(*PumpOptions){
			"sum": func(o *PumpOptions) { o.Front.Checksum = wire.Sum }, "xor": func(o *PumpOptions) { o.Front.Checksum = wire.XOR },
		})},
		{"firmware", "new or old (Q1, Q2 and dates instead of texts and seconds)", choice(map[string]func(*PumpOptions){
			"new": func(o *PumpOptions) { o.Front.OldFirmware = false }, "old": func(o *PumpOptions) { o.Front.OldFirmware = true },
		})},
		{"form", "short or long: records of a logged program, 2 or 16", choice(map[string]func(*PumpOptions){
			"short": func(o *PumpOptions) { o.Front.LongProgram = false }, "long": func(o *PumpOptions) { o.Front.LongProgram = true },
		})},
		{"platform", "answer to RM: 00 or 01; without it the pump gives none", text(func(o *PumpOptions) *string { return &o.Front.Platform })},
		{"logstart", "ring index of the first log record, 0 to 43263", integer(func(o *PumpOptions, n int) { o.Front.LogStart = uint32(n) })},
		{"logfill", "older log records, 0 to 43264", integer(func(o *PumpOptions, n int) { o.Front.LogFill = n })},
		{"kvo", "keep-vein-open rate after the end, mL/h; 0 stops", number(func(o *PumpOptions) *float64 { return &o.Physics.KVORate })},
		{"stroke", "volume of a stroke, mL", number(func(o *PumpOptions) *float64 { return &o.Physics.StrokeML })},
		{"resolution", "resolution of the volume counter, mL", number(func(o *PumpOptions) *float64 { return &o.Physics.CounterStepML })},
		{"compliance", "compliance of the line, mL/bar", number(func(o *PumpOptions) *float64 { return &o.Physics.ComplianceMLPerBar })},
		{"limit", "downstream occlusion limit, mbar", number(func(o *PumpOptions) *float64 { return &o.Physics.LimitMbar })},
		{"overfill", "mL in a bag beyond its label; 2 mL cannot be drawn out", number(func(o *PumpOptions) *float64 { return &o.Physics.OverfillML })},
		{"battery", "charge at start, percent", percent(func(o *PumpOptions) *float64 { return &o.Physics.StartupCharge })},
		{"drift", "drift of the pump's clock, ppm", number(func(o *PumpOptions) *float64 { return &o.Physics.ClockDriftPPM })},
		{"unattended", "paused so long raises the unattended alarm, e.g. 5m; 0s never", func(o *PumpOptions, value string) (err error) {
			o.Physics.UnattendedTime, err = time.ParseDuration(value)
			return err
		}},
	}
}

func integer(set func(*PumpOptions, int)) func(*PumpOptions, string) error {
	return func(o *PumpOptions, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > wire.RingSize {
			return fmt.Errorf("%q: known 0 to %d", value, wire.RingSize)
		}
		set(o, n)
		return nil
	}
}

func percent(target func(*PumpOptions) *float64) func(*PumpOptions, string) error {
	set := number(target)
	return func(o *PumpOptions, value string) error {
		if err := set(o, value); err != nil {
			return err
		}
		*target(o) /= 100
		return nil
	}
}

// PumpSettings returns one line of help for every key of a pump description.
func PumpSettings() []string {
	var lines []string
	for _, s := range settings() {
		lines = append(lines, fmt.Sprintf("%-11s %s", s.key, s.help))
	}
	return lines
}

// ParsePump reads a description like "name=blue,rate=1.11,vtbi=100,link=/run/blue". What is
// not said is as DefaultPump has it. The error names everything that is wrong.
func ParsePump(description string) (PumpOptions, error) {
	o := DefaultPump("")
	table := map[string]setting{}
	for _, s := range settings() {
		table[s.key] = s
	}
	var errs []error
	for part := range strings.SplitSeq(description, ",") {
		key, value, found := strings.Cut(strings.TrimSpace(part), "=")
		s, known := table[key]
		switch {
		case !found || !known:
			errs = append(errs, fmt.Errorf("%q: known key=value with %s", part, strings.Join(sortedKeys(table), ", ")))
		default:
			if err := s.set(&o, value); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", key, err))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return o, fmt.Errorf("pump %q: %w", description, err)
	}
	return o, o.validate()
}

var (
	nameForm   = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	serialForm = regexp.MustCompile(`^SIM[0-9A-Z]{5}$`)
)

// validate checks what no other part checks.
func (o *PumpOptions) validate() error {
	var errs []error
	if !nameForm.MatchString(o.Name) {
		errs = append(errs, fmt.Errorf("name %q: 1 to 32 of a-z, 0-9 and hyphen", o.Name))
	}
	if o.Model != "miva" {
		errs = append(errs, fmt.Errorf("model %q: known miva", o.Model))
	}
	if o.Serial != "" && !o.Pretend && !serialForm.MatchString(o.Serial) {
		errs = append(errs, fmt.Errorf("serial %q: SIM and five more of 0-9 and A-Z, or say pretend=yes", o.Serial))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("pump %q: %w", o.Name, err)
	}
	return nil
}
