package asena

import (
	"testing"

	"infusiond/drivers/drivertest"
)

// Covers GW-09, GW-26.
func TestConformance(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver: Driver{},
		Pump:   func() drivertest.Responder { return newPump(t).respond },
		Other:  func() drivertest.Responder { return otherPump(t).respond },
		Forbidden: [][]byte{
			frame("INF_START"), frame("INF_STOP"), frame("INF_VI_CLEAR"), frame("INF_RATE^1.00^ml/h"), frame("INF_VTBI^ACTIV^5^ml^STOP"),
			frame("INF_BOLUS^1"), frame("REMOTE_CTRL^ENABLED^3CC1"), frame("REMOTE_CFG"), frame("REMQUERY^DEACT"), frame("INF^"),
		},
	})
}
