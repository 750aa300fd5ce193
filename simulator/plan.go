package simulator

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
)

// PlanHelp describes what ParsePlan reads.
const PlanHelp = "MODEL:PUMPS[@PUMPS_PER_LINE],..., e.g. miva:16,bcc:16@4,newera:8@8"

// ParsePlan reads a plan for many pumps: how many of each model, and how many on a line where the
// protocol carries several. The pumps are named miva-01, miva-02 and so on, their rates differ. Their lines
// are pseudo-terminals in folder, miva-01, bcc-line-1, or, when tcp is given as host:port, serial servers on
// ports from there on.
func ParsePlan(plan, folder, tcp string) ([]PumpOptions, error) {
	var pumps []PumpOptions
	at, err := newPlaces(folder, tcp)
	if err != nil {
		return nil, err
	}
	begun := map[string]int{}
	for part := range strings.SplitSeq(plan, ",") {
		model, rest, _ := strings.Cut(strings.TrimSpace(part), ":")
		count, perLine, several := strings.Cut(rest, "@")
		p, err := protocolOf(model)
		if err != nil {
			return nil, fmt.Errorf("plan %q: %w; usage: %s", part, err, PlanHelp)
		}
		n, errN := strconv.Atoi(count)
		each := 1
		if several {
			each, err = strconv.Atoi(perLine)
		}
		switch {
		case errN != nil || err != nil || n < 1 || n > 1000 || each < 1:
			return nil, fmt.Errorf("plan %q: usage: %s, 1 to 1000 of each", part, PlanHelp)
		case each > 1 && p.address == nil:
			return nil, fmt.Errorf("plan %q: a %s is alone on its line", part, model)
		}
		for i := range n {
			pumps = append(pumps, planned(p, begun[model]+i, i, each, at))
		}
		begun[model] += n
	}
	return pumps, nil
}

// places gives lines their addresses.
type places struct {
	folder, host string
	port, lines  int
	of           map[string]int // lines by model
	name         string         // of the last line
}

func newPlaces(folder, tcp string) (*places, error) {
	at := &places{folder: folder, of: map[string]int{}}
	if tcp == "" {
		return at, nil
	}
	host, port, err := net.SplitHostPort(tcp)
	if err == nil {
		at.host = host
		at.port, err = strconv.Atoi(port)
	}
	if err != nil {
		return nil, fmt.Errorf("address %q: known host:port of the first line: %w", tcp, err)
	}
	return at, nil
}

// next goes on to another line of that name.
func (at *places) next(name string) {
	at.lines++
	at.name = name
}

// put puts a pump on the line.
func (at *places) put(o *PumpOptions) {
	if at.host == "" {
		o.Link = filepath.Join(at.folder, at.name)
		return
	}
	port := at.port
	if port != 0 {
		port += at.lines - 1
	}
	o.TCP = net.JoinHostPort(at.host, strconv.Itoa(port))
}

// Place gives pumps that name no line one each, as ParsePlan does.
func Place(pumps []PumpOptions, folder, tcp string) error {
	at, err := newPlaces(folder, tcp)
	if err != nil {
		return err
	}
	for i := range pumps {
		if o := &pumps[i]; o.Link == "" && o.TCP == "" && o.Line == "" {
			at.next(o.Name)
			at.put(o)
		}
	}
	return nil
}

// planned is the pump number i of its model and number k of its part of the plan.
func planned(p *protocol, i, k, each int, at *places) PumpOptions {
	rates := []float64{1.11, 2.22, 5, 0.5, 10.5, 1.7, 3.3}
	o := pumpOf(p, fmt.Sprintf("%s-%02d", p.Protocol, i+1))
	o.Rate = o.possible(rates[i%len(rates)])
	if k%each == 0 {
		at.of[p.Protocol]++
		name := o.Name
		if each > 1 {
			name = fmt.Sprintf("%s-line-%d", p.Protocol, at.of[p.Protocol])
		}
		at.next(name)
	}
	if each > 1 {
		o.Line = at.name
	}
	at.put(&o)
	return o
}
