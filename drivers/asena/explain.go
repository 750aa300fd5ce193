package asena

import (
	"bytes"
	"fmt"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
)

// Explain splits bytes into frames and explains them field by field.
func (d *Driver) Explain(direction drivers.Direction, b []byte) []drivers.Explained {
	var list []drivers.Explained
	for at := 0; at < len(b); {
		n := stretch(b[at:])
		e := explain(direction, bytes.Clone(b[at:at+n]))
		e.Offset = at
		list = append(list, e)
		at += n
	}
	return list
}

// stretch returns the length of what the receiver's rules take for one piece: bytes outside a frame, or a
// frame up to its end, up to what breaks it off, or up to the next start.
func stretch(b []byte) int {
	if b[0] != wire.Start {
		if next := bytes.IndexByte(b, wire.Start); next > 0 {
			return next
		}
		return len(b)
	}
	for i, c := range b[1:] {
		switch {
		case c == wire.Start:
			return i + 1
		case c < 0x20 || c > 0x7E:
			return i + 2
		}
	}
	return len(b)
}

func explain(direction drivers.Direction, piece []byte) drivers.Explained {
	e := drivers.Explained{Bytes: piece, Name: "outside a frame"}
	if piece[0] != wire.Start {
		e.Err = &drivers.DecodeError{Cause: drivers.ErrMalformed, Raw: piece, Detail: "no frame begins here"}
		return e
	}
	body, err := wire.DecodeFrame(piece)
	if err != nil {
		e.Name, e.Err = "broken frame", translate(err)
		if piece[len(piece)-1] == wire.Cancel {
			e.Name = "frame that the pump cancelled"
		}
		return e
	}
	if direction == drivers.ToPump {
		return explainRequest(e, body)
	}
	return explainReply(e, body)
}

func explainRequest(e drivers.Explained, body []byte) drivers.Explained {
	h := wire.ParseRequest(body)
	switch h.Kind {
	case wire.HostRead:
		e.Name = "request " + h.Request.String()
	case wire.HostControl:
		e.Name = "control command " + h.Command.String() + ", which infusiond never sends"
	case wire.HostUnknown:
		e.Name = "unknown request"
	}
	texts := bytes.Split(body, []byte{'^'})
	at := 1
	for i, text := range texts {
		name := "request"
		if i > 0 {
			name = fmt.Sprintf("argument_%d", i)
		}
		e.Fields = append(e.Fields, drivers.ExplainedField{Offset: at, Length: len(text), Name: name, Value: string(text)})
		at += len(text) + 1
	}
	return withChecksum(e, at)
}

func explainReply(e drivers.Explained, body []byte) drivers.Explained {
	q := wire.Identify(body)
	var r wire.Reply
	if q == wire.NoRequest {
		e.Name, e.Err = "reply to none of the known requests", &drivers.DecodeError{Offset: 1, Cause: drivers.ErrUnsupported, Raw: e.Bytes}
		return e
	}
	if err := wire.Decode(body, q, &r); err != nil {
		e.Name, e.Err = "reply "+q.String()+" of another form", translate(err)
		return e
	}
	e.Name = "reply " + q.String()
	at := 1
	for i, f := range wire.Layout(q)[:r.Count] {
		text := r.Field(i)
		e.Fields = append(e.Fields, drivers.ExplainedField{
			Offset: at, Length: len(text), Name: f.Name, Value: strings.TrimSpace(string(text)), Note: note(&r, i),
		})
		at += len(text) + 1
	}
	return withChecksum(e, at)
}

// withChecksum adds the four digits, which stand at an offset behind the bar.
func withChecksum(e drivers.Explained, at int) drivers.Explained {
	e.Fields = append(e.Fields, drivers.ExplainedField{
		Offset: at, Length: 4, Name: "checksum", Value: string(e.Bytes[at : at+4]), Note: "CRC-16/CCITT-FALSE over the body",
	})
	return e
}

// note tells doubts and the meaning of codes.
func note(r *wire.Reply, i int) string {
	text := strings.TrimSpace(string(r.Field(i)))
	switch {
	case i > 0 && text != "" && !r.Good(i):
		return "not of its form: the value is not used"
	case r.Request == wire.Alarm && i == wire.CodeField:
		return lookup(text).Text
	case r.Request == wire.Rate && i == wire.AmountField:
		return "taken for the rate that is set: inferred"
	case r.Request == wire.VTBI && i == wire.VTBIVolumeField:
		return "not known whether programmed or left"
	case r.Request != wire.Status:
		return ""
	}
	switch {
	case i == wire.FlagField && text == flagNone:
		return "no alarm"
	case i == wire.FlagField && text == flagAlarm:
		return "alarm present"
	case i == wire.ModeField && text == modeHold:
		return "on hold"
	case i == wire.RateField:
		return "taken for the rate that it runs at: inferred"
	case i == wire.RemainingField && text == moreThan:
		return "more than 24 hours"
	}
	return ""
}

var _ drivers.Explainer = (*Driver)(nil)
