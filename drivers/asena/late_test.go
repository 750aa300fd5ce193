package asena

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
	"infusiond/drivers/drivertest"
)

// counting is a pump whose volume is the time, in milliseconds as millilitres with three decimals, so that
// the age of a volume can be told.
func counting(t *testing.T) (*talk, *pump) {
	p := newPump(t)
	k := open(t, p)
	p.before = func(wire.Request, int) {
		p.body[wire.Status] = inf(map[int]string{7: fmt.Sprintf("%d.%03d", k.port.Now()/time.Second, k.port.Now()/time.Millisecond%1000)})
	}
	return k, p
}

// No value is older than the cycle that reports it, however late the pump's answers come and wherever cycles
// end, on a line that keeps its order.
// Covers GW-09.
func TestNoValueIsOlderThanItsCycle(t *testing.T) {
	const seed = 11
	rng := rand.New(rand.NewPCG(seed, 0))
	good, failed := 0, 0
	for run := range 60 {
		k, _ := counting(t)
		var every time.Duration // how late each answer of this cycle comes
		k.port.SetTamper(func(n int, query, reply []byte) []drivertest.Piece {
			pieces := drivertest.Clean(n, query, reply)
			pieces[0].After += every
			switch rng.IntN(12) {
			case 0:
				pieces[0].After = time.Duration(rng.IntN(6000)) * time.Millisecond
			case 1:
				return nil
			}
			return pieces
		})
		for range 15 {
			k.port.Advance(time.Duration(rng.IntN(3000)) * time.Millisecond)
			if every = 0; rng.IntN(3) == 0 {
				every = time.Duration(rng.IntN(8000)) * time.Millisecond
			}
			began := k.port.Now()
			reports, err := drivers.Collect(t.Context(), k.conn)
			if err != nil {
				failed++
				continue
			}
			good++
			if v := reports[0].VolumeInfused; v.Mantissa < int64(began/time.Millisecond) {
				t.Errorf("run %d (seed %d): a volume of %s in a cycle that began at %v", run, seed, v.Decimal(), began)
			}
		}
	}
	t.Logf("%d good cycles, %d failed", good, failed)
	if good < 300 || failed == 0 {
		t.Errorf("%d good cycles, %d failed: the faults prove nothing", good, failed)
	}
}

// What the pump said between two cycles lies in the buffer and is old.
// Covers GW-09.
func TestWhatLiesInTheBufferIsNotUsed(t *testing.T) {
	k := open(t, newPump(t))
	k.poll()
	k.port.Inject(drivertest.Piece{Bytes: frame(inf(map[int]string{4: "9.99"}))}, drivertest.Piece{Bytes: frame("ALARM^AL_FAULT^ ^ ")})
	if r := k.poll(); r.PumpReportedRate.Decimal() != "5.01" || len(r.Alarms) != 0 {
		t.Errorf("%+v", r)
	}
}

// A late answer to ALARM is not the answer to the next ALARM.
// Covers GW-09, GW-19.
func TestALateAlarmIsNotTheNextOne(t *testing.T) {
	p := shows(t, "A", "ALARM^AL_OCCLU^ ^ ")
	k := open(t, p)
	k.poll()
	k.port.SetTamper(func(n int, query, reply []byte) []drivertest.Piece {
		pieces := drivertest.Clean(n, query, reply)
		if strings.HasPrefix(string(reply), "!ALARM") {
			k.port.SetTamper(nil)
			p.body[wire.Alarm] = "ALARM^AL_FAULT^ ^ " // the next one is another
			pieces[0].After = 1500 * time.Millisecond
		}
		return pieces
	})
	if r := k.poll(); len(r.Alarms) != 1 || r.Alarms[0].RawCode != "AL_FAULT" {
		t.Errorf("%+v", r.Alarms)
	}
}

// A pump that always takes as long as it declares is read, once its slowness is known.
func TestASlowPumpIsRead(t *testing.T) {
	for _, row := range []struct {
		declared string
		takes    time.Duration
		readable bool
	}{
		{"COMMS_RESPONSE_MAX^4000^ms", 3900 * time.Millisecond, true},
		{"COMMS_RESPONSE_MAX^1500^ms", 1400 * time.Millisecond, true},
		{"COMMS_RESPONSE_MAX^200^ms", 900 * time.Millisecond, true},
		{"COMMS_RESPONSE_MAX^60000^ms", 4900 * time.Millisecond, true},
		{"COMMS_RESPONSE_MAX^60000^ms", 7 * time.Second, false},
		{"COMMS_RESPONSE_MAX^4^s", 3 * time.Second, true},
	} {
		p := newPump(t)
		p.body[wire.ResponseMax] = row.declared
		k := open(t, p)
		k.poll()
		k.port.SetTamper(func(_ int, _, reply []byte) []drivertest.Piece {
			return []drivertest.Piece{{After: row.takes, Bytes: reply}}
		})
		good := 0
		for range 6 {
			k.port.Advance(5 * time.Second)
			if reports, _ := drivers.Collect(t.Context(), k.conn); len(reports) == 1 {
				good++
			}
		}
		if row.readable && good < 4 || !row.readable && good != 0 {
			t.Errorf("%s, an answer after %v: %d of 6 cycles are good", row.declared, row.takes, good)
		}
		k.port.SetTamper(nil)
		k.port.Advance(time.Minute)
		k.poll()
		began := k.port.Now()
		if k.poll(); k.port.Now()-began > 3*time.Second {
			t.Errorf("%s: slow for ever", row.declared)
		}
	}
}

// Escape from the pump cancels the frame that is being received, and what the pump sends instead counts.
// Covers GW-10.
func TestEscapeCancelsAFrame(t *testing.T) {
	k := open(t, newPump(t))
	k.poll()
	k.port.SetTamper(func(n int, query, reply []byte) []drivertest.Piece {
		torn := append(slices.Clone(reply[:len(reply)/2]), wire.Cancel)
		return drivertest.Clean(n, query, append(torn, reply...))
	})
	if r := k.poll(); r.BadFrames != 4 || r.PumpReportedRate.Decimal() != "5.01" {
		t.Errorf("%d bad frames, %+v", r.BadFrames, r.PumpReportedRate)
	}
	k.port.SetTamper(func(n int, query, reply []byte) []drivertest.Piece {
		return drivertest.Clean(n, query, slices.Insert(slices.Clone(reply), len(reply)-3, wire.Cancel))
	})
	if err := k.fails(); !errors.Is(err, drivers.ErrTruncated) {
		t.Errorf("%v, want ErrTruncated", err)
	}
}

// A damaged INF that the checksum lets pass would have to come twice: one that disagrees with the INF before it
// is asked again.
func TestAClosingINFThatDisagreesIsAskedAgain(t *testing.T) {
	p := newPump(t)
	k := open(t, p)
	k.poll()
	puts := p.puts[wire.Status]
	p.before = func(q wire.Request, n int) {
		p.body[wire.Status] = inf(nil)
		if q == wire.Status && n == puts+2 {
			p.body[wire.Status] = inf(map[int]string{4: "5.91"})
		}
	}
	if r := k.poll(); r.PumpReportedRate.Decimal() != "5.01" || p.puts[wire.Status] != puts+4 {
		t.Errorf("rate %s after %d INF", r.PumpReportedRate.Decimal(), p.puts[wire.Status]-puts)
	}
}

// The cable is moved within a cycle: neither pump's values are reported, and the change is said.
// Covers GW-07.
func TestACableThatMovesWithinACycle(t *testing.T) {
	for at := range 4 {
		k := open(t, newPump(t))
		k.poll()
		n := 0
		k.port.SetTamper(func(i int, query, reply []byte) []drivertest.Piece {
			if n++; n == at {
				k.port.SetPump(otherPump(t).respond)
			}
			return drivertest.Clean(i, query, reply)
		})
		if at == 0 {
			k.port.SetPump(otherPump(t).respond)
		}
		if err := k.fails(); !errors.Is(err, drivers.ErrIdentity) {
			t.Errorf("after %d answers: %v, want ErrIdentity", at, err)
		}
		if r := k.poll(); r.Identity.Serial != "SIM1-00002" || r.ProgrammedRate.Decimal() != "7.03" || r.Identity.Model != "Alaris (Asena Rev 3.0.0)" {
			t.Errorf("after the change: %+v", r)
		}
	}
}

// A reply of the right name that is no reply is a bad frame, and the request is put again.
// Covers GW-10.
func TestAReplyThatIsNone(t *testing.T) {
	p := newPump(t)
	k := open(t, p)
	k.poll()
	puts := p.puts[wire.Status]
	p.before = func(q wire.Request, n int) {
		p.body[wire.Status] = inf(nil)
		if q == wire.Status && n == puts+1 {
			p.body[wire.Status] = "INF^ERROR"
		}
	}
	if r := k.poll(); r.BadFrames != 1 || r.PumpReportedRate.Decimal() != "5.01" {
		t.Errorf("%d bad frames, %+v", r.BadFrames, r.PumpReportedRate)
	}
	p.before = nil
	p.body[wire.Status] = "INF^ERROR"
	if err := k.fails(); !errors.Is(err, drivers.ErrMalformed) || errors.Is(err, drivers.ErrSilent) {
		t.Errorf("%v, want ErrMalformed", err)
	}
}
