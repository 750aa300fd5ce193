package bcc

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/exchange"
)

// corruption has what both tests below have in common.
func corruption(t *testing.T, stuffed bool) drivertest.Corruption {
	t.Helper()
	scan := wire.NewScanner(stuffed)
	var b wire.Block
	c := drivertest.Corruption{
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
		FrameShare: map[string]float64{"transposed": 1, "bits": 1. / 64, "alike": 1. / 32, "": 1. / 256},
	}
	for _, information := range []string{
		"300,50111,INSERNUM,SIM00001\x1e300,50111,GNMODEL,687L030007\x1e300,50111,INRT,5.00\x1e300,50111,INVI,12.3\x1e300,50111,INM3,1\x1e" + block(300, "11", quiet...),
		"300,50112,INSERNUM,SIM00002\x1e300,50112,INRT,1.11\x1e300,50112,INVTB,100.0\x1e300,50112,VOLREMAIN,87.7\x1e300,50112,RUNSTATE,2\x1e300,50112,ALARM1,0x00000400h",
		"300,50111,INSERNUM,SIM00003\x1e300,50111,INRMT,63144\x1e300,50111,DORT,7.25\x1e300,50111,DORTU,71\x1e300,50111,INSOL,MILRINONE\x1e300,50111,INA1,1",
	} {
		b := wire.Block{Address: []byte("Bed1/1/1"), Information: []byte(information), Last: true}
		c.Streams = append(c.Streams, b.Append(nil, stuffed))
	}
	return c
}

// A block comes damaged five seconds behind the same one, which was believed.
// Covers GW-10, GW-26.
func TestCorruption(t *testing.T) {
	for _, stuffing := range []string{"on", "off"} {
		t.Run("stuffing "+stuffing, func(t *testing.T) {
			stuffed := stuffing == "on"
			c := corruption(t, stuffed)
			c.Name = "bcc stuffing " + stuffing
			// What is taken without a repetition differs by no more than what moves from block to block.
			c.ValueShare = map[string]float64{"transposed": 1. / 4000, "": 1. / 10000}
			c.ReportShare = 0.001
			c.Suite = &drivertest.Suite{
				Driver: driver(t, map[string]string{"stuffing": stuffing}),
				Pump: func() drivertest.Responder {
					s := newStation(t)
					s.stuffed = stuffed
					return s.respond
				},
			}
			before := make([]string, len(c.Streams))
			for i, stream := range c.Streams {
				before[i] = c.Frames(stream)[0]
			}
			c.Values = func(i int, frame string) []string { return taken(t, before[i], frame) }
			drivertest.Corrupt(t, c)
		})
	}
}

// What would be taken if a block needed no other one that it agrees with.
// Covers GW-10.
func TestCorruptionOfSingleBlocks(t *testing.T) {
	c := corruption(t, true)
	c.Name = "bcc single blocks"
	c.ValueShare = map[string]float64{"transposed": 0.35, "bits": 1. / 512, "alike": 1. / 100, "": 1. / 1024}
	c.Values = func(_ int, frame string) []string { return taken(t, frame, frame) }
	drivertest.Corrupt(t, c)
}

// taken lists what a block would say of its pump behind another block: each field of the report by itself.
func taken(t *testing.T, before, frame string) []string {
	t.Helper()
	now := time.Hour
	port := drivertest.NewPort(drivers.Profile{}, nil)
	conn := &Conn{line: exchange.New(port, func() time.Duration { return now }), scan: new(wire.Scanner), pumps: map[string]*known{}}
	var all []string
	take := func(frame string) {
		address, information, _ := strings.Cut(frame[len("last"):], "\x00")
		b := wire.Block{Address: []byte(address), Information: []byte(information), Last: frame[0] == 'l'}
		if string(b.BedID()) != "Bed1" {
			return
		}
		all = nil
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
			all = nil
		}
	}
	take(before)
	take(before)
	now += 5 * time.Second
	conn.device = clock{}
	take(frame)
	return all
}
