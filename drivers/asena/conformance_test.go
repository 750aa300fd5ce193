package asena

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"infusiond/drivers/asena/wire"
	"infusiond/drivers/drivertest"
)

var forbidden = [][]byte{
	frame("INF_STOP"), frame("INF_START"), frame("INF_VI_CLEAR"), frame("INF_RATE^5.00^ml/h"), frame("INF_VTBI^DEACT"),
	frame("INF_VTBI^ACTIV^11.000^ml^STOP"), frame("INF_BOLUS^ENABLED"), frame("REMQUERY^DEACT"), frame("REMOTE_CTRL^ENABLED^3CC1"),
	frame("REMOTE_CTRL^DISABLED"), frame("REMOTE_CFG^ENABLED^3CC1"), frame("INF^"),
}

// mayWrite knows the requests that this driver puts by their words, and forms the checksum itself, bit by bit.
func mayWrite(query []byte) bool {
	text, rest, ok := strings.Cut(string(query), "|")
	asked := []string{
		"!INST_SERIALNO", "!COMMS_PROTOCOL", "!COMMS_RESPONSE_MAX", "!INF", "!INF_VI", "!INF_VTBI", "!INF_RATE", "!INF_RATE_MAX_SYRINGE", "!SYRINGE_STATUS", "!ALARM",
	}
	if !ok || !slices.Contains(asked, text) {
		return false
	}
	crc := uint16(0xFFFF)
	for _, b := range []byte(text[1:]) {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc >> 15
			crc = crc<<1 ^ carry*0x1021
		}
	}
	return rest == fmt.Sprintf("%04X\r", crc)
}

// changed is a pump with what happens to it: INF before and afterwards, and INF_RATE afterwards.
func changed(t *testing.T, before, after, rate string) func() (drivertest.Responder, func()) {
	return func() (drivertest.Responder, func()) {
		p := newPump(t)
		p.body[wire.Status] = before
		return p.respond, func() { p.body[wire.Status], p.body[wire.Rate] = after, rate }
	}
}

func changes(t *testing.T) map[string]drivertest.Change {
	const runs = "INF^SIM1-00001^-^SET^5.01^ml/h^MILRINONE^%s^ml^17.91^mmHg^03:04:05^EVENT^%s"
	inf := func(volume, entry string) string { return fmt.Sprintf(runs, volume, entry) }
	const rate = "INF_RATE^5.02^ml/h"
	return map[string]drivertest.Change{
		drivertest.PartReboot: {Silent: 7, Pump: changed(t, inf("1.234", "127904"),
			"INF^SIM1-00001^-^HLD^0.00^ml/h^MILRINONE^0.000^ml^0.00^mmHg^00:00:00^EVENT^127909", "INF_RATE^0.00^ml/h")},
		drivertest.PartCounterReset:    {Pump: changed(t, inf("1.234", "127904"), inf("0.000", "127905"), rate)},
		drivertest.PartCounterRollover: {Pump: changed(t, inf("999999.999", "127904"), inf("0.002", "127904"), rate)},
		drivertest.PartLogWrap:         {Pump: changed(t, inf("1.234", "4294967295"), inf("1.235", "1"), rate)}, // the number of the newest entry is all that is told
	}
}

// Covers GW-01, GW-07, GW-09, GW-26.
func TestConformance(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver:    driver(t),
		Pump:      func() drivertest.Responder { return newPump(t).respond },
		Other:     func() drivertest.Responder { return otherPump(t).respond },
		Written:   mayWrite,
		Forbidden: forbidden,
		Unlisted: func() (drivertest.Responder, string) {
			p := newPump(t)
			p.body[wire.Status] = strings.Replace(p.body[wire.Status], "^-^", "^A^", 1)
			p.body[wire.Alarm] = "ALARM^AL_NEWER^ ^ "
			return p.respond, "AL_NEWER"
		},
		Changes:    changes(t),
		Impossible: map[string]string{drivertest.PartLogOverrun: "the log cannot be read"},
	})
}

// A pump that answers only what every client asks, and has an alarm.
func TestConformanceOfAPumpThatKnowsLess(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver: driver(t),
		Pump: func() drivertest.Responder {
			p := otherPump(t)
			for _, q := range []wire.Request{wire.VolumeInfused, wire.VTBI, wire.RateMax, wire.Syringe, wire.ResponseMax} {
				delete(p.body, q)
			}
			return p.respond
		},
		Written:   mayWrite,
		Forbidden: forbidden,
		Variant:   "a pump that knows less",
	})
}
