package bcc

import (
	"fmt"
	"strings"
	"testing"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
)

// station is a scripted station: blocks by request, given one by one as they are acknowledged.
type station struct {
	t       testing.TB
	stuffed bool
	bed     string
	blocks  []string // the answer to MEM:GET
	slots   map[string][]string
	version string
	uptime  int // seconds, which stand where a block has 300; every request finds it a day older

	queue []string
	last  []byte
}

func (s *station) frame(info string, last bool) []byte {
	info = strings.ReplaceAll(info, "300,501", fmt.Sprintf("%d,501", s.uptime))
	b := wire.Block{Address: []byte(s.bed + "/1/1"), Information: []byte(info), Last: last}
	return b.Append(nil, s.stuffed)
}

func (s *station) respond(query []byte) []byte {
	switch query[0] {
	case wire.NAK:
		return s.last
	case wire.ACK:
		return s.next()
	}
	var b wire.Block
	if _, err := wire.DecodeFrame(query, nil, s.stuffed, &b); err != nil {
		s.t.Fatalf("the station received % X: %v", query, err)
	}
	request := string(b.Information)
	s.queue, s.uptime = nil, s.uptime+day
	switch {
	case request == wire.RequestAlive:
		s.queue = []string{"300,50100,GNACK,0"}
	case string(b.BedID()) != s.bed:
		s.queue = []string{"300,50100,GNERR,68"}
	case request == wire.RequestVersion:
		s.queue = []string{"300,50100," + s.version}
	case request == wire.RequestAll:
		s.queue = s.blocks
	default:
		s.queue = s.slots[request[len(wire.RequestSlot):]]
	}
	return s.next()
}

func (s *station) next() []byte {
	if len(s.queue) == 0 {
		return nil
	}
	s.last = s.frame(s.queue[0], len(s.queue) == 1)
	s.queue = s.queue[1:]
	return s.last
}

// day is more than any test waits between two requests.
const day = 24 * 3600

const stationBlock = "300,50100,FMNOR,1\x1e300,50100,FMSTAT,00051"

func newStation(t testing.TB) *station {
	return &station{
		t: t, stuffed: true, uptime: 300, bed: "Bed1", version: "V3.30",
		blocks: []string{
			stationBlock,
			"300,50111,INSERNUM,SIM00001\x1e300,50111,GNMODEL,687L030007\r\x1e300,50111,INRT,5.00\x1e300,50111,INVI,12.3\x1e300,50111,INVTB,100.0\x1e" +
				"300,50111,VOLREMAIN,87.7\x1e300,50111,INRMT,63144\x1e300,50111,INAKKU,240\x1e300,50111,INP2,17\x1e300,50111,RUNSTATE,2\x1e300,50111,INM3,1\x1e300,50111,INM8,0\x1e" +
				"300,50111,INM10,0\x1e300,50111,INA1,0\x1e300,50111,INA3,0\x1e300,50111,INA7,0\x1e300,50111,INA11,1\x1e300,50111,INA13,0\x1e300,50111,INA15,0\x1e300,50111,OPMODE,0\x1e300,50111,INSOL,DOBUTAMINE, adult\x1e300,50111,INDCON,1.5\x1e300,50111,INDCONU,31\x1e" +
				"300,50111,DORT,7.25\x1e300,50111,DORTU,71\x1e300,50111,INSYR,_NV\x1e300,50111,PATID,4711",
		},
	}
}

func otherStation(t testing.TB) *station {
	s := newStation(t)
	s.version, s.uptime = "V4.00", 100*day
	s.blocks = []string{stationBlock, "300,50111,INSERNUM,SIM00002\x1e300,50111,GNMODEL,688L030007\x1e300,50111,INRT,1.11\x1e300,50111,INVI,77.7\x1e300,50111,INM3,0\x1e" +
		"300,50111,INA1,0\x1e300,50111,INA2,0\x1e300,50111,INA3,1\x1e300,50111,INA7,0\x1e300,50111,INA9,0\x1e300,50111,INA11,0\x1e300,50111,INA12,0"}
	return s
}

func driver(t testing.TB, settings map[string]string) drivers.Driver {
	t.Helper()
	d, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
