package asena

import (
	"testing"

	"infusiond/drivers/asena/wire"
	"infusiond/drivers/drivertest"
)

var forbidden = [][]byte{
	frame("INF_STOP"), frame("INF_START"), frame("INF_VI_CLEAR"), frame("INF_RATE^5.00^ml/h"), frame("INF_VTBI^DEACT"),
	frame("INF_VTBI^ACTIV^11.000^ml^STOP"), frame("INF_BOLUS^ENABLED"), frame("REMQUERY^DEACT"), frame("REMOTE_CTRL^ENABLED^3CC1"),
	frame("REMOTE_CTRL^DISABLED"), frame("REMOTE_CFG^ENABLED^3CC1"), frame("INF^"),
}

// Covers GW-07, GW-09, GW-26.
func TestConformance(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver:    driver(t),
		Pump:      func() drivertest.Responder { return newPump(t).respond },
		Other:     func() drivertest.Responder { return otherPump(t).respond },
		Forbidden: forbidden,
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
		Forbidden: forbidden,
	})
}
