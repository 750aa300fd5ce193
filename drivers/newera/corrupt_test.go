package newera

import (
	"errors"
	"fmt"
	"testing"

	"infusiond/drivers/drivertest"
	"infusiond/drivers/newera/wire"
)

var waiting = []struct {
	query wire.Query
	data  string
}{
	{wire.Status, "00I"},
	{wire.Status, "00S"},
	{wire.Version, "00INE1000V3.928"},
	{wire.Rate, "00I5.000MH"},
	{wire.Rate, "00S12.50MM"},
	{wire.Dispensed, "00II1.234W0.567ML"},
	{wire.Volume, "00I10.00ML"},
	{wire.Rate, "00A?S"},
	{wire.Volume, "00A?R"},
}

// Covers GW-10, GW-26.
func TestCorruption(t *testing.T) {
	for name, framing := range map[string]wire.Framing{"basic": wire.Basic, "safe": wire.Safe} {
		t.Run(name, func(t *testing.T) {
			c := corruption(framing)
			c.Name = "newera " + name
			// A damaged length can make a safe frame a basic one, but none with the form of a reply.
			c.FrameShare, c.ValueShare = map[string]float64{"": 1. / 50}, map[string]float64{}
			if framing == wire.Basic { // no checksum: what is left is the form of the reply, and that two must agree
				c.FrameShare = map[string]float64{"": 1}
				c.ValueShare = map[string]float64{"transposed": 0.25, "alike": 0.3, "deleted": 0.2, "": 0.03}
				c.Suite = &drivertest.Suite{Driver: driver(t, nil), Pump: func() drivertest.Responder { return newLine(t).respond }}
			}
			drivertest.Corrupt(t, c)
		})
	}
}

func corruption(framing wire.Framing) drivertest.Corruption {
	var scan wire.Scanner
	c := drivertest.Corruption{
		Frames: func(stream []byte) []string {
			var all []string
			for scan.Reset(); ; {
				data, f, used := scan.Next(stream)
				stream = stream[used:]
				if data != nil {
					all = append(all, string(rune('0'+f))+string(data))
				} else if len(stream) == 0 {
					return all
				}
			}
		},
		Values: func(i int, frame string) []string {
			p := &pump{name: "00", begun: true, latch: latch{}}
			conn := &Conn{pumps: []*pump{p}}
			got, answered, err := conn.match([]byte(frame[1:]), wire.Framing(frame[0]-'0'), p, waiting[i].query)
			switch {
			case errors.Is(err, errAlarm) || len(p.latch.raws) > 0:
				return []string{"alarm " + p.latch.String()}
			case err != nil || !answered:
				return nil
			}
			return []string{fmt.Sprintf("%s %c %+v", waiting[i].query, p.status, got)}
		},
	}
	for _, w := range waiting {
		c.Streams = append(c.Streams, wire.AppendReplyFrame(nil, []byte(w.data), framing))
	}
	return c
}
