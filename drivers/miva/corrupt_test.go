package miva

import (
	"fmt"
	"testing"

	"infusiond/drivers/drivertest"
	"infusiond/drivers/miva/wire"
)

// waiting are the queries whose answers are corrupted, each with the index that RE asks for.
var waiting = []struct {
	query   wire.Query
	index   uint32
	payload string
}{
	{wire.Serial, 0, "RNSIM00001"},
	{wire.VolumeInfused, 0, "Q504D2"},
	{wire.VTBI, 0, "Q62710"},
	{wire.RateUnit, 0, "Q4ML/HR"},
	{wire.Battery, 0, "R7011D"},
	{wire.OcclusionSensors, 0, "RD01F40208"},
	{wire.TextRate, 0, "1.11"},
	{wire.TextProgrammedRate, 0, "1.12"},
	{wire.TextRunning, 0, "TRUE"},
	{wire.PumpClock, 0, "RCF0012400"},
	{wire.LogIndices, 0, "RI0000000000000005"},
	{wire.LogRecord, 3, "RE000000030290010000000041457AE10000000000"},
}

func corruption(rule wire.Checksum) drivertest.Corruption {
	c := &Conn{rule: rule, scan: wire.NewScanner(rule)}
	out := drivertest.Corruption{
		Name: "miva " + rule.String(),
		Frames: func(stream []byte) []string {
			var all []string
			for c.scan.Reset(); len(stream) > 0; {
				payload, used := c.scan.Next(stream)
				stream = stream[used:]
				if payload != nil {
					all = append(all, string(payload))
				}
			}
			return all
		},
		Values: func(i int, payload string) []string {
			w := waiting[i]
			c.sent, c.reply = wire.AppendQuery(nil, w.query, w.index), wire.Reply{}
			if ok, err := c.match([]byte(payload), w.query, w.index); err != nil || !ok {
				return nil
			}
			r := &c.reply
			return []string{fmt.Sprintf("%s %q %v %v %v %X", w.query, r.Text, r.N, r.True, r.Clock, r.Record)}
		},
	}
	for _, w := range waiting {
		out.Streams = append(out.Streams, wire.AppendFrame(nil, []byte(w.payload), rule))
	}
	return out
}

// shares follow from the two rules. Swapped neighbours give the same checksum, always. Of 1 to 8 flipped bits two
// cancel: under sum when they stand at one place of their bytes and go in opposite directions (1/16 of two), under XOR whatever
// their direction (1/8). Digits for digits cancel in about one of ten pairs. Two equal neighbours can be lost under XOR. For
// the rest one in 256 is left of what keeps the form of a frame. The values are what length, form and repeated letters leave of it.
var shares = map[wire.Checksum][2]map[string]float64{
	wire.Sum: {
		{"transposed": 1, "bits": 1. / 64, "alike": 1. / 20, "": 1. / 256},
		{"transposed": 0.4, "bits": 1. / 512, "alike": 1. / 64, "": 1. / 1024},
	},
	wire.XOR: {
		{"transposed": 1, "bits": 1. / 64, "alike": 1. / 20, "deleted": 1. / 12, "": 1. / 64},
		{"transposed": 0.4, "bits": 1. / 256, "alike": 1. / 40, "": 1. / 256},
	},
}

// reportShare is for a line on which one answer in four is damaged; a cycle has about twelve answers.
const reportShare = 0.15

// Covers GW-10, GW-26.
func TestCorruption(t *testing.T) {
	for _, rule := range []wire.Checksum{wire.Sum, wire.XOR} {
		t.Run(rule.String(), func(t *testing.T) {
			c := corruption(rule)
			c.FrameShare, c.ValueShare, c.ReportShare = shares[rule][0], shares[rule][1], reportShare
			c.Suite = &drivertest.Suite{
				Driver: driver(t, map[string]string{"checksum": rule.String()}),
				Pump: func() drivertest.Responder {
					p := newPump(t)
					p.rule = rule
					return p.respond
				},
			}
			drivertest.Corrupt(t, c)
		})
	}
}
