package sapphire

import (
	"fmt"
	"testing"

	"infusiond/drivers/drivertest"
	"infusiond/drivers/sapphire/wire"
)

// Covers GW-10, GW-26.
func TestCorruption(t *testing.T) {
	scan := wire.NewScanner(true)
	var m wire.Message
	c := drivertest.Corruption{
		Name: "sapphire",
		Frames: func(stream []byte) []string {
			var all []string
			for scan.Reset(); ; {
				found, used := scan.Next(stream, &m)
				stream = stream[used:]
				if !found && len(stream) == 0 {
					for scan.Flush(&m) {
						all = append(all, string(m.Append(nil)))
					}
					return all
				}
				if found {
					all = append(all, string(m.Append(nil)))
				}
			}
		},
		Values: func(_ int, frame string) []string {
			var b wire.Batch
			if wire.DecodeMessage([]byte(frame), true, &m) != nil || b.Decode(&m) != nil {
				return nil
			}
			r := (&Conn{check: true}).report(b)
			return []string{
				fmt.Sprint("identity ", r.Identity), fmt.Sprint("rate ", r.PumpReportedRate), fmt.Sprint("state ", r.State),
				fmt.Sprint("infused ", r.VolumeInfused), fmt.Sprint("left ", r.VTBIRemaining), fmt.Sprint("VTBI ", r.VTBI),
			}
		},
		// Swapped neighbours have the same sum, always; opposite bits at one place cancel (1/16 of two); for the rest
		// 1/256 is left. Values are wrong where the 20 known bytes of 180 are hit, or all of them are shifted.
		FrameShare: map[string]float64{"transposed": 1, "bits": 1. / 64, "": 1. / 128},
		ValueShare: map[string]float64{"transposed": 0.12, "": 1. / 128},
		Suite:      &drivertest.Suite{Driver: driver(t, nil), Pump: func() drivertest.Responder { return newPump(t).respond }},
	}
	for _, p := range []*pump{newPump(t), otherPump(t)} {
		c.Streams = append(c.Streams, p.message())
	}
	drivertest.Corrupt(t, c)
}
