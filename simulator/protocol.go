package simulator

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"infusiond/simulator/front"
)

// protocol is one row of the table in rows.go.
type protocol struct {
	front.Info
	serials *regexp.Regexp     // serial numbers of simulators; nil: the protocol has none
	serial  func(n int) string // of the pump number n, from 1
	address func(i int) string // of the pump number i of a line, from 0; empty beyond the last; nil: one pump a line
	keys    []keyHelp
	prepare func(settings map[string]string) (builder, error)
}

// builder makes a front for the pumps of a line. now is the time on the wire.
type builder func(members []front.Member, now func() time.Duration) (front.Front, error)

type keyHelp struct {
	name, help string
	own        bool // of each pump, not of the line
}

// key is one setting of a protocol whose front has options of type O: of the line, or of one pump of it.
type key[O any] struct {
	name, help string
	set        func(o *O, value string) error
	setOwn     func(o *O, address, value string) error // in place of set
}

// settingOf names the setting of one pump among those of its line.
func settingOf(name, address string) string { return name + "@" + address }

// settled joins a protocol's keys and its front's constructor.
func (p protocol) settled(keys []keyHelp, prepare func(map[string]string) (builder, error)) protocol {
	p.keys, p.prepare = keys, prepare
	return p
}

// with returns the keys of a protocol as help, and what reads their values.
func with[O any](keys []key[O], build func(o O, m []front.Member, now func() time.Duration) (front.Front, error)) ([]keyHelp, func(map[string]string) (builder, error)) {
	var list []keyHelp
	for _, k := range keys {
		list = append(list, keyHelp{k.name, k.help, k.setOwn != nil})
	}
	return list, func(settings map[string]string) (builder, error) {
		var o O
		var errs []error
		for _, name := range sortedKeys(settings) {
			key, address, _ := strings.Cut(name, "@")
			if err := apply(keys, &o, key, address, settings[name]); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", key, err))
			}
		}
		return func(m []front.Member, now func() time.Duration) (front.Front, error) { return build(o, m, now) }, errors.Join(errs...)
	}
}

func apply[O any](keys []key[O], o *O, name, address, value string) error {
	for _, k := range keys {
		switch {
		case k.name != name:
		case k.setOwn != nil:
			return k.setOwn(o, address, value)
		default:
			return k.set(o, value)
		}
	}
	return fmt.Errorf("%q is not known", name)
}

// choose makes a setter out of the values that a key can have.
func choose[O any](apply map[string]func(*O)) func(*O, string) error {
	return func(o *O, value string) error {
		f, known := apply[value]
		if !known {
			return fmt.Errorf("%q: known %s", value, strings.Join(sortedKeys(apply), ", "))
		}
		f(o)
		return nil
	}
}

func (p *protocol) knows(name string) bool {
	return slices.ContainsFunc(p.keys, func(k keyHelp) bool { return k.name == name })
}

// own says whether a setting is of each pump, not of the line.
func (p *protocol) own(name string) bool {
	return slices.ContainsFunc(p.keys, func(k keyHelp) bool { return k.name == name && k.own })
}

func (p *protocol) keyNames() []string {
	var names []string
	for _, k := range p.keys {
		names = append(names, k.name)
	}
	return names
}

// Models returns what every simulated protocol is like, in the order of the table.
func Models() []front.Info {
	var list []front.Info
	for _, p := range protocols() {
		list = append(list, p.Info)
	}
	return list
}

// SerialOf returns the serial number of a simulated pump number n, from 1, of a protocol; empty where it has none.
func SerialOf(protocol string, n int) string {
	if p, err := protocolOf(protocol); err == nil && p.serial != nil {
		return p.serial(n)
	}
	return ""
}

func modelNames() string {
	var names []string
	for _, p := range protocols() {
		names = append(names, p.Protocol)
	}
	return strings.Join(names, ", ")
}

func protocolOf(name string) (*protocol, error) {
	for _, p := range protocols() {
		if p.Protocol == name {
			return &p, nil
		}
	}
	return nil, fmt.Errorf("model %q: known %s", name, modelNames())
}

// numbered puts n into the digits at the end of a serial number's form, "SIM00000".
func numbered(form string) func(n int) string {
	stem := strings.TrimRight(form, "0123456789")
	return func(n int) string { return fmt.Sprintf("%s%0*d", stem, len(form)-len(stem), n) }
}
