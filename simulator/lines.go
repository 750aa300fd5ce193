package simulator

import (
	"errors"
	"fmt"
	"slices"
)

// lineOptions is one line with the pumps on it.
type lineOptions struct {
	name      string
	protocol  *protocol
	link, tcp string
	baud      int
	settings  map[string]string
	pumps     []PumpOptions
}

// lines puts the pumps on their lines, in the order in which the lines are first named, and numbers what
// has no serial number or address. The error names everything that is wrong.
func lines(pumps []PumpOptions) ([]*lineOptions, error) {
	if len(pumps) == 0 {
		return nil, errors.New("no pump: at least one is needed")
	}
	var list []*lineOptions
	var errs []error
	names := map[string]bool{}
	for i, o := range pumps {
		if err := o.validate(); err != nil {
			errs = append(errs, err)
			continue
		}
		if names[o.Name] {
			errs = append(errs, fmt.Errorf("two pumps are named %q", o.Name))
			continue
		}
		names[o.Name] = true
		l := find(list, &o)
		if l == nil {
			p, err := protocolOf(o.Model)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			l = &lineOptions{protocol: p, settings: map[string]string{}}
			list = append(list, l)
		}
		if o.Serial == "" && l.protocol.serials != nil {
			o.Serial = l.protocol.serial(i + 1)
		}
		if err := l.add(o); err != nil {
			errs = append(errs, fmt.Errorf("pump %q: %w", o.Name, err))
		}
	}
	for _, l := range list {
		errs = append(errs, l.number())
	}
	return list, errors.Join(errs...)
}

// find returns the line that o shares, nil when it is the first on it.
func find(list []*lineOptions, o *PumpOptions) *lineOptions {
	i := slices.IndexFunc(list, func(l *lineOptions) bool {
		return o.Line != "" && o.Line == l.name || o.Link != "" && o.Link == l.link || o.TCP != "" && o.TCP == l.tcp && !anyPort(o.TCP)
	})
	if i < 0 {
		return nil
	}
	return list[i]
}

// anyPort says whether an address asks for any free port: two pumps that say so share nothing.
func anyPort(address string) bool { return len(address) > 2 && address[len(address)-2:] == ":0" }

// add puts one more pump on the line. What several pumps say of it must agree.
func (l *lineOptions) add(o PumpOptions) error {
	if len(l.pumps) > 0 && l.protocol.address == nil {
		return fmt.Errorf("%s: a %s is alone on its line", l.describe(), l.protocol.Protocol)
	}
	if o.Model != l.protocol.Protocol {
		return fmt.Errorf("%s: its pumps speak %s, this one %s", l.describe(), l.protocol.Protocol, o.Model)
	}
	var errs []error
	agree := func(what string, of *string, with string) {
		if *of != "" && with != "" && *of != with {
			errs = append(errs, fmt.Errorf("%s: %s=%s and %s=%s", l.describe(), what, *of, what, with))
		} else if with != "" {
			*of = with
		}
	}
	agree("line", &l.name, o.Line)
	agree("link", &l.link, o.Link)
	agree("tcp", &l.tcp, o.TCP)
	if l.baud != 0 && o.Baud != 0 && l.baud != o.Baud {
		errs = append(errs, fmt.Errorf("%s: baud=%d and baud=%d", l.describe(), l.baud, o.Baud))
	} else if o.Baud != 0 {
		l.baud = o.Baud
	}
	for _, k := range sortedKeys(o.Settings) {
		if l.protocol.own(k) {
			continue
		}
		value := l.settings[k]
		agree(k, &value, o.Settings[k])
		l.settings[k] = value
	}
	l.pumps = append(l.pumps, o)
	return errors.Join(errs...)
}

func (l *lineOptions) describe() string {
	switch {
	case l.name != "":
		return "line " + l.name
	case l.link != "":
		return "line " + l.link
	case l.tcp != "":
		return "line " + l.tcp
	case len(l.pumps) > 0:
		return "line of " + l.pumps[0].Name
	}
	return "line"
}

// number gives an address to every pump that says none, and finds those of two pumps.
func (l *lineOptions) number() error {
	if l.baud == 0 {
		l.baud = l.protocol.Baud
	}
	if l.protocol.address == nil {
		return nil
	}
	taken := map[string]string{}
	var errs []error
	for _, o := range l.pumps {
		if other, twice := taken[o.Address]; twice && o.Address != "" {
			errs = append(errs, fmt.Errorf("%s: pumps %q and %q have address %s", l.describe(), other, o.Name, o.Address))
		}
		taken[o.Address] = o.Name
	}
	next := 0
	for i := range l.pumps {
		o := &l.pumps[i]
		for o.Address == "" {
			a := l.protocol.address(next)
			if next++; a == "" {
				return errors.Join(append(errs, fmt.Errorf("%s: %d pumps: a line of %s has place for %d", l.describe(), len(l.pumps), l.protocol.Protocol, next-1))...)
			}
			if _, used := taken[a]; !used {
				o.Address, taken[a] = a, o.Name
			}
		}
	}
	return errors.Join(errs...)
}
