package miva

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// logged is one record with its place in the ring.
type logged struct {
	index  uint32
	record wire.Record
}

// redact takes the code out of an authentication record, and all that follows
// it, because it is not known where else the code may stand.
func redact(r wire.Record) wire.Record {
	if wire.EventType(r[0]) == wire.EventAuthentication {
		clear(r[5:])
	}
	return r
}

func recordID(l logged) string { return fmt.Sprintf("%08X-%X", l.index, redact(l.record)) }

// rawCode is the pump's own type and subtype, "9/2"; "5" for authentication.
func rawCode(e wire.Event, r row) string {
	if r.part == noSubtype {
		return strconv.Itoa(int(e.Type))
	}
	return fmt.Sprintf("%d/%d", e.Type, r.part.of(e))
}

// exportRecord turns an event into a record of the contract.
func (s *session) exportRecord(l logged, age clockAge) drivers.LogRecord {
	e := l.record.Event()
	r := lookup(e)
	raw := redact(l.record)
	return drivers.LogRecord{
		ID:       recordID(l),
		RawCode:  rawCode(e, r),
		Name:     r.name,
		Text:     describe(e, r),
		Alarm:    r.alarm,
		Ends:     r.effect >= effectRun && r.effect <= effectCleared,
		PumpTime: s.pumpTime(e),
		AgeS:     age.of(e),
		Raw:      raw[:],
		Values:   numbers(e, r),
	}
}

// exportData turns one record of raw program data into a record of the contract.
func exportData(l logged, text string) drivers.LogRecord {
	return drivers.LogRecord{ID: recordIDRaw(l), RawCode: "data", Name: "program_data", Text: text, Raw: append([]byte(nil), l.record[:]...)}
}

func recordIDRaw(l logged) string { return fmt.Sprintf("%08X-%X", l.index, l.record) }

// describe says in one line what a record is.
func describe(e wire.Event, r row) string {
	var details []string
	for bit, name := range bits[e.Type] {
		if e.Subtype>>bit&1 == 1 {
			details = append(details, name)
		}
	}
	if e.Type == wire.EventPowerOn && int(e.Subtype) < len(powerOn) && powerOn[e.Subtype] != "" {
		details = append(details, "battery "+powerOn[e.Subtype])
	}
	if e.Type == wire.EventSettingChange {
		details = append(details, describeSetting(e))
	}
	if e.Type == wire.EventExtraDoseDenied {
		details = append(details, fmt.Sprintf("%d attempts", e.Low()))
	}
	if e.Type == wire.EventFirmwareError {
		details = append(details, fmt.Sprintf("file %d line %d", e.First>>24, e.First>>8&0xFFFF))
	}
	if len(details) == 0 {
		return r.text
	}
	return r.text + ": " + strings.Join(details, ", ")
}

func describeSetting(e wire.Event) string {
	name := fmt.Sprintf("parameter %d", e.Low())
	if p, ok := parameters[e.Low()]; ok {
		name = p.text
	}
	node := map[uint8]string{0: "", 1: " upper limit", 2: " lower limit"}[e.High()&7]
	return fmt.Sprintf("%s%s of program %d", name, node, e.High()>>4)
}

// numbers reads a record's values. A float that is no number is absent.
func numbers(e wire.Event, r row) map[string]drivers.Quantity {
	got := make(map[string]drivers.Quantity)
	put := func(name string, bits uint32, unit drivers.Unit, u32 bool) {
		if name == "" {
			return
		}
		if u32 {
			got[name] = drivers.Number(int64(bits), 0, unit)
		} else if q, err := drivers.FromFloat32(math.Float32frombits(bits), unit); err == nil {
			got[name] = q
		}
	}
	put(r.values.first, e.First, r.values.firstUnit, r.values.firstU32)
	put(r.values.second, e.Second, r.values.secondUnit, false)
	if p, ok := parameters[e.Low()]; ok && e.Type == wire.EventSettingChange {
		put("old_"+p.name, e.First, p.unit, p.u32)
		put("new_"+p.name, e.Second, p.unit, p.u32)
	}
	if e.Type == wire.EventExtraDoseDenied {
		got["attempts"] = drivers.Number(int64(e.Low()), 0, drivers.UnitNone)
	}
	if len(got) == 0 {
		return nil
	}
	return got
}

// pumpTime gives a record's time as the pump wrote it: eight hex digits like the answer to
// RC, or the date of older firmware.
func (s *session) pumpTime(e wire.Event) string {
	if s.hasClock && s.clock.Old {
		d := e.Date()
		return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", 2000+int(d.Year), d.Month, d.Day, d.Hour, d.Minute, d.Second)
	}
	if s.hasClock {
		return fmt.Sprintf("%08X", e.Count())
	}
	return fmt.Sprintf("%X", e.Stamp)
}

// clockAge is the pump's clock when it was read in this cycle.
type clockAge struct {
	clock wire.Clock
	read  bool
}

// of gives how old an event is on the pump's own clock, in seconds. It is
// absent without a clock of this cycle, and when the event lies ahead of it.
func (a clockAge) of(e wire.Event) drivers.Quantity {
	if !a.read {
		return drivers.Quantity{}
	}
	var seconds int64
	if a.clock.Old {
		now, then := a.clock.Date, e.Date()
		if !now.Valid() || !then.Valid() {
			return drivers.Quantity{}
		}
		seconds = int64(instant(now).Sub(instant(then)) / time.Second)
	} else {
		seconds = int64(a.clock.Seconds()) - int64(e.Seconds())
	}
	if seconds < 0 {
		return drivers.Quantity{}
	}
	return drivers.Number(seconds, 0, drivers.Second)
}

func instant(d wire.Date) time.Time {
	return time.Date(2000+int(d.Year), time.Month(d.Month), int(d.Day), int(d.Hour), int(d.Minute), int(d.Second), 0, time.UTC)
}

// clockText prints the pump's clock as it stood on the wire.
func clockText(c wire.Clock) string {
	if c.Old {
		d := c.Date
		return fmt.Sprintf("%02X%02X%02X%02X%02X%02X", d.Day, d.Month, d.Year, d.Hour, d.Minute, d.Second)
	}
	return fmt.Sprintf("%08X", c.Count)
}
