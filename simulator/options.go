package simulator

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"infusiond/simulator/pumpmodel"
)

// PumpOptions describes one simulated pump. Start from DefaultPump, PumpOf or ParsePump.
type PumpOptions struct {
	Name    string // [a-z0-9-]{1,32}
	Model   string // the protocol; Models lists them
	Serial  string // in a simulator's form unless Pretend; empty: numbered
	Pretend bool   // allow a serial number that a real pump may have
	Line    string // pumps with one Line, Link or TCP share it; empty: a line of its own
	Address string // on a line of several pumps; empty: the next free one
	Program string // e.g. "DAILY 1"
	Drug    string // said by the pump only where its protocol can
	Rate    float64
	VTBI    float64
	Bag     float64 // label volume mL; 0: no reservoir count
	Stopped bool    // true: switched on but not started
	Link    string  // symbolic link to the pseudo-terminal; empty with TCP: none
	TCP     string  // host:port on which a serial server is simulated
	Baud    int     // 0: the protocol's usual speed
	// Settings are the keys of the protocol, as in a description. What one pump of a line says
	// holds for the line.
	Settings map[string]string
	Physics  pumpmodel.Config
}

// DefaultPump returns a running MIVA, 1.11 mL/h of 100 mL, with strokes and
// counter of 0.01 mL, as the protocol prints volumes.
func DefaultPump(name string) PumpOptions { return pumpOf(&protocols()[0], name) }

// PumpOf returns a running pump of a model with the resolutions of its protocol.
func PumpOf(model, name string) (PumpOptions, error) {
	p, err := protocolOf(model)
	if err != nil {
		return PumpOptions{}, err
	}
	return pumpOf(p, name), nil
}

func pumpOf(p *protocol, name string) PumpOptions {
	o := PumpOptions{Name: name, Model: p.Protocol, Program: "DAILY 1", VTBI: 100, Physics: p.Physics()}
	o.Rate = o.possible(1.11)
	return o
}

// possible returns the rate that can be programmed on this pump and is nearest to rate.
func (o *PumpOptions) possible(rate float64) float64 {
	return math.Round(math.Round(rate/o.Physics.RateStep)*o.Physics.RateStep*1e6) / 1e6
}

// ParsePump reads a description like "name=blue,rate=1.11,vtbi=100,link=/run/blue". What is
// not said is as PumpOf has it. The error names everything that is wrong.
func ParsePump(description string) (PumpOptions, error) {
	parts := strings.Split(description, ",")
	p := &protocols()[0]
	for _, part := range parts {
		if model, given := strings.CutPrefix(strings.TrimSpace(part), "model="); given {
			var err error
			if p, err = protocolOf(model); err != nil {
				return PumpOptions{}, fmt.Errorf("pump %q: %w", description, err)
			}
		}
	}
	o := pumpOf(p, "")
	table := map[string]setting{}
	for _, s := range settings() {
		table[s.key] = s
	}
	var errs []error
	for _, part := range parts {
		key, value, found := strings.Cut(strings.TrimSpace(part), "=")
		s, common := table[key]
		switch {
		case found && common:
			if err := s.set(&o, value); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", key, err))
			}
		case found && p.knows(key):
			if o.Settings == nil {
				o.Settings = map[string]string{}
			}
			o.Settings[key] = value
		default:
			errs = append(errs, unknownKey(part, key, p, sortedKeys(table)))
		}
	}
	_, err := p.prepare(o.Settings)
	if err := errors.Join(append(errs, err)...); err != nil {
		return o, fmt.Errorf("pump %q: %w", description, err)
	}
	return o, o.validate()
}

// unknownKey says what is known in place of part.
func unknownKey(part, key string, p *protocol, common []string) error {
	for _, other := range protocols() {
		if other.Protocol != p.Protocol && other.knows(key) {
			return fmt.Errorf("%q: %s is a key of model=%s; this pump speaks %s, whose own keys are %s",
				part, key, other.Protocol, p.Protocol, strings.Join(p.keyNames(), ", "))
		}
	}
	return fmt.Errorf("%q: known key=value with %s, and for model=%s %s", part, strings.Join(common, ", "), p.Protocol, strings.Join(p.keyNames(), ", "))
}

var nameForm = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// validate checks what no other part checks.
func (o *PumpOptions) validate() error {
	var errs []error
	if !nameForm.MatchString(o.Name) {
		errs = append(errs, fmt.Errorf("name %q: 1 to 32 of a-z, 0-9 and hyphen", o.Name))
	}
	p, err := protocolOf(o.Model)
	if err != nil {
		return fmt.Errorf("pump %q: %w", o.Name, errors.Join(append(errs, err)...))
	}
	_, err = p.prepare(o.Settings)
	errs = append(errs, err, p.checkSerial(o.Serial, o.Pretend))
	if o.Address != "" && p.address == nil {
		errs = append(errs, fmt.Errorf("address %q: a %s is alone on its line and has none", o.Address, o.Model))
	}
	if o.Baud != 0 && !slices.Contains(bauds, o.Baud) {
		errs = append(errs, fmt.Errorf("baud %d: known %v", o.Baud, bauds))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("pump %q: %w", o.Name, err)
	}
	return nil
}

// bauds are the speeds of serial lines.
var bauds = []int{300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200}

func (p *protocol) checkSerial(serial string, pretend bool) error {
	switch {
	case serial == "" || p.serials != nil && (pretend || p.serials.MatchString(serial)):
		return nil
	case p.serials == nil:
		return fmt.Errorf("serial %q: the protocol of a %s has no serial numbers", serial, p.Protocol)
	}
	return fmt.Errorf("serial %q: a simulated %s has one like %s (%s), or say pretend=yes", serial, p.Protocol, p.serial(1), p.serials)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
