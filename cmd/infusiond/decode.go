package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"infusiond/drivers"
	"infusiond/gateway/capture"
)

type decodeCommand struct {
	Input    []string          `arg:"" name:"file-or-hex" help:"A file that run --capture wrote (- for standard input), or with --driver bytes in hex."`
	Driver   string            `placeholder:"NAME" help:"The protocol. A capture names its own."`
	Settings map[string]string `aliases:"setting" placeholder:"KEY=VALUE" mapsep:"," help:"Settings of the driver, as in the configuration."`
	From     string            `enum:"pump,host" default:"pump" help:"Who sent the bytes in hex: pump or host."`
	JSON     bool              `name:"json" help:"Print JSON."`
}

// Run explains bytes field by field.
func (d *decodeCommand) Run(_ context.Context, out io.Writer) (err error) {
	p := printer(&tablePrinter{out: out})
	if d.JSON {
		p = &jsonPrinter{out: out}
	}
	r := capture.Reader{Driver: d.explainer, Show: p.show}
	if d.Driver != "" {
		if r.Explainer, err = d.explainer(d.Driver); err != nil {
			return usageError{fmt.Errorf("decode: %w", err)}
		}
	}
	name := strings.Join(d.Input, " ")
	if data, is, err := d.hex(name); err != nil {
		return usageError{fmt.Errorf("decode: %w", err)}
	} else if is {
		direction := map[string]drivers.Direction{"pump": drivers.FromPump, "host": drivers.ToPump}[d.From]
		for _, f := range capture.Explain(r.Explainer, direction, data) {
			if err := p.show(capture.Frame{Direction: direction, Explained: f}); err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
		return p.end()
	}
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fileError{fmt.Errorf("decode: %w", err)}
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in = f
	}
	if err := errors.Join(r.Read(in), p.end()); err != nil {
		return fileError{fmt.Errorf("decode %s: %w", name, err)}
	}
	return nil
}

// explainer is the part of a driver that explains bytes.
func (d *decodeCommand) explainer(name string) (drivers.Explainer, error) {
	build, known := table()[name]
	if !known {
		return nil, fmt.Errorf("driver %q is not known; known are %s", name, strings.Join(table().Names(), ", "))
	}
	driver, err := build(d.Settings)
	if err != nil {
		return nil, fmt.Errorf("settings of %s: %w", name, err)
	}
	e, can := driver.(drivers.Explainer)
	if !can {
		return nil, fmt.Errorf("driver %s cannot explain its bytes yet", name)
	}
	return e, nil
}

// hex reads the argument as bytes, when it is no file.
func (d *decodeCommand) hex(text string) (data []byte, is bool, err error) {
	if text == "-" {
		return nil, false, nil
	}
	if _, err := os.Stat(text); err == nil {
		return nil, false, nil
	}
	bare := strings.NewReplacer(" ", "", ":", "", "\n", "", "\t", "").Replace(strings.TrimPrefix(text, "0x"))
	data, wrong := hex.DecodeString(bare)
	switch {
	case d.Driver == "" && wrong == nil && bare != "":
		return nil, false, errors.New("bytes in hex need --driver: " + strings.Join(table().Names(), ", "))
	case d.Driver == "":
		return nil, false, nil // opening the file says why not
	case wrong != nil:
		return nil, false, fmt.Errorf("%.40q is neither a file nor bytes in hex: %w", text, wrong)
	case len(data) == 0:
		return nil, false, errors.New("no bytes are given")
	}
	return data, true, nil
}

// printer shows frames.
type printer interface {
	show(capture.Frame) error
	end() error
}

func arrow(f capture.Frame) string {
	switch {
	case f.Discarded:
		return "x"
	case f.Direction == drivers.ToPump:
		return ">"
	}
	return "<"
}

type tablePrinter struct{ out io.Writer }

func (p *tablePrinter) show(f capture.Frame) error {
	name := f.Name
	if f.Err != nil {
		name = strings.TrimSpace("no frame: " + f.Err.Error() + " " + f.Name)
	}
	if f.Discarded {
		name = "discarded unread: " + name
	}
	if _, err := fmt.Fprintf(p.out, "%s%s %d bytes  %s\n    %s\n", stamp(f), arrow(f), len(f.Bytes), printable(name), hex.EncodeToString(f.Bytes)); err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.out, 0, 4, 2, ' ', 0)
	for _, field := range f.Fields {
		value := field.Value
		if value == "" {
			value = "-"
		}
		row := fmt.Sprintf("    %d\t%d\t%s\t%s", field.Offset, field.Length, printable(field.Name), printable(value))
		if field.Note != "" {
			row += "\t" + printable(field.Note)
		}
		if _, err := fmt.Fprintln(w, row); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (p *tablePrinter) end() error { return nil }

func stamp(f capture.Frame) string {
	if f.Time == "" {
		return ""
	}
	return f.Time + " "
}

// printable keeps what a pump sent from moving the cursor of a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '·'
		}
		return r
	}, text)
}

// jsonFrame is a frame as JSON.
type jsonFrame struct {
	Line      int         `json:"line,omitzero"`
	TimeS     json.Number `json:"time_s,omitzero"`
	Direction string      `json:"direction"` // from_pump | to_pump
	Discarded bool        `json:"discarded,omitzero"`
	Offset    int         `json:"offset"`
	Hex       string      `json:"hex"`
	Name      string      `json:"name,omitzero"`
	Error     string      `json:"error,omitzero"`
	Fields    []jsonField `json:"fields,omitzero"`
}

type jsonField struct {
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	Name   string `json:"name"`
	Value  string `json:"value,omitzero"` // absent: it says that it has none
	Note   string `json:"note,omitzero"`
}

// jsonPrinter prints one array, element by element: a capture may be long.
type jsonPrinter struct {
	out io.Writer
	n   int
}

func (p *jsonPrinter) show(f capture.Frame) error {
	j := jsonFrame{Line: f.Line, Direction: "from_pump", Discarded: f.Discarded, Offset: f.Offset, Hex: hex.EncodeToString(f.Bytes), Name: f.Name}
	if whole, fraction, _ := strings.Cut(f.Time, "."); f.Time != "" {
		whole = strings.TrimLeft(whole, "0")
		j.TimeS = json.Number(strings.TrimSuffix(cmp.Or(whole, "0")+"."+fraction, "."))
	}
	if f.Direction == drivers.ToPump {
		j.Direction = "to_pump"
	}
	if f.Err != nil {
		j.Error = f.Err.Error()
	}
	for _, field := range f.Fields {
		j.Fields = append(j.Fields, jsonField{field.Offset, field.Length, field.Name, field.Value, field.Note})
	}
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	before := ",\n"
	if p.n == 0 {
		before = "[\n"
	}
	p.n++
	_, err = fmt.Fprintf(p.out, "%s%s", before, text)
	return err
}

func (p *jsonPrinter) end() error {
	text := "\n]\n"
	if p.n == 0 {
		text = "[]\n"
	}
	_, err := io.WriteString(p.out, text)
	return err
}
