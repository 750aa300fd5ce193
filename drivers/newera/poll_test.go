package newera

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/newera/wire"
)

type talk struct {
	t       *testing.T
	port    *drivertest.Port
	conn    drivers.Conn
	anchors map[string]string
}

func open(t *testing.T, s *scripted, anchors map[string]string, addresses ...string) *talk {
	t.Helper()
	d := driver(t, nil)
	port := drivertest.NewPort(d.Profile(), s.respond)
	conn, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now, Addresses: addresses, Anchors: anchors})
	if err != nil {
		t.Fatal(err)
	}
	return &talk{t, port, conn, map[string]string{}}
}

func (k *talk) poll() ([]drivers.Report, error) {
	k.port.Advance(5 * time.Second)
	reports, err := drivers.Collect(k.t.Context(), k.conn)
	for _, r := range reports {
		k.anchors[drivers.AnchorKey(r.Identity.Serial, r.Address)] = r.Anchor
	}
	return reports, err
}

func (k *talk) one() drivers.Report {
	k.t.Helper()
	reports, err := k.poll()
	if err != nil || len(reports) != 1 {
		k.t.Fatalf("%d reports, %v", len(reports), err)
	}
	return reports[0]
}

func standing(status string) map[wire.Query]string {
	answers := running()
	for q, text := range answers {
		answers[q] = status + text[1:]
	}
	return answers
}

func raws(r drivers.Report) string {
	var out []string
	for _, a := range r.Alarms {
		out = append(out, a.RawCode)
	}
	return strings.Join(out, " ")
}

// Covers GW-26.
func TestReportHoldsWhatThePumpSays(t *testing.T) {
	r := open(t, newLine(t), nil).one()
	if r.Identity != (drivers.Identity{Model: "NE-1000", Firmware: "3.928"}) || r.Address != "00" || r.State != drivers.RunInfusing || r.Mode != "infusing" ||
		r.ProgrammedRate != drivers.Number(5000, -3, drivers.MilliliterPerHour) || r.VolumeInfused != drivers.Number(1234, -3, drivers.Milliliter) ||
		r.VTBI != drivers.Number(1000, -2, drivers.Milliliter) || r.PumpReportedRate.Valid || !r.AlarmsKnown || len(r.Alarms) > 0 {
		t.Errorf("report %+v", r)
	}
}

func TestStatesAndUnits(t *testing.T) {
	for status, want := range map[string]drivers.RunState{
		"I": drivers.RunInfusing, "W": drivers.RunUnknown, "S": drivers.RunStopped, "P": drivers.RunPaused, "T": drivers.RunDelayed, "U": drivers.RunDelayed, "X": drivers.RunPriming,
	} {
		s := newLine(t)
		s.pumps[0] = standing(status)
		if r := open(t, s, nil).one(); r.State != want || r.Mode == "" {
			t.Errorf("status %s: state %d (%s), want %d", status, r.State, r.Mode, want)
		}
	}
	for text, want := range map[string]drivers.Quantity{
		"I5.000MM": drivers.Number(5000, -3, drivers.MilliliterPerMinute), "I250.0UH": drivers.Number(2500, -1, drivers.MicroliterPerHour), "I1000.UM": drivers.Number(1000, 0, drivers.MicroliterPerMinute),
		"I?NA": {}, "I?": {},
	} {
		s := newLine(t)
		s.pumps[0][wire.Rate] = text
		r := open(t, s, nil).one()
		if r.ProgrammedRate != want || want.Valid == (len(r.Unavailable) > 0) {
			t.Errorf("RAT %s: %+v, unavailable %v", text, r.ProgrammedRate, r.Unavailable)
		}
	}
	s := newLine(t)
	s.pumps[0][wire.Volume] = "I0.000ML"
	if r := open(t, s, nil).one(); r.VTBI.Valid {
		t.Errorf("no target: %+v", r.VTBI)
	}
}

// Reading acknowledges the alarm in the pump; the driver keeps it until the pump is seen running, over failures and restarts.
func TestAnAlarmIsKeptUntilThePumpRuns(t *testing.T) {
	s := newLine(t)
	k := open(t, s, nil)
	k.one()
	s.pumps[0], s.alarm[0] = standing("S"), 'S'
	r := k.one()
	if raws(r) != "A?S" || r.Alarms[0].Code != drivers.AlarmOcclusion || r.State != drivers.RunStoppedByAlarm || !r.AlarmsKnown {
		t.Fatalf("alarm: %s, state %d", raws(r), r.State)
	}
	if r = k.one(); raws(r) != "A?S" {
		t.Errorf("a cycle later: %q", raws(r))
	}
	k.port.SetTamper(func(int, []byte, []byte) []drivertest.Piece { return nil })
	if _, err := k.poll(); !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("silence: %v", err)
	}
	k.port.SetTamper(nil)
	if r = k.one(); raws(r) != "A?S" {
		t.Errorf("after a failed cycle: %q", raws(r))
	}
	again := open(t, s, k.anchors)
	if r = again.one(); raws(r) != "A?S" || !r.AlarmsKnown {
		t.Errorf("after a restart: %q", raws(r))
	}
	s.pumps[0] = running()
	if r = again.one(); len(r.Alarms) > 0 || !r.AlarmsKnown {
		t.Errorf("running again: %q", raws(r))
	}
	if r = open(t, s, again.anchors).one(); len(r.Alarms) > 0 {
		t.Errorf("after another restart: %q", raws(r))
	}
}

func TestTwoAlarmsAndOneThatNobodyKnows(t *testing.T) {
	s := newLine(t)
	k := open(t, s, nil)
	k.one()
	s.pumps[0], s.alarm[0] = standing("S"), 'E'
	k.one()
	s.alarm[0] = 'Q'
	if r := k.one(); raws(r) != "A?E A?Q" || r.Alarms[1].Code != drivers.AlarmUnknown {
		t.Errorf("alarms %+v", r.Alarms)
	}
}

// What was lost may have been an alarm; nobody can say that there is none.
func TestALostReplyMakesAlarmsUnknown(t *testing.T) {
	s := newLine(t)
	s.pumps[0] = standing("S")
	k := open(t, s, nil)
	if r := k.one(); r.AlarmsKnown || r.AlarmsReason == "" {
		t.Errorf("first contact with a pump that stands still: alarms known")
	}
	s.pumps[0] = running()
	if r := k.one(); !r.AlarmsKnown {
		t.Errorf("running: %s", r.AlarmsReason)
	}
	s.pumps[0] = standing("S")
	if r := k.one(); !r.AlarmsKnown || len(r.Alarms) > 0 {
		t.Errorf("stopped under our eyes: %s", r.AlarmsReason)
	}
	lost := 0
	k.port.SetTamper(func(n int, query, reply []byte) []drivertest.Piece {
		if lost++; lost == 1 {
			return nil
		}
		return drivertest.Clean(n, query, reply)
	})
	if r := k.one(); r.AlarmsKnown {
		t.Error("a reply was lost, and alarms are known")
	}
	if r := open(t, s, k.anchors).one(); r.AlarmsKnown {
		t.Error("after a restart it is forgotten")
	}
}

// A digit that changed in one reply is not taken, whichever reply it is.
// Covers GW-10.
func TestAChangedDigitIsAskedAgain(t *testing.T) {
	for at := range 12 {
		s := newLine(t)
		k := open(t, s, nil)
		k.one()
		n := 0
		k.port.SetTamper(func(i int, query, reply []byte) []drivertest.Piece {
			if n++; n-1 == at {
				reply = bytes.Replace(reply, []byte("5.000"), []byte("7.000"), 1)
				reply = bytes.Replace(reply, []byte("1.234"), []byte("1.239"), 1)
				reply = bytes.Replace(reply, []byte("00I"), []byte("00S"), 1)
			}
			return drivertest.Clean(i, query, reply)
		})
		if r := k.one(); r.ProgrammedRate.Decimal() != "5.000" || r.VolumeInfused.Decimal() != "1.234" || r.State != drivers.RunInfusing {
			t.Errorf("reply %d: %s, %s, state %d", at, r.ProgrammedRate.Decimal(), r.VolumeInfused.Decimal(), r.State)
		}
	}
}

func TestAGrowingVolumeIsTakenFromTheMiddle(t *testing.T) {
	s := newLine(t)
	k := open(t, s, nil)
	k.one()
	n := 0
	k.port.SetTamper(func(i int, query, reply []byte) []drivertest.Piece {
		if bytes.Contains(query, []byte("DIS")) {
			n++
			reply = bytes.Replace(reply, []byte("1.234"), []byte([]string{"2.001", "2.002", "2.003", "2.004", "2.005"}[min(n-1, 4)]), 1)
		}
		return drivertest.Clean(i, query, reply)
	})
	if r := k.one(); r.VolumeInfused.Decimal() != "2.002" {
		t.Errorf("%s", r.VolumeInfused.Decimal())
	}
	falls := []string{"9.001", "8.002", "7.003", "6.004", "5.005", "4.000", "3.000", "2.000", "1.000"}
	n = 0
	k.port.SetTamper(func(i int, query, reply []byte) []drivertest.Piece {
		if bytes.Contains(query, []byte("DIS")) {
			n++
			reply = bytes.Replace(reply, []byte("1.234"), []byte(falls[(n-1)%len(falls)]), 1)
		}
		return drivertest.Clean(i, query, reply)
	})
	if reports, err := k.poll(); !errors.Is(err, drivers.ErrMismatch) || len(reports) > 0 {
		t.Errorf("a volume that falls: %+v, %v", reports, err)
	}
}

// Live pumps first; a dead one costs a single wait, at the end.
// Covers GW-14.
func TestADeadAddressIsAskedLastAndOnce(t *testing.T) {
	s := newLine(t)
	s.pumps = map[int]map[wire.Query]string{3: running()}
	k := open(t, s, nil, "01", "03")
	k.one()
	s.asked = nil
	var came time.Duration
	k.port.Advance(5 * time.Second)
	began := k.port.Now()
	if err := k.conn.Poll(t.Context(), func(drivers.Report) { came = k.port.Now() - began }); err != nil {
		t.Fatal(err)
	}
	took := k.port.Now() - began
	if came >= replyTimeout || took-came > replyTimeout+2*commandGap {
		t.Errorf("the live pump's report after %v, the cycle took %v", came, took)
	}
	if n := slices.Index(s.asked, 1); n != len(s.asked)-1 {
		t.Errorf("asked in the order %v", s.asked)
	}
	s.pumps[1] = running()
	if reports, err := k.poll(); err != nil || len(reports) != 2 {
		t.Errorf("the dead one lives: %d reports, %v", len(reports), err)
	}
	delete(s.pumps, 1)
	delete(s.pumps, 3)
	if _, err := k.poll(); !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("both dead: %v", err)
	}
}

// The answer of another address is not ours, late or not.
func TestAnswersOfAnotherAddress(t *testing.T) {
	s := newLine(t)
	s.pumps = map[int]map[wire.Query]string{0: running(), 1: running()}
	s.pumps[1][wire.Rate] = "I9.000MH"
	k := open(t, s, nil, "00", "01")
	for range 3 {
		k.port.SetTamper(func(_ int, _, reply []byte) []drivertest.Piece {
			return []drivertest.Piece{{After: time.Millisecond, Bytes: []byte("\x0201I9.000MH\x03\x0200I")}, {After: 20 * time.Millisecond, Bytes: reply}}
		})
		reports, err := k.poll()
		for _, r := range reports {
			if want := map[string]string{"00": "5.000", "01": "9.000"}[r.Address]; r.ProgrammedRate.Decimal() != want {
				t.Errorf("pump %s: %s, want %s", r.Address, r.ProgrammedRate.Decimal(), want)
			}
		}
		if err != nil && len(reports) > 0 {
			t.Errorf("%d reports beside %v", len(reports), err)
		}
	}
}

// A pump that somebody put into safe mode: framed queries, and an alarm packet that comes by itself.
func TestSafeMode(t *testing.T) {
	s := newLine(t)
	d := driver(t, map[string]string{"framing": "safe"})
	port := drivertest.NewPort(d.Profile(), func(query []byte) []byte {
		data, framing, err := wire.DecodeFrame(query)
		if err != nil || framing != wire.Safe {
			t.Fatalf("written % X", query)
		}
		reply := s.respond(append(bytes.Clone(data), '\r'))
		return wire.AppendSafe(nil, reply[1:len(reply)-1])
	})
	conn, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now})
	if err != nil {
		t.Fatal(err)
	}
	k := &talk{t, port, conn, map[string]string{}}
	k.one()
	s.pumps[0] = standing("S")
	first := true
	port.SetTamper(func(n int, query, reply []byte) []drivertest.Piece {
		if first {
			first = false
			return []drivertest.Piece{{After: time.Millisecond, Bytes: wire.AppendSafe(nil, []byte("00A?T"))}, {After: 20 * time.Millisecond, Bytes: reply}}
		}
		return drivertest.Clean(n, query, reply)
	})
	if r := k.one(); raws(r) != "A?T" || r.Alarms[0].Code != drivers.AlarmCommunication || r.Unsolicited != 1 {
		t.Errorf("alarms %q, %d by themselves", raws(r), r.Unsolicited)
	}
}

func TestAddressesAreChecked(t *testing.T) {
	d := driver(t, nil)
	port := drivertest.NewPort(d.Profile(), newLine(t).respond)
	for _, address := range []string{"100", "-1", "x", ""} {
		if _, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now, Addresses: []string{address}}); err == nil || !strings.Contains(err.Error(), "00 to 99") {
			t.Errorf("address %q: %v", address, err)
		}
	}
}

// Covers GW-25.
func TestExplainCoversEveryByteOnce(t *testing.T) {
	stream := []byte("xx\x0200I5.000MH\x03\x0200A?S\x03\x02" + string(rune(14)) + "00I5.000MH4?\x03junk")
	at := 0
	all := driver(t, nil).(drivers.Explainer).Explain(drivers.FromPump, stream)
	for _, e := range all {
		if e.Offset != at || len(e.Bytes) == 0 {
			t.Errorf("%q at %d, want %d", e.Name, e.Offset, at)
		}
		for _, f := range e.Fields {
			if f.Offset+f.Length > len(e.Bytes) || f.Name == "address" && string(e.Bytes[f.Offset:f.Offset+f.Length]) != "00" {
				t.Errorf("%q: field %+v", e.Name, f)
			}
		}
		at += len(e.Bytes)
	}
	if at != len(stream) || len(all) != 5 {
		t.Errorf("%d of %d bytes in %d pieces", at, len(stream), len(all))
	}
	queries := driver(t, nil).(drivers.Explainer).Explain(drivers.ToPump, []byte("00RAT\r00RUN\r"))
	if len(queries) != 2 || queries[0].Err != nil || !errors.Is(queries[1].Err, drivers.ErrForbidden) {
		t.Errorf("queries %+v", queries)
	}
}
