package bcc

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/drivertest"
)

func TestClockTellsOldRecords(t *testing.T) {
	var c clock
	if c.old(0, time.Hour) {
		t.Error("a clock that heard nothing knows what is old")
	}
	c.hear(1000, time.Hour)
	for _, row := range []struct {
		name   string
		uptime uint64
		begin  time.Duration
		want   bool
	}{
		{"now", 1000, time.Hour, false},
		{"a cycle later, of its time", 1005, time.Hour + 5*time.Second, false},
		{"two seconds late", 1003, time.Hour + 5*time.Second, false},
		{"of the cycle before", 1000, time.Hour + 5*time.Second, true},
		{"a day later, 50 ppm slow", 1000 + 86400 - 4, time.Hour + 24*time.Hour, false},
		{"ahead", 2000, time.Hour + 5*time.Second, false},
	} {
		if got := c.old(row.uptime, row.begin); got != row.want {
			t.Errorf("%s: old %v", row.name, got)
		}
	}
	// Blocks that come later and later in small steps do not pull the clock along.
	for i := range 100 {
		now := time.Hour + time.Duration(i)*5*time.Second
		c.hear(1000+uint64(5*i)-uint64(i/10), now)
	}
	if !c.old(1000+500-10, time.Hour+500*time.Second) {
		t.Error("ten seconds behind are not old")
	}
}

// A station, or something on the way, that gives the blocks of an earlier cycle again has nothing to tell.
// Covers GW-09.
func TestRepeatedBlocksOfAnEarlierCycleAreOld(t *testing.T) {
	s := newStation(t)
	k := open(t, s, nil)
	if _, err := k.poll(); err != nil {
		t.Fatal(err)
	}
	s.uptime -= day // the same time again
	if reports, err := k.poll(); !errors.Is(err, errOld) || !errors.Is(err, drivers.ErrMismatch) || len(reports) > 0 {
		t.Errorf("%d reports, %v", len(reports), err)
	}
}

// cyclic is a device that sends a round every so often, and waits for ACK behind each block.
type cyclic struct {
	*station
	every, at time.Duration
	ticks     time.Duration // of pushEvery, one for each time that it is asked what it sends
	open      bool
}

const pushEvery = 100 * time.Millisecond

func (d *cyclic) respond(query []byte) []byte {
	if query == nil {
		d.ticks += pushEvery
	}
	switch {
	case query == nil && (d.open || d.ticks < d.at):
		return nil
	case query == nil:
		d.at = d.ticks + d.every
		seconds := 1000 + int(d.ticks/time.Second)
		d.queue = nil
		for _, b := range d.blocks {
			d.queue = append(d.queue, strings.ReplaceAll(b, "300,501", fmt.Sprintf("%d,501", seconds)))
		}
		return d.send()
	case query[0] == wire.ACK:
		d.open = false
		return d.send()
	case query[0] == wire.NAK:
		return d.last
	}
	return nil
}

func (d *cyclic) send() []byte {
	out := d.next()
	d.open = len(out) > 0
	return out
}

// Covers GW-09, GW-26.
func TestCyclicDeviceIsReadInItsOwnTime(t *testing.T) {
	d := &cyclic{station: newStation(t), every: 5 * time.Second}
	dr := driver(t, map[string]string{"mode": "cyclic"})
	port := drivertest.NewPort(dr.Profile(), d.respond)
	port.SetPush(pushEvery)
	conn, err := dr.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now, Addresses: []string{"11"}})
	if err != nil {
		t.Fatal(err)
	}
	port.Advance(42 * time.Second) // one round waits, as old as that
	for i := range 6 {
		port.Advance(2 * time.Second)
		began := 1000 + uint64(port.Now()/time.Second)
		reports, err := drivers.Collect(t.Context(), conn)
		if err != nil || len(reports) != 1 {
			t.Fatalf("cycle %d: %d reports, %v", i, len(reports), err)
		}
		if c := conn.(*Conn); c.uptime < began {
			t.Errorf("cycle %d: a report from %d s, it began at %d s", i, c.uptime, began)
		}
	}
	if refused := port.Refused(); len(refused) > 0 {
		t.Errorf("refused % X", refused)
	}
}

// A restarted device begins a new session.
func TestRestartedDevice(t *testing.T) {
	s := newStation(t)
	s.uptime = 10 * day
	k := open(t, s, nil)
	if _, err := k.poll(); err != nil {
		t.Fatal(err)
	}
	s.uptime = -day + 3
	if reports, err := k.poll(); !errors.Is(err, drivers.ErrMismatch) || len(reports) > 0 {
		t.Errorf("%d reports, %v", len(reports), err)
	}
	if reports, err := k.poll(); err != nil || len(reports) != 1 {
		t.Errorf("after it: %d reports, %v", len(reports), err)
	}
}
