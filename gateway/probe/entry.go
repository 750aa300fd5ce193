//go:build linux

package probe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"infusiond/drivers"
)

// add notes a pump that answered, once.
func (a *Attempt) add(o Options, profile drivers.Profile, r drivers.Report) {
	p := Pump{
		Address: r.Address, Model: strings.TrimSpace(r.Identity.Model), Serial: strings.TrimSpace(r.Identity.Serial), Firmware: strings.TrimSpace(r.Identity.Firmware),
	}
	if slices.ContainsFunc(a.Pumps, func(q Pump) bool { return q.Address == p.Address && q.Serial == p.Serial }) {
		return
	}
	p.Simulator = profile.Identity == drivers.IdentityWeak || profile.SimulatorSerials != nil && profile.SimulatorSerials.MatchString(p.Serial)
	p.Entry = entry(o.Address, a, profile, p)
	a.Pumps = append(a.Pumps, p)
}

// entry is the pump's element of pumps, as the configuration wants it.
func entry(port string, a *Attempt, profile drivers.Profile, p Pump) string {
	var b strings.Builder
	line := func(format string, v ...any) { fmt.Fprintf(&b, format+"\n", v...) }
	if p.Simulator {
		line("# for a gateway with simulated: true")
	}
	line("- name: %s # choose one that people know", name(p))
	line("  port: %s", strconv.Quote(port))
	if profile.SeveralPumps && p.Address != "" {
		line("  address: %s", strconv.Quote(p.Address))
	}
	line("  driver: %s", a.Protocol)
	if len(a.Settings) > 0 {
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(a.Settings)) {
			pairs = append(pairs, key+": "+strconv.Quote(a.Settings[key]))
		}
		line("  settings: {%s}", strings.Join(pairs, ", "))
	}
	if profile.Identity == drivers.IdentityStrong {
		line("  serial: %s", strconv.Quote(p.Serial))
	}
	return b.String()
}

// name makes a name of the form [a-z0-9-]{1,32} from what a pump says of itself.
func name(p Pump) string {
	text := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, cmp.Or(p.Serial, p.Address))
	text = "pump-" + cmp.Or(text, "1")
	return text[:min(len(text), 32)]
}

// Select turns the words of a command line into names of protocols. "all" stands for those
// whose queries have no side effect; the others have to be named. It returns which ones "all" leaves out, and why.
func Select(words []string, table map[string]func(map[string]string) (drivers.Driver, error)) (names []string, left map[string]string, err error) {
	known := slices.Sorted(maps.Keys(table))
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	left = map[string]string{}
	for _, word := range words {
		if word != "all" {
			if table[word] == nil {
				return nil, nil, fmt.Errorf("protocol %q is not known; known are %s and all", word, strings.Join(known, ", "))
			}
			add(word)
			continue
		}
		for _, name := range known {
			d, err := table[name](nil)
			if err != nil {
				return nil, nil, fmt.Errorf("driver %s: %w", name, err)
			}
			if effect := sideEffect(d.Profile()); effect != "" {
				left[name] = effect
				continue
			}
			add(name)
		}
	}
	for _, name := range names {
		delete(left, name)
	}
	if len(names) == 0 {
		return nil, nil, fmt.Errorf("no protocol is named; known are %s and all", strings.Join(known, ", "))
	}
	return names, left, nil
}

// sideEffect is the first side effect of a protocol's queries.
func sideEffect(p drivers.Profile) string {
	for _, q := range p.Allow {
		if q.SideEffect != "" {
			return q.SideEffect
		}
	}
	return ""
}
