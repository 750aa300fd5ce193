package sapphire

import (
	"bytes"
	"testing"
	"time"

	"infusiond/drivers/drivertest"
	"infusiond/drivers/sapphire/wire"
)

// mayWrite knows the heartbeat byte by byte.
func mayWrite(query []byte) bool {
	if len(query) != 10 {
		return false
	}
	sequence := query[7]
	sum := byte(0x65 + 0x67 + 0x03 + 0x01 + 0x16)
	return bytes.Equal(query, []byte{0xBB, 0x65, 0x00, 0x67, 0x03, 0x00, 0x01, sequence, 0x16, sum + sequence})
}

func forbidden() [][]byte {
	command := func(kind byte, data ...byte) []byte {
		m := wire.Message{Target: wire.Pump, Sender: wire.PC, Type: kind, Data: data}
		return m.Append(nil)
	}
	return [][]byte{
		command(wire.TypeCommand, 55), command(wire.TypeCommand, 5), command(wire.TypeCommand, 23), command(wire.TypeCommand, 44), command(wire.TypeEvent, 3),
		command(wire.TypeWriteEEPROM, 0, 0x90, 0, 2, 0x32, 0), command(wire.TypeReadEEPROM, wire.ThisIsPC), command(wire.TypeCommand, wire.ThisIsPC, 0),
	}
}

var impossible = map[string]string{
	drivertest.PartUnlistedAlarm: "nothing of its alarms is public",
	drivertest.PartLogWrap:       "no log is public",
	drivertest.PartLogOverrun:    "no log is public",
}

// pushing is a pump that sends a batch each time it is asked without a query, for 30 s behind a heartbeat.
func pushing(p *pump) drivertest.Responder {
	left := 0
	return func(query []byte) []byte {
		switch {
		case query != nil:
			p.respond(query)
			left = int(30 * time.Second / pushEvery)
			return nil
		case left == 0:
			return nil
		}
		left--
		return p.message()
	}
}

const pushEvery = 400 * time.Millisecond

// changed is a pump with what happens to it.
func changed(t *testing.T, wrap func(p *pump) drivertest.Responder, set, change func(p *pump)) func() (drivertest.Responder, func()) {
	return func() (drivertest.Responder, func()) {
		p := newPump(t)
		if set != nil {
			set(p)
		}
		return wrap(p), func() { change(p) }
	}
}

func changes(t *testing.T, wrap func(p *pump) drivertest.Responder) map[string]drivertest.Change {
	return map[string]drivertest.Change{
		drivertest.PartReboot: {Silent: 4, Pump: changed(t, wrap, nil, func(p *pump) {
			p.sequence, p.batch.Rate, p.batch.Delivered, p.batch.Remaining = 0, 0, 0, 0
		})},
		drivertest.PartCounterReset: {Pump: changed(t, wrap, nil, func(p *pump) { p.batch.Delivered, p.batch.Remaining = 0, 10000 })},
		drivertest.PartCounterRollover: {Pump: changed(t, wrap, func(p *pump) { p.batch.Delivered = 999_999 }, func(p *pump) {
			p.batch.Delivered = 3
		})},
	}
}

func answering(p *pump) drivertest.Responder { return p.respond }

// Covers GW-01, GW-07, GW-09, GW-26.
func TestConformance(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver:     driver(t, nil),
		Pump:       func() drivertest.Responder { return newPump(t).respond },
		Other:      func() drivertest.Responder { return otherPump(t).respond },
		Written:    mayWrite,
		Forbidden:  forbidden(),
		Changes:    changes(t, answering),
		Impossible: impossible,
	})
}

// The pump sends by itself, as the real one does, also while nobody listens.
func TestConformanceOfAPumpThatPushes(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver:     driver(t, nil),
		Pump:       func() drivertest.Responder { return pushing(newPump(t)) },
		Other:      func() drivertest.Responder { return pushing(otherPump(t)) },
		PushEvery:  pushEvery,
		Written:    mayWrite,
		Forbidden:  forbidden(),
		Changes:    changes(t, pushing),
		Impossible: impossible,
	})
}
