package newera

import (
	"maps"
	"regexp"
	"testing"

	"infusiond/drivers/drivertest"
	"infusiond/drivers/newera/wire"
)

// mayWrite holds the words that this driver asks; nothing may stand behind them.
func mayWrite(addresses string) func(query []byte) bool {
	return regexp.MustCompile(`^(` + addresses + `)(|VER|RAT|DIS|VOL)\r$`).Match
}

var forbidden = [][]byte{
	[]byte("00RUN\r"), []byte("00STP\r"), []byte("00RAT5.0\r"), []byte("00RAT 5\r"), []byte("00DIRINF\r"), []byte("00AL1\r"), []byte("00SAF5\r"), []byte("0*RESET\r"),
	[]byte("00PUR\r"), []byte("00CLDINF\r"), []byte("00RAT\r00RUN\r"), []byte("RUN\r"), wire.AppendSafe(nil, []byte("SAF0")),
}

// changed is a pump with what happens to it.
func changed(t *testing.T, before string, change func(s *scripted)) func() (drivertest.Responder, func()) {
	return func() (drivertest.Responder, func()) {
		s := newLine(t)
		s.pumps[0][wire.Dispensed] = before
		return s.respond, func() { change(s) }
	}
}

func dispensed(text string) func(s *scripted) {
	return func(s *scripted) { s.pumps[0][wire.Dispensed] = text }
}

func changes(t *testing.T) map[string]drivertest.Change {
	const some = "II1.234W0.567ML"
	return map[string]drivertest.Change{
		drivertest.PartReboot: {Silent: 5, Pump: changed(t, some, func(s *scripted) {
			s.alarm[0] = 'R' // told with the next answer, once
			s.pumps[0] = map[wire.Query]string{
				wire.Status: "S", wire.Version: "SNE1000V3.928", wire.Rate: "S5.000MH", wire.Dispensed: "SI0.000W0.000ML", wire.Volume: "S10.00ML",
			}
		})},
		drivertest.PartCounterReset:    {Pump: changed(t, some, dispensed("II0.000W0.567ML"))},
		drivertest.PartCounterRollover: {Pump: changed(t, "II9999.W0.567ML", dispensed("II0.001W0.567ML"))},
	}
}

func impossible(more map[string]string) map[string]string {
	all := map[string]string{
		drivertest.PartSwap:       "the protocol has no serial number",
		drivertest.PartLogWrap:    "the protocol has no log",
		drivertest.PartLogOverrun: "the protocol has no log",
	}
	maps.Copy(all, more)
	return all
}

// Covers GW-01, GW-09, GW-26.
func TestConformance(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver:    driver(t, nil),
		Pump:      func() drivertest.Responder { return newLine(t).respond },
		Written:   mayWrite("00"),
		Forbidden: forbidden,
		Unlisted: func() (drivertest.Responder, string) {
			s := newLine(t)
			s.pumps[0] = map[wire.Query]string{
				wire.Status: "S", wire.Version: "SNE1000V3.928", wire.Rate: "S5.000MH", wire.Dispensed: "SI1.234W0.567ML", wire.Volume: "S10.00ML",
			}
			s.alarm[0] = 'Z'
			return s.respond, "A?Z"
		},
		Changes:    changes(t),
		Impossible: impossible(map[string]string{drivertest.PartDeadPump: "one pump only; TestConformanceOfSeveralPumps"}),
	})
}

// line is a line with two pumps.
func line(t *testing.T) *scripted {
	s := newLine(t)
	s.pumps[7] = map[wire.Query]string{
		wire.Status: "I", wire.Version: "INE1600V3.922", wire.Rate: "I2.220MH", wire.Dispensed: "II3.456W0.111ML", wire.Volume: "I20.00ML",
	}
	return s
}

func TestConformanceOfSeveralPumps(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver:    driver(t, nil),
		Addresses: []string{"00", "07"},
		Pump:      func() drivertest.Responder { return line(t).respond },
		Written:   mayWrite("00|07"),
		Forbidden: forbidden,
		Dead: func() (drivertest.Responder, string) {
			s := line(t)
			delete(s.pumps, 0)
			return s.respond, "00"
		},
		Impossible: impossible(nil),
		Variant:    "a line with two pumps",
	})
}
