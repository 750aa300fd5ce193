package bcc

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/exchange"
)

// Explain implements drivers.Explainer. Identifiers of people are shown neither as values nor among the bytes.
func (d *Driver) Explain(direction drivers.Direction, b []byte) []drivers.Explained {
	return exchange.Split(b, span, func(frame []byte) drivers.Explained {
		e := d.explain(direction, frame)
		e.Bytes = d.masked(frame)
		return e
	})
}

// span finds the first frame, or a single ACK or NAK.
func span(b []byte) (start, end int) {
	for start = range b {
		switch b[start] {
		case wire.ACK, wire.NAK:
			return start, start + 1
		case wire.SOH:
			if n := bytes.IndexByte(b[start:], wire.EOT); n >= 0 && bytes.IndexByte(b[start+1:start+n], wire.SOH) < 0 {
				return start, start + n + 1
			}
		}
	}
	return len(b), len(b)
}

func (d *Driver) explain(direction drivers.Direction, frame []byte) drivers.Explained {
	switch frame[0] {
	case wire.ACK:
		return drivers.Explained{Name: "ACK: send the next block"}
	case wire.NAK:
		return drivers.Explained{Name: "NAK: repeat the last block"}
	}
	var b wire.Block
	plain, err := wire.DecodeFrame(frame, nil, d.stuffed, &b)
	if err != nil {
		return drivers.Explained{Name: "damaged frame", Err: fmt.Errorf("%w: %w", cause(errors.Unwrap(err)), err)}
	}
	x := explanation{at: d.places(frame), plain: plain}
	x.field(1, 6, "length", "whole frame, before stuffing")
	address := 7 + len(b.Address)
	x.field(7, address, "address", "bed id and /1/1")
	information := address + 1
	if direction == drivers.ToPump {
		x.request(information, &b)
	} else {
		x.records(information, &b)
	}
	x.field(len(plain)-6, len(plain)-1, "check", "sum of the bytes before it, modulo 256")
	return x.Explained
}

// explanation is the explanation of one good frame while it grows.
type explanation struct {
	drivers.Explained
	at    []int // where each plain byte begins on the wire
	plain []byte
}

// places tells where each plain byte of a frame begins on the wire, and where the last one ends.
func (d *Driver) places(frame []byte) []int {
	at := make([]int, 0, len(frame)+1)
	for i := 0; i < len(frame); i++ {
		at = append(at, i)
		if d.stuffed && (frame[i] == 'E' || frame[i] == 'e') {
			i++
		}
	}
	return append(at, len(frame))
}

// field adds a field that reads from one plain byte to another.
func (x *explanation) field(from, to int, name, note string) {
	x.add(from, to, name, exchange.Text(x.plain[from:to]), note)
}

func (x *explanation) add(from, to int, name, value, note string) {
	x.Fields = append(x.Fields, drivers.ExplainedField{Offset: x.at[from], Length: x.at[to] - x.at[from], Name: name, Value: value, Note: note})
}

func (x *explanation) request(from int, b *wire.Block) {
	request := string(b.Information)
	x.Name = "request " + exchange.Text(b.Information)
	slot, ofSlot := strings.CutPrefix(request, wire.RequestSlot)
	known := slices.Contains([]string{wire.RequestAlive, wire.RequestVersion, wire.RequestAll}, request) || ofSlot && wire.ValidSlot(slot)
	if !known {
		x.Err = fmt.Errorf("no request of the protocol: %w", drivers.ErrForbidden)
	}
	x.field(from, from+len(request), "request", "")
}

func (x *explanation) records(from int, b *wire.Block) {
	x.Name = "block, more follow"
	if b.Last {
		x.Name = "last block"
	}
	records := b.Records()
	var r wire.Record
	for at := from; ; {
		ok, err := records.Next(&r)
		if err != nil {
			x.Err = fmt.Errorf("%w: %w", drivers.ErrMalformed, err)
			return
		}
		if !ok {
			return
		}
		end := at
		for end < from+len(b.Information) && x.plain[end] != wire.RS {
			end++
		}
		x.record(at, end, &r)
		at = end + 1
	}
}

// record explains one record: its parameter's name, value and meaning.
func (x *explanation) record(from, to int, r *wire.Record) {
	raw := exchange.Text(r.Parameter)
	name, known := longNames[raw]
	note := fmt.Sprintf("%s of %s at %d s", raw, r.Address, r.Time)
	value := exchange.Text(r.Value)
	switch {
	case !r.HasValue:
		name, value = "version", raw
	case !known && flagNumber(r.Parameter) > 0:
		name = "alarm_flag_" + raw[len("INA"):]
	case !known:
		name = strings.ToLower(raw)
	}
	switch {
	case slices.Contains(private, raw):
		value, note = "(not shown)", note+", identifies a person"
	case r.HasValue && absent(r.Value):
		note += fmt.Sprintf(": %q is no value", r.Value)
		value = ""
	default:
		if m := meaning(raw, r.Value); m != "" {
			note += ": " + m
		}
	}
	x.add(from, to, name, value, note)
}

// private are the parameters that identify people. A poll does not read them.
var private = []string{"PATID", "PATIDBADGE", "PATIDDRUG", "NURSEID"}

// masked returns a frame with stars for the values of private parameters, in frames that are damaged, too.
func (d *Driver) masked(frame []byte) []byte {
	out := frame
	for _, name := range private {
		sought := []byte("," + name + ",")
		if d.stuffed {
			sought = wire.AppendStuffed(nil, sought)
		}
		for at := 0; ; {
			n := bytes.Index(out[at:], sought)
			if n < 0 {
				break
			}
			if &out[0] == &frame[0] {
				out = bytes.Clone(frame)
			}
			for at += n + len(sought); at < len(out) && out[at] >= 0x20; at++ {
				out[at] = '*'
			}
		}
	}
	return out
}

// runNames are the bits of RUNSTATE.
var runNames = [runBits]string{"stop", "run", "alarm", "KVO", "menu", "pre-alarm"}

// meaning explains the value of a parameter in words; empty when it speaks for itself.
func meaning(parameter string, value []byte) string {
	text := strings.TrimSpace(string(value))
	var v values
	switch p, known := parameterByName[parameter]; {
	case flagNumber([]byte(parameter)) > 0:
		return lookup(parameter).Text
	case parameter == "GNERR":
		return codeError(text).Error()
	case !known:
		return ""
	case p == opMode:
		return modes[text]
	case p == gnModel, p == gnNew:
		return kindOf(text).words
	case p == inDConU, p == doRtU:
		if unit, ok := units[text]; ok {
			return unit.String()
		}
	case p == runState:
		v.of[p] = value
		var set []string
		for n, name := range runNames {
			if runBit(&v, n) == drivers.Yes {
				set = append(set, name)
			}
		}
		return strings.Join(set, ", ")
	case p == alarm1, p == alarm2, p == preAlarm, p == status1:
		v.of[p] = value
		w, _ := word(&v, p)
		var set []string
		for n := range 32 {
			switch {
			case w>>n&1 == 0:
			case p == status1:
				set = append(set, statusName(n))
			default:
				set = append(set, lookup(wordCodes[p][n]).Text)
			}
		}
		return strings.Join(set, ", ")
	}
	return ""
}

// statusNames are the bits of STATUS1 (section 5.4).
var statusNames = [...]string{
	0: "on", 1: "mains", 2: "standby", 3: "start-up menu", 4: "prime", 5: "drive parked", 6: "ready", 7: "running", 8: "therapy started", 9: "ready for bolus",
	10: "manual bolus", 11: "volume bolus", 12: "KVO released", 13: "KVO active", 14: "data lock", 15: "dose mode", 16: "dose bolus by weight", 17: "patient data stored",
	19: "alarm acknowledged", 20: "pre-alarm acknowledged", 21: "Space-Control connected", 22: "air sensor off", 23: "primary active", 24: "editor open",
}

func statusName(n int) string {
	if n < len(statusNames) && statusNames[n] != "" {
		return statusNames[n]
	}
	return "bit " + strconv.Itoa(n)
}
