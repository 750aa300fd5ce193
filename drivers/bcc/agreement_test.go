package bcc

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/drivertest"
)

// Every field of a report that this driver fills is compared with the one before, so none can change by damage unseen.
// Covers GW-10.
func TestEveryFieldIsCompared(t *testing.T) {
	never := []string{ // by this driver
		"Address", // each pump has its own report before
		"PumpReportedRate", "Program", "BolusInfused", "BatteryVolts", "BatteryLevel", "BatteryStatus", "UpstreamSensor", "UpstreamThreshold",
		"PumpClock", "PumpClockS", "Log", "LogGaps", "Anchor", "LogSeen", "BadFrames", "Unsolicited",
	}
	whole := newStation(t)
	whole.blocks[1] += "\x1e" + block(300, "11", "INM2", "1", "INBORT", "600.00", "INBOVAL", "2.0", "INNR", "x")
	whole.blocks[1] = strings.ReplaceAll(whole.blocks[1], "INSYR,_NV", "INSYR,50.0")
	reports, err := open(t, whole, nil).poll()
	if err != nil || len(reports) != 1 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	r := reports[0]
	v := reflect.ValueOf(&r).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if slices.Contains(never, name) {
			if !v.Field(i).IsZero() && name != "Address" {
				t.Errorf("%s is filled and not compared", name)
			}
			continue
		}
		other := r
		change(t, name, reflect.ValueOf(&other).Elem().Field(i))
		before := heard{report: r}
		if before.agrees(&other, 5*time.Second) {
			t.Errorf("%s is %+v and was %+v, and that agrees", name, reflect.ValueOf(other).Field(i), v.Field(i))
		}
	}
	if before := (heard{report: r}); !before.agrees(&r, 5*time.Second) {
		t.Error("a report does not agree with itself")
	}
}

// change makes a value a very different one.
func change(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *drivers.Quantity:
		*x = drivers.Number(x.Mantissa+1000000, x.Exponent, x.Unit)
	case *drivers.Identity:
		x.Serial += "1"
	case *drivers.RunState:
		*x++
	case *drivers.Truth:
		*x = (*x + 1) % 3
	case *string:
		*x += "1"
	case *[]string:
		*x = append(slices.Clone(*x), "1")
	case *bool:
		*x = !*x
	case *[]drivers.Alarm:
		*x = append(slices.Clone(*x), drivers.Alarm{Code: drivers.AlarmAirInLine})
	default:
		t.Fatalf("no other value for %s", name)
	}
}

func TestWhatMovesMayMove(t *testing.T) {
	ml := func(tenths int64) drivers.Quantity { return drivers.Number(tenths, -1, drivers.Milliliter) }
	s := func(n int64) drivers.Quantity { return drivers.Number(n, 0, drivers.Second) }
	rate := drivers.Number(7200, -2, drivers.MilliliterPerHour) // 0.1 mL in five seconds
	for _, row := range []struct {
		name          string
		before, after drivers.Report
		want          bool
	}{
		{"volume of the rate", drivers.Report{VolumeInfused: ml(123)}, drivers.Report{VolumeInfused: ml(124)}, true},
		{"volume, two steps more", drivers.Report{VolumeInfused: ml(123)}, drivers.Report{VolumeInfused: ml(126)}, true},
		{"digits swapped", drivers.Report{VolumeInfused: ml(123)}, drivers.Report{VolumeInfused: ml(132)}, false},
		{"point swapped", drivers.Report{VolumeInfused: ml(120)}, drivers.Report{VolumeInfused: drivers.Number(1200, -2, drivers.Milliliter)}, false},
		{"counter cleared", drivers.Report{VolumeInfused: ml(123)}, drivers.Report{VolumeInfused: ml(0)}, false},
		{"volume gone", drivers.Report{VolumeInfused: ml(123)}, drivers.Report{}, false},
		{"what remains falls", drivers.Report{VTBIRemaining: ml(877)}, drivers.Report{VTBIRemaining: ml(876)}, true},
		{"what remains rises", drivers.Report{VTBIRemaining: ml(877)}, drivers.Report{VTBIRemaining: ml(878)}, false},
		{"time passes", drivers.Report{TimeRemaining: s(6000)}, drivers.Report{TimeRemaining: s(5995)}, true},
		{"time leaps", drivers.Report{TimeRemaining: s(6000)}, drivers.Report{TimeRemaining: s(600)}, false},
		{"battery", drivers.Report{BatteryTime: s(14400)}, drivers.Report{BatteryTime: s(14340)}, true},
		{"battery leaps", drivers.Report{BatteryTime: s(14400)}, drivers.Report{BatteryTime: s(1440)}, false},
		{"pressure", drivers.Report{DownstreamSensor: drivers.Number(17, 0, drivers.PercentOfLimit)}, drivers.Report{DownstreamSensor: drivers.Number(30, 0, drivers.PercentOfLimit)}, true},
		{"pressure leaps", drivers.Report{DownstreamSensor: drivers.Number(17, 0, drivers.PercentOfLimit)}, drivers.Report{DownstreamSensor: drivers.Number(71, 0, drivers.PercentOfLimit)}, false},
	} {
		row.before.ProgrammedRate, row.after.ProgrammedRate = rate, rate
		before := heard{report: row.before, at: time.Hour}
		if got := before.agrees(&row.after, time.Hour+5*time.Second); got != row.want {
			t.Errorf("%s: agrees %v, want %v", row.name, got, row.want)
		}
	}
}

// A value that is damaged so that the check does not see it is asked for again; the true one comes.
// Covers GW-10.
func TestSwappedDigitsAreAskedForAgain(t *testing.T) {
	k := open(t, newStation(t), nil)
	if _, err := k.poll(); err != nil {
		t.Fatal(err)
	}
	struck := 0
	k.port.SetTamper(func(n int, query, reply []byte) []drivertest.Piece {
		if text := strings.Replace(string(reply), "INRT,5.00", "INRT,50.0", 1); struck == 0 && text != string(reply) {
			struck++
			reply = []byte(text)
		}
		return drivertest.Clean(n, query, reply)
	})
	before := len(k.port.Writes())
	reports, err := k.poll()
	if err != nil || len(reports) != 1 || reports[0].ProgrammedRate.Decimal() != "5.00" || struck != 1 {
		t.Errorf("%+v, %v, struck %d", reports, err, struck)
	}
	nak := 0
	for _, w := range k.port.Writes()[before:] {
		if w[0] == wire.NAK {
			nak++
		}
	}
	if nak != 1 {
		t.Errorf("%d NAK", nak)
	}
}

// What never comes twice alike is never taken.
// Covers GW-10.
func TestWhatNeverComesTwiceIsNotTaken(t *testing.T) {
	s := newStation(t)
	k := open(t, s, nil)
	n := 0
	k.port.SetTamper(func(i int, query, reply []byte) []drivertest.Piece {
		n++
		text := strings.Replace(string(reply), "INRT,5.00", "INRT,"+string(rune('1'+n%9))+".00", 1)
		if text != string(reply) {
			var b wire.Block
			if _, err := wire.DecodeFrame(reply, nil, true, &b); err != nil {
				t.Fatal(err)
			}
			reply = s.frame(strings.Replace(string(b.Information), "INRT,5.00", "INRT,"+string(rune('1'+n%9))+".00", 1), b.Last)
		}
		return drivertest.Clean(i, query, reply)
	})
	for range 3 {
		reports, err := k.poll()
		if !errors.Is(err, errAgain) || len(reports) > 0 {
			t.Errorf("%d reports, %v", len(reports), err)
		}
	}
}
