package miva

import (
	"regexp"
	"slices"
	"testing"

	"infusiond/drivers/drivertest"
	"infusiond/drivers/miva/wire"
)

func frame(payload string) []byte { return wire.AppendFrame(nil, []byte(payload), wire.Sum) }

// mayWrite knows the queries that this driver asks by their letters, and forms the checksum itself.
func mayWrite(query []byte) bool {
	n := len(query)
	if n < 5 || query[0] != 0x02 || query[n-1] != 0x03 {
		return false
	}
	text, sum := string(query[1:n-3]), byte(0)
	for _, b := range []byte(text) {
		sum += b
	}
	asked := []string{
		"RN", "RS", "RM", "R7", "RC", "RD", "R2", "S9", "Q0", "Q1", "Q2", "Q4", "Q5", "Q6", "Q7", "Q8", "Q9", "QA", "QC", "RI",
		":INFU:RUN?", ":INFU:RATE?", ":PROTOCOL:NAME?", ":PROTOCOL:RATE?",
	}
	known := slices.Contains(asked, text) || regexp.MustCompile(`^RE0000[0-9A-F]{4}$`).MatchString(text)
	const hex = "0123456789ABCDEF"
	return known && query[n-3] == hex[sum>>4] && query[n-2] == hex[sum&15]
}

// changed is a pump with what happens to it.
func changed(t *testing.T, set func(p *pump), change func(p *pump)) func() (drivertest.Responder, func()) {
	return func() (drivertest.Responder, func()) {
		p := newPump(t)
		if set != nil {
			set(p)
		}
		return p.respond, func() { change(p) }
	}
}

// logAt moves a pump's log to another place of the ring.
func logAt(p *pump, index uint32) {
	records := []wire.Record{p.log[0], p.log[1], p.log[2], p.log[3], p.log[4], p.log[5]}
	p.log, p.head, p.tail = map[uint32]wire.Record{}, index, index
	p.add(records...)
}

func changes(t *testing.T) map[string]drivertest.Change {
	return map[string]drivertest.Change{
		drivertest.PartReboot: {Silent: 5, Pump: changed(t, nil, func(p *pump) {
			p.running = "FALSE"
			p.add(rec(wire.EventPowerOff, 700, 0), rec(wire.EventPowerOn, 800, 1))
		})},
		drivertest.PartCounterReset: {Pump: changed(t, nil, func(p *pump) {
			p.numbers[wire.VolumeInfused] = [2]uint32{0}
			p.add(rec(wire.EventShiftTotalCleared, 700, 0))
		})},
		drivertest.PartCounterRollover: {Pump: changed(t, func(p *pump) {
			p.numbers[wire.VolumeInfused] = [2]uint32{0xFFFFFFFF}
		}, func(p *pump) { p.numbers[wire.VolumeInfused] = [2]uint32{4} })},
		drivertest.PartLogWrap: {Pump: changed(t, func(p *pump) { logAt(p, wire.RingSize-7) }, func(p *pump) {
			p.add(rec(wire.EventPaused, 700, 0), rec(wire.EventRun, 800, 0), rec(wire.EventOcclusion, 900, 2))
		})},
		drivertest.PartLogOverrun: {Between: true, Pump: changed(t, nil, func(p *pump) { // a whole ring later
			for i := range uint32(12) {
				p.log[i] = rec(wire.EventRun, 5000+i, 0)
			}
			p.head, p.tail = 11, 12
		})},
	}
}

// Covers GW-01, GW-07, GW-09, GW-26.
func TestConformance(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver:  driver(t, nil),
		Pump:    func() drivertest.Responder { return newPump(t).respond },
		Other:   func() drivertest.Responder { return otherPump(t).respond },
		Written: mayWrite,
		Unlisted: func() (drivertest.Responder, string) {
			p := newPump(t)
			p.add(rec(77, 700, 3))
			return p.respond, "77/3"
		},
		Changes: changes(t),
		Forbidden: [][]byte{
			frame("WT02"), frame("WT00"), frame("WT01"), frame("WN12345678"), frame("W01"), frame("KE01"), frame("LB"), frame("LI"),
			frame(":POWER?"), frame(":INFU:RUN"), frame(":INFU:STOP"),
		},
	})
}

func TestConformanceOfOlderFirmware(t *testing.T) {
	old := func() *pump {
		p := newPump(t)
		p.running = ""
		delete(p.text, wire.TextRate)
		delete(p.text, wire.TextProgrammedRate)
		delete(p.text, wire.TextProgram)
		delete(p.text, wire.Platform)
		p.text[wire.OldRunning] = "1"
		p.numbers[wire.OldRate] = [2]uint32{111}
		clock := wire.Clock{Old: true, Date: wire.Date{Year: 26, Month: 3, Day: 14, Hour: 12, Minute: 30}}
		p.clock = &clock
		p.log, p.head = map[uint32]wire.Record{}, 0
		for i, kind := range []wire.EventType{wire.EventPowerOn, wire.EventRun, wire.EventPaused, wire.EventRun} {
			date := wire.Date{Year: 26, Month: 3, Day: 14, Hour: 12, Minute: uint8(i)}
			p.add(wire.Event{Type: kind, Stamp: wire.DateStamp(date)}.Record())
		}
		return p
	}
	drivertest.Run(t, drivertest.Suite{
		Driver:  driver(t, nil),
		Pump:    func() drivertest.Responder { return old().respond },
		Written: mayWrite,
		Variant: "older firmware",
	})
}
