package newera

import (
	"bytes"
	"fmt"

	"infusiond/drivers"
	"infusiond/drivers/exchange"
	"infusiond/drivers/newera/wire"
)

// Explain implements drivers.Explainer.
func (d *Driver) Explain(direction drivers.Direction, b []byte) []drivers.Explained {
	if direction == drivers.ToPump {
		return exchange.Split(b, spanQuery, explainQuery)
	}
	return exchange.Split(b, spanReply, explainReply)
}

// spanReply finds the first good frame.
func spanReply(b []byte) (start, end int) {
	for start = range b {
		for end = start + 2; end <= min(len(b), start+wire.MaxFrame); end++ {
			if _, _, err := wire.DecodeFrame(b[start:end]); err == nil {
				return start, end
			}
		}
	}
	return len(b), len(b)
}

// spanQuery finds the first query: a safe frame, or what ends with CR and has no STX in it.
func spanQuery(b []byte) (start, end int) {
	for start < len(b) {
		if b[start] == wire.STX {
			if n := safeFrame(b[start:]); n > 0 {
				return start, start + n
			}
			start++
			continue
		}
		i := bytes.IndexAny(b[start:], "\r\x02")
		if i < 0 {
			break
		}
		if b[start+i] == wire.CR {
			return start, start + i + 1
		}
		start += i
	}
	return len(b), len(b)
}

// safeFrame returns the length of the good safe frame that b begins with, 0 when there is none. A host sends
// no basic frame.
func safeFrame(b []byte) int {
	if len(b) < 2 || int(b[1]) >= len(b) {
		return 0
	}
	n := int(b[1]) + 1
	if _, framing, err := wire.DecodeFrame(b[:n]); err != nil || framing != wire.Safe {
		return 0
	}
	return n
}

func explainQuery(frame []byte) drivers.Explained {
	e := drivers.Explained{Bytes: frame}
	data, offset := bytes.TrimSuffix(frame, []byte{wire.CR}), 0
	if frame[0] == wire.STX {
		data, _, _ = wire.DecodeFrame(frame)
		offset = 2
	}
	digits := 0
	for digits < len(data) && digits < 2 && data[digits] >= '0' && data[digits] <= '9' {
		digits++
	}
	e.Fields = append(e.Fields, drivers.ExplainedField{Offset: offset, Length: digits, Name: "address", Value: string(data[:digits])})
	word := string(data[digits:])
	e.Fields = append(e.Fields, drivers.ExplainedField{Offset: offset + digits, Length: len(word), Name: "word", Value: exchange.Text([]byte(word))})
	for _, q := range wire.Queries() {
		if q.Word() == word {
			e.Name = "query " + q.String()
			return e
		}
	}
	e.Name, e.Err = "command "+exchange.Text([]byte(word)), fmt.Errorf("not a read-only query: %w", drivers.ErrForbidden)
	return e
}

func explainReply(frame []byte) drivers.Explained {
	e := drivers.Explained{Bytes: frame, Name: "reply"}
	data, framing, err := wire.DecodeFrame(frame)
	offset := 1
	if framing == wire.Safe {
		e.Name, offset = "safe-mode reply", 2
	}
	var r wire.Reply
	if err == nil {
		err = wire.DecodeReply(data, &r)
	}
	if err != nil {
		e.Err = fmt.Errorf("%w: %w", drivers.ErrMalformed, err)
		return e
	}
	add := func(at, length int, name, value, note string) {
		e.Fields = append(e.Fields, drivers.ExplainedField{Offset: offset + at, Length: length, Name: name, Value: value, Note: note})
	}
	add(0, 2, "address", fmt.Sprintf("%02d", r.Address), "")
	if r.Status == 'A' {
		row := lookup("A?" + string(rune(r.Alarm)))
		add(2, 3, "alarm", row.Raw, row.Text)
		return e
	}
	add(2, 1, "status", string(rune(r.Status)), modes[r.Status].word)
	if len(r.Data) > 0 {
		add(3, len(r.Data), "data", exchange.Text(r.Data), meaning(&r))
	}
	return e
}

// meaning lists what data can answer, by its form.
func meaning(r *wire.Reply) string {
	if r.Refusal() != "" {
		return "refused"
	}
	note := ""
	for _, q := range wire.Queries() {
		var v wire.Value
		if v.Decode(r.Data, q) != nil {
			continue
		}
		if note != "" {
			note += ", "
		}
		note += "answers " + q.String()
	}
	return note
}
