package bcc

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/exchange"
)

// Covers GW-10, GW-26.
func TestCorruption(t *testing.T) {
	for _, stuffing := range []string{"on", "off"} {
		t.Run("stuffing "+stuffing, func(t *testing.T) {
			stuffed := stuffing == "on"
			scan := wire.NewScanner(stuffed)
			var b wire.Block
			c := drivertest.Corruption{
				Name: "bcc stuffing " + stuffing,
				Frames: func(stream []byte) []string {
					var all []string
					for scan.Reset(); len(stream) > 0; {
						e, used := scan.Next(stream, &b)
						stream = stream[used:]
						if e == wire.Good {
							last := "more"
							if b.Last {
								last = "last"
							}
							all = append(all, last+string(b.Address)+"\x00"+string(b.Information))
						}
					}
					return all
				},
				// Swapped neighbours have the same sum, always; opposite bits at one place cancel (1/16 of two); for
				// the rest 1/256 is left of what keeps length and form.
				FrameShare:  map[string]float64{"transposed": 1, "bits": 1. / 64, "alike": 1. / 32, "": 1. / 256},
				ValueShare:  map[string]float64{"transposed": 0.35, "bits": 1. / 512, "alike": 1. / 100, "": 1. / 1024},
				ReportShare: 0.03,
				Values:      func(_ int, frame string) []string { return blockValues(frame) },
				Suite: &drivertest.Suite{
					Driver: driver(t, map[string]string{"stuffing": stuffing}),
					Pump: func() drivertest.Responder {
						s := newStation(t)
						s.stuffed = stuffed
						return s.respond
					},
				},
			}
			for _, information := range []string{
				"300,50111,INSERNUM,SIM00001\x1e300,50111,GNMODEL,687L030007\x1e300,50111,INRT,5.00\x1e300,50111,INVI,12.3\x1e300,50111,INM3,1\x1e300,50111,INA3,0",
				"300,50112,INSERNUM,SIM00002\x1e300,50112,INRT,1.11\x1e300,50112,INVTB,100.0\x1e300,50112,VOLREMAIN,87.7\x1e300,50112,RUNSTATE,2\x1e300,50112,ALARM1,0x00000400h",
				"300,50111,INSERNUM,SIM00003\x1e300,50111,INRMT,63144\x1e300,50111,DORT,7.25\x1e300,50111,DORTU,71\x1e300,50111,INSOL,MILRINONE\x1e300,50111,INA1,1",
			} {
				block := wire.Block{Address: []byte("Bed1/1/1"), Information: []byte(information), Last: true}
				c.Streams = append(c.Streams, block.Append(nil, stuffed))
			}
			drivertest.Corrupt(t, c)
		})
	}
}

// blockValues lists what one block would say of its pumps: each field of each report by itself.
func blockValues(frame string) []string {
	var b wire.Block
	const i = len("last")
	for j := range frame[i:] {
		if frame[i+j] == 0 {
			b.Address, b.Information, b.Last = []byte(frame[i:i+j]), []byte(frame[i+j+1:]), frame[0] == 'l'
			break
		}
	}
	if string(b.BedID()) != "Bed1" {
		return nil
	}
	var all []string
	port := drivertest.NewPort(drivers.Profile{}, nil)
	conn := &Conn{line: exchange.New(port, func() time.Duration { return 0 }), scan: wire.NewScanner(true), serials: map[string]string{}}
	cy := newCycle(conn, func(r drivers.Report) {
		v := reflect.ValueOf(r)
		for n := range v.NumField() {
			name := v.Type().Field(n).Name
			if name != "Unavailable" && name != "Uncertain" && !v.Field(n).IsZero() {
				all = append(all, fmt.Sprintf("%s %s %+v", r.Address, name, v.Field(n)))
			}
		}
	})
	if cy.block(&b) != nil {
		return nil
	}
	return all
}
