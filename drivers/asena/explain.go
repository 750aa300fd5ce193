package asena

import (
	"fmt"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
	"infusiond/drivers/exchange"
)

// fieldNames names the fields of each reply, the command first.
var fieldNames = map[wire.Request][]string{
	wire.SerialNumber: {"command", "serial_number"}, wire.Protocol: {"command", "protocol"},
	wire.ResponseMax: {"command", "longest_reply", "unit"},
	wire.Status: {
		"command", "serial_number", "alarm_flag", "mode", "rate", "rate_unit", "drug", "volume_infused", "volume_unit",
		"pressure", "pressure_unit", "time_remaining", "log_type", "log_entry_id",
	},
	wire.VolumeInfused: {"command", "volume_infused", "unit"}, wire.VTBI: {"command", "state", "vtbi", "unit", "end_action"},
	wire.Rate: {"command", "rate", "unit"}, wire.MaxRate: {"command", "rate_limit", "unit"},
	wire.Syringe: {"command", "syringe", "size_ml", "confirmed"}, wire.Alarm: {"command", "alarm_code", "text_1", "text_2"},
}

// Explain implements drivers.Explainer.
func (Driver) Explain(d drivers.Direction, b []byte) []drivers.Explained {
	return exchange.Split(b, span, func(frame []byte) drivers.Explained { return explain(d, frame) })
}

// span finds the first stretch that looks like a frame.
func span(b []byte) (start, end int) {
	for start = 0; start < len(b); start++ {
		if b[start] != wire.Start {
			continue
		}
		for end = start + 1; end < len(b) && end-start <= wire.MaxFrame+1; end++ {
			switch b[end] {
			case wire.End:
				return start, end + 1
			case wire.Cancel:
				return start, end + 1
			}
			if b[end] == wire.Start {
				break
			}
		}
	}
	return len(b), len(b)
}

func explain(d drivers.Direction, frame []byte) drivers.Explained {
	e := drivers.Explained{Bytes: frame}
	if frame[len(frame)-1] == wire.Cancel {
		e.Name, e.Err = "cancelled frame", fmt.Errorf("the pump took it back with ESC: %w", drivers.ErrTruncated)
		return e
	}
	body, err := wire.DecodeFrame(frame)
	if err != nil {
		e.Name, e.Err = "damaged frame", translate(err)
		return e
	}
	texts := strings.Split(string(body), string(rune(wire.Separator)))
	request := wire.RequestOf([]byte(texts[0]))
	switch {
	case d == drivers.ToPump && len(texts) == 1 && request != wire.NoRequest:
		e.Name = "request " + texts[0]
	case d == drivers.ToPump:
		e.Name, e.Err = "command "+exchange.Text([]byte(texts[0])), fmt.Errorf("not a read-only request: %w", drivers.ErrForbidden)
	case request == wire.NoRequest:
		e.Name, e.Err = "reply "+exchange.Text([]byte(texts[0])), fmt.Errorf("no known reply: %w", drivers.ErrUnsupported)
	default:
		e.Name = "reply " + texts[0]
		var r wire.Reply
		if err := wire.Decode(body, request, &r); err != nil {
			e.Err = translate(err)
		}
	}
	names := fieldNames[request]
	offset := 1
	for i, text := range texts {
		f := drivers.ExplainedField{Offset: offset, Length: len(text), Name: fmt.Sprintf("field_%d", i), Value: text}
		if i < len(names) {
			f.Name = names[i]
		}
		if f.Name == "alarm_code" {
			m := lookup(text)
			f.Note = m.Text
		}
		e.Fields = append(e.Fields, f)
		offset += len(text) + 1
	}
	crc := drivers.ExplainedField{Offset: len(frame) - 5, Length: 4, Name: "crc", Value: string(frame[len(frame)-5 : len(frame)-1]), Note: "agrees"}
	e.Fields = append(e.Fields, crc)
	return e
}
