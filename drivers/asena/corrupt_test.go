package asena

import (
	"fmt"
	"testing"

	"infusiond/drivers/asena/wire"
	"infusiond/drivers/drivertest"
)

// Covers GW-10, GW-26.
func TestCorruption(t *testing.T) {
	bodies := []string{
		"INST_SERIALNO^SIM1-00001", "INF^SIM1-00001^-^SET^5.01^ml/h^MILRINONE^1.234^ml^17.91^mmHg^03:04:05^EVENT^127904",
		"INF^SIM1-00001^A^HLD^0.00^ml/h^MILRINONE^0.969^ml^530.15^mmHg^00:04:09^EVENT^214725", "INF_RATE^5.02^ml/h",
		"ALARM^AL_NOALM^ ^ ", "ALARM^AL_OCCLU^ ^ ", "INF_VTBI^ACTIV^11.000^ml^STOP", "SYRINGE_STATUS^BD PLASTIPAK^ 50^CONF",
	}
	var scan wire.Scanner
	var reply wire.Reply
	c := drivertest.Corruption{
		Name: "asena",
		Frames: func(stream []byte) []string {
			var all []string
			for scan.Reset(); len(stream) > 0; {
				body, used := scan.Next(stream)
				stream = stream[used:]
				if body != nil {
					all = append(all, string(body))
				}
			}
			return all
		},
		Values: func(i int, body string) []string {
			if wire.Decode([]byte(body), wire.Identify([]byte(bodies[i])), &reply) != nil {
				return nil
			}
			var values []string
			for n := 1; n < reply.Count; n++ {
				if reply.Good(n) {
					values = append(values, fmt.Sprintf("%s %d %q", reply.Request, n, reply.Field(n)))
				}
			}
			return values
		},
		// Chance alone; what CRC-16 finds for certain (up to 3 bits, bursts of 16) is in wire.
		FrameShare: map[string]float64{"": 1. / 65536},
		ValueShare: map[string]float64{"": 1. / 65536},
		Suite:      &drivertest.Suite{Driver: driver(t), Pump: func() drivertest.Responder { return newPump(t).respond }},
	}
	for _, body := range bodies {
		c.Streams = append(c.Streams, frame(body))
	}
	drivertest.Corrupt(t, c)
}
