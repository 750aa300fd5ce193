package bcc

import (
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/drivertest"
)

var mayAsk = regexp.MustCompile(`^(1/1/1>ADMIN:ALIVE|[/-9A-z]{1,15}/1/1>(MEM:GET|MEM:GETSLOT#[1-3][1-9A-O]))$`)

// mayWrite knows what this driver may send by its words: ACK, NAK and three requests. It takes the frame apart itself.
func mayWrite(stuffed bool) func(query []byte) bool {
	return func(query []byte) bool {
		if string(query) == "\x06" || string(query) == "\x15" {
			return true
		}
		plain := string(query)
		if stuffed {
			plain = strings.NewReplacer("EX", "D", "EE", "E", "ex", "d", "ee", "e").Replace(plain)
		}
		text, check, ok := strings.Cut(plain, "\x03")
		if !ok || len(text) < 7 || text[0] != 1 || text[6] != 2 || len(check) != 6 || check[5] != 4 {
			return false
		}
		sum := byte(3)
		for _, b := range []byte(text) {
			sum += b
		}
		return mayAsk.MatchString(text[7:]) && five(text[1:6]) == len(plain) && five(check[:5]) == int(sum)
	}
}

func five(digits string) int {
	n := 0
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}

func forbidden(stuffed bool) [][]byte {
	return [][]byte{
		wire.AppendRequest(nil, "Bed1/1/1", "MEM:SET", stuffed), wire.AppendRequest(nil, "Bed1/1/1", "ADMIN:RESET", stuffed), wire.AppendRequest(nil, "Bed1/1/1", "MEM:GETSLOT#4", stuffed),
		wire.AppendRequest(nil, "Bed1/1/1", "MEM:GETSLOT#41", stuffed), wire.AppendRequest(nil, "Be d/1/1", "MEM:GET", stuffed), wire.AppendRequest(nil, "1234567890123456/1/1", "MEM:GET", stuffed),
		{wire.ACK, wire.ACK},
		{wire.SOH},
		[]byte("\x0100034\x02SpaceCOM/1/1>MEM:GET\x0300192\x04"),
	}
}

// changed is a station with what happens to its first pump: texts of its blocks are replaced in pairs.
func changed(t *testing.T, stuffed bool, before []string, after ...string) func() (drivertest.Responder, func()) {
	return func() (drivertest.Responder, func()) {
		s := newStation(t)
		s.stuffed = stuffed
		replace := func(pairs []string) {
			r := strings.NewReplacer(pairs...)
			blocks := make([]string, len(s.blocks))
			for i, b := range s.blocks {
				blocks[i] = r.Replace(b)
			}
			s.blocks = blocks
		}
		replace(before)
		return s.respond, func() {
			replace(after)
			if after[0] == "300,501" { // the device was restarted
				s.queue, s.uptime = nil, 5
			}
		}
	}
}

func changes(t *testing.T, stuffed bool) map[string]drivertest.Change {
	return map[string]drivertest.Change{
		drivertest.PartReboot: {Silent: 6, Pump: changed(t, stuffed, nil,
			"300,501", "300,501", "INVI,12.3", "INVI,0.0", "INM3,1", "INM3,0", "RUNSTATE,2", "RUNSTATE,1", "INA11,1", "INA11,0")},
		drivertest.PartCounterReset:    {Pump: changed(t, stuffed, nil, "INVI,12.3", "INVI,0.0")},
		drivertest.PartCounterRollover: {Pump: changed(t, stuffed, []string{"INVI,12.3", "INVI,9999.8"}, "INVI,9999.8", "INVI,9999.9")}, // it stops counting there
	}
}

var noLog = map[string]string{drivertest.PartLogWrap: "the protocol has no log", drivertest.PartLogOverrun: "the protocol has no log"}

// Covers GW-01, GW-07, GW-09, GW-26.
func TestConformance(t *testing.T) {
	for _, stuffing := range []string{"on", "off"} {
		t.Run("stuffing "+stuffing, func(t *testing.T) {
			stuffed := stuffing == "on"
			scripted := func(s *station) drivertest.Responder {
				s.stuffed = stuffed
				return s.respond
			}
			impossible := map[string]string{drivertest.PartDeadPump: "one pump only; TestConformanceOfSeveralPumps"}
			maps.Copy(impossible, noLog)
			drivertest.Run(t, drivertest.Suite{
				Driver:    driver(t, map[string]string{"stuffing": stuffing}),
				Pump:      func() drivertest.Responder { return scripted(newStation(t)) },
				Other:     func() drivertest.Responder { return scripted(otherStation(t)) },
				Written:   mayWrite(stuffed),
				Forbidden: forbidden(stuffed),
				Unlisted: func() (drivertest.Responder, string) {
					s := newStation(t)
					s.blocks[1] += "\x1e300,50111,ALARM2,0x00000400h"
					return scripted(s), "ALARM2:10"
				},
				Changes:    changes(t, stuffed),
				Impossible: impossible,
			})
		})
	}
}

// two is a station with a second pump in slot 12.
func two(t *testing.T) *station {
	s := newStation(t)
	s.blocks = append(s.blocks, "300,50112,INSERNUM,SIM00007\x1e300,50112,GNMODEL,688L030007\x1e300,50112,INRT,2.22\x1e300,50112,INVI,3.4\x1e300,50112,INM3,1\x1e"+
		block(300, "12", quiet...)+"\x1e300,50112,INA2,0\x1e300,50112,INA9,0\x1e300,50112,INA12,0")
	return s
}

// A flag behind those of section 5.4 is announced all the same.
func TestFlagOfALaterFirmwareIsAnUnknownAlarm(t *testing.T) {
	r := one(t, append([]string{"INM3", "1", "INA17", "1"}, quiet...)...)
	if len(r.Alarms) != 1 || r.Alarms[0].Code != drivers.AlarmUnknown || r.Alarms[0].RawCode != "INA17" || !r.AlarmsKnown {
		t.Errorf("alarms %+v, known %v", r.Alarms, r.AlarmsKnown)
	}
}

func TestConformanceOfSeveralPumps(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver:    driver(t, nil),
		Addresses: []string{"11", "12"},
		Pump:      func() drivertest.Responder { return two(t).respond },
		Written:   mayWrite(true),
		Forbidden: forbidden(true),
		Dead: func() (drivertest.Responder, string) {
			s := two(t)
			s.blocks[1] = "300,50111,GNERR,39"
			return s.respond, "11"
		},
		Variant: "a station with two pumps",
	})
}

// A cyclic device sends by itself; the driver says ACK and NAK.
func TestConformanceOfCyclicMode(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver:    driver(t, map[string]string{"mode": "cyclic"}),
		Addresses: []string{"11"},
		Pump: func() drivertest.Responder {
			d := &cyclic{station: newStation(t), every: 3 * time.Second}
			return d.respond
		},
		PushEvery: pushEvery,
		Written:   drivertest.OneOf("\x06", "\x15"),
		Forbidden: forbidden(true),
		Variant:   "a station in cyclic mode",
	})
}
