package sapphire

import (
	"errors"
	"fmt"

	"infusiond/drivers"
	"infusiond/drivers/exchange"
	"infusiond/drivers/sapphire/wire"
)

var typeNames = map[byte]string{
	wire.TypeBatch: "status batch", wire.TypeCommand: "command", wire.TypeLargeBatch: "large batch", wire.TypeWriteEEPROM: "EEPROM write",
	wire.TypeReadEEPROM: "EEPROM read", wire.TypeAlarmStatus: "set alarm status", wire.TypeEvent: "set event", wire.TypeResponse: "response to command",
}

var partyNames = map[byte]string{wire.Cradle: "cradle", wire.Pump: "pump", wire.LCM: "LCM", wire.PC: "PC"}

// Explain implements drivers.Explainer. A message whose checksum does not agree is shown as damaged.
func (d *Driver) Explain(_ drivers.Direction, b []byte) []drivers.Explained {
	return exchange.Split(b, span, d.explain)
}

// span finds the first stretch that a good header begins. One whose checksum does not agree ends where a good message
// begins in it: it lost bytes.
func span(b []byte) (start, end int) {
	for start = range b {
		n := stretch(b[start:])
		if n == 0 {
			continue // a header by chance, or the end is missing: the bytes are shown as they are
		}
		if good(b[start : start+n]) {
			return start, start + n
		}
		for inside := start + 1; inside < start+n; inside++ {
			if m := stretch(b[inside:]); m > 0 && good(b[inside:inside+m]) {
				return start, inside
			}
		}
		return start, start + n
	}
	return len(b), len(b)
}

// stretch returns how long the message is whose good header b begins with; 0 when there is none, or its end is missing.
func stretch(b []byte) int {
	if len(b) < wire.HeaderSize || b[0] != wire.Start {
		return 0
	}
	var m wire.Message
	if !errors.Is(wire.DecodeMessage(b[:wire.HeaderSize], false, &m), wire.ErrTruncated) {
		return 0
	}
	n := wire.HeaderSize + int(b[5])<<8 + int(b[6]) + 1
	if n > len(b) {
		return 0
	}
	return n
}

func good(message []byte) bool {
	var m wire.Message
	return wire.DecodeMessage(message, true, &m) == nil
}

func (d *Driver) explain(frame []byte) drivers.Explained {
	e := drivers.Explained{Bytes: frame}
	var m wire.Message
	if err := wire.DecodeMessage(frame, false, &m); err != nil {
		e.Name, e.Err = "damaged message", fmt.Errorf("%w", drivers.ErrMalformed)
		return e
	}
	kind := typeNames[m.Type]
	if kind == "" {
		kind = fmt.Sprintf("message of the unknown type %d", m.Type)
	}
	e.Name = kind + " from " + partyNames[m.Sender] + " to " + partyNames[m.Target]
	add := func(offset, length int, name, value, note string) {
		e.Fields = append(e.Fields, drivers.ExplainedField{Offset: offset, Length: length, Name: name, Value: value, Note: note})
	}
	add(1, 1, "target", partyNames[m.Target], "")
	add(3, 1, "sender", partyNames[m.Sender], "")
	add(4, 1, "type", fmt.Sprint(m.Type), kind)
	add(5, 2, "data_length", fmt.Sprint(len(m.Data)), "")
	add(7, 1, "sequence_number", fmt.Sprint(m.Sequence), "")
	var b wire.Batch
	switch {
	case b.Decode(&m) == nil:
		explainBatch(add, b, len(m.Data))
	case m.Type == wire.TypeCommand && len(m.Data) == 1 && m.Data[0] == wire.ThisIsPC:
		add(wire.HeaderSize, 1, "command", "22", "ThisIsPc: the heartbeat")
	default:
		add(wire.HeaderSize, len(m.Data), "data", fmt.Sprintf("% X", m.Data), "meaning not known")
	}
	checksum := frame[len(frame)-1]
	note := "agrees"
	if wire.DecodeMessage(frame, true, &m) != nil {
		note = "does not agree"
		e.Err = drivers.ErrChecksum
	}
	add(len(frame)-1, 1, "checksum", fmt.Sprintf("%02X", checksum), note)
	return e
}

func explainBatch(add func(offset, length int, name, value, note string), b wire.Batch, length int) {
	values := map[string]string{
		"software_version": fmt.Sprintf("%08X", b.Software), "serial_number": fmt.Sprint(b.Serial), "drop_size": fmt.Sprint(b.DropSize),
		"flow_rate_ml_per_h": drivers.Number(int64(b.Rate), -1, drivers.MilliliterPerHour).Decimal(),
		"vtbi_remaining_ml":  drivers.Number(int64(b.Remaining), -2, drivers.Milliliter).Decimal(),
		"vtbi_delivered_ml":  drivers.Number(int64(b.Delivered), -2, drivers.Milliliter).Decimal(),
	}
	at := 0
	for _, f := range wire.Fields() {
		if f.Offset > at {
			add(wire.HeaderSize+at, f.Offset-at, "unknown", "", "meaning not known")
		}
		note := ""
		if f.Name == "drop_size" {
			note = "meaning and unit not known"
		}
		add(wire.HeaderSize+f.Offset, f.Length, f.Name, values[f.Name], note)
		at = f.Offset + f.Length
	}
	if length > at {
		add(wire.HeaderSize+at, length-at, "unknown", "", "meaning not known")
	}
}
