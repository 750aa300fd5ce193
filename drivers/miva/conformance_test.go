package miva

import (
	"testing"

	"infusiond/drivers/drivertest"
	"infusiond/drivers/miva/wire"
)

func frame(payload string) []byte { return wire.AppendFrame(nil, []byte(payload), wire.Sum) }

// Covers GW-09.
func TestConformance(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver: driver(t, nil),
		Pump:   func() drivertest.Responder { return newPump(t).respond },
		Other:  func() drivertest.Responder { return otherPump(t).respond },
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
		Driver: driver(t, nil),
		Pump:   func() drivertest.Responder { return old().respond },
	})
}
