package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrPump says that there is no pump of that name.
var ErrPump = errors.New("no such pump")

// Help returns one line for every command.
func Help() []string { return helpOf(commands()) }

// FaultHelp returns one line for every command that spoils a line: its devices, and its bytes.
func FaultHelp() (devices, bytes []string) { return helpOf(cable()), helpOf(wires()) }

func helpOf(table []command) []string {
	var lines []string
	for _, c := range table {
		lines = append(lines, fmt.Sprintf("%-62s %s", c.usage, c.help))
	}
	return lines
}

// Do does one command of infusim, e.g. Do("blue", "occlude in=10s"). The error is
// ErrPump, ErrCommand, which lists what is known, or what the pump itself refuses.
func (f *fleet) Do(pumpName, text string) error {
	return f.with(pumpName, func(p *pump) error {
		c, a, err := parseCommand(text)
		if err != nil {
			return err
		}
		if err := c.act(p, a); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		p.log.Info("command done", "command", text)
		if f.truth != nil {
			f.truth.write(p, "command", text)
		}
		return nil
	})
}

func parseCommand(text string) (command, arguments, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return command{}, arguments{}, fmt.Errorf("%w: nothing to do, known %s", ErrCommand, knownCommands())
	}
	table := commands()
	i := slices.IndexFunc(table, func(c command) bool { return c.name == words[0] })
	if i < 0 {
		return command{}, arguments{}, fmt.Errorf("%w: %q, known %s", ErrCommand, words[0], knownCommands())
	}
	c := table[i]
	a := arguments{keys: map[string]string{}}
	for _, w := range words[1:] {
		key, value, found := strings.Cut(w, "=")
		switch {
		case !found:
			a.values = append(a.values, w)
		case slices.Contains(c.args, key):
			a.keys[key] = value
		default:
			return c, a, fmt.Errorf("%w: %q, usage: %s", ErrCommand, w, c.usage)
		}
	}
	if len(a.values) < c.positions || len(a.values) > c.most {
		return c, a, fmt.Errorf("%w: %d values, usage: %s", ErrCommand, len(a.values), c.usage)
	}
	return c, a, nil
}

// CheckCommand says whether a text is a command that Do understands; what a pump refuses shows only when it is done.
func CheckCommand(text string) error {
	_, _, err := parseCommand(text)
	return err
}

func knownCommands() string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}
