package miva

import (
	"fmt"
	"math"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// The places of a record's fields in the frame: 2 hex digits per byte, behind STX, the letters and the index.
const (
	indexAt  = 3
	typeAt   = 11
	stampAt  = 13
	partAt   = 21
	firstAt  = 25
	secondAt = 33
	lastAt   = 41
)

// record explains a reply to RE.
func (x *explainer) record(e *drivers.Explained, r *wire.Reply) {
	add(e, indexAt, 8, "index", fmt.Sprintf("%08X", r.Index), "")
	if part, is := x.program[r.Index]; is {
		part.explain(e, r.Record)
		return
	}
	if r.Record.Blank() {
		e.Name += ", not written"
		add(e, typeAt, 32, "record", "", "flash that was not written")
		return
	}
	event := r.Record.Event()
	known := lookup(event)
	e.Name += ", " + describe(event, known)
	add(e, typeAt, 2, "type", fmt.Sprint(uint8(event.Type)), known.name)
	add(e, stampAt, 8, "time", fmt.Sprintf("%X", event.Stamp), stampNote(event))
	if event.Type == wire.EventAuthentication {
		hideCode(e.Bytes)
		add(e, partAt, lastAt+2-partAt, "code", "", "a code that was entered: not shown")
		return
	}
	note := ""
	if known.alarm != "" {
		note = "alarm " + string(known.alarm)
	}
	add(e, partAt, 4, "subtype", rawCode(event, known), strings.TrimSpace(note))
	got := numbers(event, known)
	explainNumber(e, firstAt, event.First, known.values.first, got)
	explainNumber(e, secondAt, event.Second, known.values.second, got)
	add(e, lastAt, 2, "last_byte", fmt.Sprintf("%02X", event.Last), "not used")
}

// hideCode replaces what follows the time of an authentication record by stars, also in a frame that is not whole.
func hideCode(frame []byte) {
	if len(frame) < stampAt || string(frame[1:3]) != wire.LogRecord.String() || string(frame[typeAt:stampAt]) != "05" {
		return
	}
	for i := partAt; i < min(len(frame), lastAt+2); i++ {
		frame[i] = '*'
	}
}

func stampNote(e wire.Event) string {
	d := e.Date()
	note := fmt.Sprintf("new firmware: second %d of its clock", e.Seconds())
	if marked := e.Count()>>28 == 0xF; !marked && d.Valid() {
		note += fmt.Sprintf("; older firmware: %04d-%02d-%02d %02d:%02d:%02d", 2000+int(d.Year), d.Month, d.Day, d.Hour, d.Minute, d.Second)
	}
	return note
}

// explainNumber adds one of the two values of a record. Setting changes have theirs under names that
// begin with old and new.
func explainNumber(e *drivers.Explained, at int, bits uint32, name string, got map[string]drivers.Quantity) {
	prefix := "old_"
	if at == secondAt {
		prefix = "new_"
	}
	for found := range got {
		if strings.HasPrefix(found, prefix) {
			name = found
		}
	}
	if q, ok := got[name]; ok {
		add(e, at, 8, name, q.Decimal(), "")
		return
	}
	add(e, at, 8, "value", fmt.Sprintf("%08X", bits), "meaning not known here")
}

// programPart is one record of program data: the n-th of a block's records.
type programPart struct {
	n    int
	long bool
}

// programData finds the records that stand between two markers, wherever in the bytes their replies are.
func programData(b []byte, rule wire.Checksum) map[uint32]programPart {
	seen := make(map[uint32]wire.Record)
	s := wire.NewScanner(rule)
	for len(b) > 0 {
		payload, used := s.Next(b)
		b = b[used:]
		var r wire.Reply
		if payload != nil && wire.Decode(payload, wire.LogRecord, &r) == nil {
			seen[r.Index] = r.Record
		}
	}
	parts := make(map[uint32]programPart)
	for begin, record := range seen {
		if !isBegin(logged{record: record}) {
			continue
		}
		for _, length := range []uint32{shortBlock, longBlock} {
			end, ok := seen[(begin+length-1)%wire.RingSize]
			if !ok || !isEnd(logged{record: end}) {
				continue
			}
			for n := uint32(1); n < length-1; n++ {
				parts[(begin+n)%wire.RingSize] = programPart{n: int(n), long: length == longBlock}
			}
			break
		}
	}
	return parts
}

// explain shows the fields of section 5.6 that lie in this record.
func (p programPart) explain(e *drivers.Explained, record wire.Record) {
	e.Name += fmt.Sprintf(", program data %d", p.n)
	if p.long {
		add(e, typeAt, 32, "program_data", fmt.Sprintf("%X", record[:]), fmt.Sprintf("bytes %d to %d of the long form", 16*(p.n-1), 16*p.n-1))
		return
	}
	pair := [2]wire.Record{}
	pair[p.n-1] = record
	program := wire.DecodeProgram(pair)
	float := func(at int, name string, f float32, unit drivers.Unit) {
		q, err := drivers.FromFloat32(f, unit)
		note := ""
		if err != nil {
			note = fmt.Sprintf("no number: %08X", math.Float32bits(f))
		}
		add(e, at, 8, name, q.Decimal(), note)
	}
	if p.n == 1 {
		add(e, typeAt, 8, "program", fmt.Sprint(program.Number), "2 Daily 1, 3 Nightly, 4 Daily 2")
		float(typeAt+8, "rate_ml_per_h", program.Rate, drivers.MilliliterPerHour)
		float(typeAt+16, "vtbi_ml", program.VTBI, drivers.Milliliter)
		float(typeAt+24, "starting_dose_ml", program.StartingDose, drivers.Milliliter)
		return
	}
	float(typeAt, "extra_dose_ml", program.ExtraDose, drivers.Milliliter)
	add(e, typeAt+8, 8, "extra_dose_lockout", fmt.Sprint(program.Lockout), "its unit is not stated")
	add(e, typeAt+16, 16, "rest", fmt.Sprintf("%X", program.Rest), "not described")
}
