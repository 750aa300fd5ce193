package bcc

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/exchange"
)

// Explain implements drivers.Explainer. Identifiers of people are not shown.
func (d *Driver) Explain(direction drivers.Direction, b []byte) []drivers.Explained {
	return exchange.Split(b, span, func(frame []byte) drivers.Explained { return d.explain(direction, frame) })
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

// private are the parameters that identify people. A poll does not read them.
var private = []string{"PATID", "PATIDBADGE", "PATIDDRUG", "NURSEID"}

func (d *Driver) explain(direction drivers.Direction, frame []byte) drivers.Explained {
	e := drivers.Explained{Bytes: frame}
	switch frame[0] {
	case wire.ACK:
		e.Name = "ACK: send the next block"
		return e
	case wire.NAK:
		e.Name = "NAK: repeat the last block"
		return e
	}
	var b wire.Block
	if _, err := wire.DecodeFrame(frame, nil, d.stuffed, &b); err != nil {
		e.Name, e.Err = "damaged frame", fmt.Errorf("%w: %w", cause(errors.Unwrap(err)), err)
		return e
	}
	add := func(name, value, note string) {
		e.Fields = append(e.Fields, drivers.ExplainedField{Name: name, Value: value, Note: note}) // stuffing moves the places
	}
	add("address", exchange.Text(b.Address), "")
	if direction == drivers.ToPump {
		request := string(b.Information)
		e.Name = "request " + exchange.Text(b.Information)
		if !slices.Contains([]string{wire.RequestAlive, wire.RequestVersion, wire.RequestAll}, request) && !strings.HasPrefix(request, wire.RequestSlot) {
			e.Err = fmt.Errorf("no request of the protocol: %w", drivers.ErrForbidden)
		}
		return e
	}
	e.Name = "block, more follow"
	if b.Last {
		e.Name = "last block"
	}
	records := b.Records()
	var r wire.Record
	for {
		ok, err := records.Next(&r)
		if err != nil {
			e.Err = fmt.Errorf("%w: %w", drivers.ErrMalformed, err)
			return e
		}
		if !ok {
			return e
		}
		name, value := string(r.Parameter), exchange.Text(r.Value)
		note := fmt.Sprintf("%s at %d s", r.Address, r.Time)
		if slices.Contains(private, name) {
			value = "(not shown)"
		}
		if strings.HasPrefix(name, "INA") && value == "1" {
			note += ": " + lookup(name).Text
		}
		if absent(r.Value) && r.HasValue {
			value, note = "", note+": "+string(r.Value)+", no value"
		}
		add(exchange.Text(r.Parameter), value, note)
	}
}
