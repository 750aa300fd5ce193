package miva

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/miva/wire"
)

func TestFirstReportHoldsEverythingThePumpSaid(t *testing.T) {
	r := open(t, newPump(t), nil, nil).poll()
	want := drivers.Report{
		Identity:         drivers.Identity{Serial: "SIM00001", Model: "Zyno unified H", Firmware: "2.17"},
		State:            drivers.RunInfusing,
		Mode:             "CONT",
		ProgrammedRate:   drivers.Number(112, -2, drivers.MilliliterPerHour),
		PumpReportedRate: drivers.Number(111, -2, drivers.MilliliterPerHour),
		VolumeInfused:    drivers.Number(1234, -2, drivers.Milliliter),
		VTBI:             drivers.Number(10000, -2, drivers.Milliliter),
		Program:          "DAILY 1",
		BolusRunning:     drivers.No,
		BatteryVolts:     drivers.Number(285, -2, drivers.Volt),
		UpstreamSensor:   drivers.Number(500, 0, drivers.RawCount), DownstreamSensor: drivers.Number(520, 0, drivers.RawCount),
		UpstreamThreshold: drivers.Number(800, 0, drivers.RawCount), DownstreamThreshold: drivers.Number(810, 0, drivers.RawCount),
		PumpClock: "F0012400", PumpClockS: drivers.Number(74752, 0, drivers.Second),
		AlarmsKnown: true, LogSeen: true,
		Alarms: []drivers.Alarm{{
			Code: drivers.AlarmBatteryLow, RawCode: "30/0", Text: "battery low", Derived: true,
			PumpTime: "F0000258", AgeS: drivers.Number(74152, 0, drivers.Second),
		}},
	}
	log := r.Log
	r.Log, r.Anchor = nil, ""
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if len(log) != 6 {
		t.Errorf("%d log records, want 6", len(log))
	}
}

// Covers GW-22.
func TestFastCyclesHoldNothingThatWasNotAsked(t *testing.T) {
	p := newPump(t)
	delete(p.log, p.head) // no alarm, so that the clock is not needed
	p.head--
	k := open(t, p, nil, nil)
	k.poll()
	p.asked = nil
	r := k.poll()
	if r.BatteryVolts.Valid || r.PumpClock != "" || r.Mode != "" || r.UpstreamSensor.Valid || r.UpstreamThreshold.Valid || r.Program != "" || len(r.Log) > 0 {
		t.Errorf("slow values in a fast cycle: %+v", r)
	}
	want := []wire.Query{
		wire.Serial, wire.TextRunning, wire.RateUnit, wire.TextRate, wire.ProgrammedRateUnit, wire.TextProgrammedRate,
		wire.VolumeInfused, wire.VTBI, wire.BolusRunning, wire.LogIndices, wire.Serial,
	}
	if diff := cmp.Diff(want, p.asked); diff != "" {
		t.Errorf("queries of a fast cycle (-want +got):\n%s", diff)
	}
	k.port.Advance(30 * time.Second)
	if r := k.poll(); !r.BatteryVolts.Valid || r.Mode != "CONT" || r.PumpClock == "" {
		t.Errorf("slow values are missing after 30 s: %+v", r)
	}
}

// Covers GW-22.
func TestRateInAnotherUnitIsAbsentAndNamed(t *testing.T) {
	p := newPump(t)
	p.text[wire.RateUnit] = "MG/MIN"
	delete(p.text, wire.ProgrammedRateUnit)
	r := open(t, p, nil, nil).poll()
	if r.PumpReportedRate.Valid || r.ProgrammedRate.Valid {
		t.Errorf("rates %+v, %+v, want none", r.PumpReportedRate, r.ProgrammedRate)
	}
	want := []string{`:INFU:RATE? (in the unit "MG/MIN")`, "QC", ":PROTOCOL:RATE? (its unit is not known)"}
	if diff := cmp.Diff(want, r.Unavailable); diff != "" {
		t.Errorf("Unavailable (-want +got):\n%s", diff)
	}
	if slices.Contains(p.asked, wire.TextRate) {
		t.Error("a rate was asked whose unit is not known")
	}
}

func TestUnitIsReadInEveryCycle(t *testing.T) {
	p := newPump(t)
	k := open(t, p, nil, nil)
	k.poll()
	p.text[wire.RateUnit] = "MCG/KG/MIN" // reprogrammed: the figure stays, the unit does not
	if r := k.poll(); r.PumpReportedRate.Valid {
		t.Errorf("rate %+v in the unit of an earlier cycle", r.PumpReportedRate)
	}
}

func TestOlderFirmware(t *testing.T) {
	p := newPump(t)
	p.running = ""
	for _, q := range []wire.Query{wire.TextRate, wire.TextProgrammedRate, wire.TextProgram, wire.Platform} {
		delete(p.text, q)
	}
	p.text[wire.OldRunning] = "1"
	p.numbers[wire.OldRate] = [2]uint32{111}
	clock := wire.Clock{Old: true, Date: wire.Date{Year: 26, Month: 3, Day: 14, Hour: 12, Minute: 30, Second: 45}}
	p.clock = &clock
	p.log, p.head = map[uint32]wire.Record{}, 0
	p.add(wire.Event{Type: wire.EventOcclusion, Subtype: 2, Stamp: wire.DateStamp(wire.Date{Year: 26, Month: 3, Day: 14, Hour: 12, Minute: 27, Second: 38})}.Record())
	k := open(t, p, nil, nil)
	r := k.poll()
	if r.State != drivers.RunInfusing || r.PumpReportedRate != drivers.Number(111, -2, drivers.MilliliterPerHour) || r.ProgrammedRate.Valid || r.Identity.Model != "Zyno MIVA" {
		t.Errorf("state %d, rate %+v, programmed %+v, model %q", r.State, r.PumpReportedRate, r.ProgrammedRate, r.Identity.Model)
	}
	if r.PumpClock != "0E031A0C1E2D" || r.PumpClockS.Valid {
		t.Errorf("clock %q, %+v", r.PumpClock, r.PumpClockS)
	}
	if len(r.Alarms) != 1 || r.Alarms[0].PumpTime != "2026-03-14 12:27:38" || r.Alarms[0].AgeS != drivers.Number(187, 0, drivers.Second) {
		t.Errorf("alarms %+v", r.Alarms)
	}
	want := []string{"RM", ":INFU:RUN?", ":INFU:RATE?", ":PROTOCOL:RATE?", ":PROTOCOL:NAME?"}
	if diff := cmp.Diff(want, r.Unavailable); diff != "" {
		t.Errorf("Unavailable (-want +got):\n%s", diff)
	}
}

func TestUnavailableQueriesAreAskedAgainAfterTenMinutes(t *testing.T) {
	p := newPump(t)
	delete(p.text, wire.TextProgrammedRate)
	k := open(t, p, nil, nil)
	count := func() int {
		n := 0
		for _, q := range p.asked {
			if q == wire.TextProgrammedRate {
				n++
			}
		}
		return n
	}
	if r := k.poll(); r.ProgrammedRate.Valid || count() != 3 {
		t.Errorf("asked %d times at first, want 3", count())
	}
	k.poll()
	if count() != 3 {
		t.Errorf("asked %d times while unavailable, want 3", count())
	}
	p.text[wire.TextProgrammedRate] = "1.12"
	k.port.Advance(10 * time.Minute)
	if r := k.poll(); !r.ProgrammedRate.Valid || count() != 4 {
		t.Errorf("rate %+v after ten minutes, asked %d times", r.ProgrammedRate, count())
	}
}

func TestQueryThatFallsSilentFailsTheCycleAndBeginsASession(t *testing.T) {
	p := newPump(t)
	k := open(t, p, nil, nil)
	k.poll()
	volume := p.numbers[wire.VolumeInfused]
	delete(p.numbers, wire.VolumeInfused)
	if reports, err := drivers.Collect(t.Context(), k.conn); !errors.Is(err, drivers.ErrSilent) || reports != nil {
		t.Fatalf("Poll: %v, %v, want ErrSilent", reports, err)
	}
	p.numbers[wire.VolumeInfused] = volume
	p.asked = nil
	r := k.poll()
	if !slices.Contains(p.asked, wire.Firmware) || !slices.Contains(p.asked, wire.OcclusionThresholds) || len(r.Log) != 0 || !r.AlarmsKnown {
		t.Errorf("no new session: asked %v, %d log records, alarms known %v", p.asked, len(r.Log), r.AlarmsKnown)
	}
}

// Covers GW-22.
func TestAnswerWithoutAValueIsAbsentInThisCycleOnly(t *testing.T) {
	p := newPump(t)
	k := open(t, p, nil, nil)
	k.poll()
	p.raw = map[wire.Query]string{wire.VTBI: "Q6ERROR"}
	if r := k.poll(); r.VTBI.Valid || !slices.Contains(r.Unavailable, "Q6") {
		t.Errorf("VTBI %+v, unavailable %v", r.VTBI, r.Unavailable)
	}
	p.raw = nil
	if r := k.poll(); !r.VTBI.Valid {
		t.Error("VTBI is still absent")
	}
}

func TestBolus(t *testing.T) {
	rows := []struct {
		name, running, flag string
		state               drivers.RunState
		bolus               drivers.Truth
	}{
		{"infusing", "TRUE", "0", drivers.RunInfusing, drivers.No},
		{"bolus", "TRUE", "1", drivers.RunBolus, drivers.Yes},
		{"says both", "FALSE", "1", drivers.RunUnknown, drivers.Yes},
		{"another word", "TRUE", "MAYBE", drivers.RunInfusing, drivers.Unknown},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := newPump(t)
			p.running, p.text[wire.BolusRunning] = row.running, row.flag
			r := open(t, p, nil, nil).poll()
			if r.State != row.state || r.BolusRunning != row.bolus {
				t.Errorf("state %d, bolus %d, want %d, %d", r.State, r.BolusRunning, row.state, row.bolus)
			}
			want := row.bolus == drivers.Yes
			if r.BolusRate.Valid != want || r.BolusInfused.Valid != want || r.BolusVTBI.Valid != want {
				t.Errorf("bolus values %+v, %+v, %+v", r.BolusRate, r.BolusInfused, r.BolusVTBI)
			}
		})
	}
}

func TestSensorFramesAtAnyTimeAreCountedAndNeverAValue(t *testing.T) {
	p := newPump(t)
	k := open(t, p, nil, nil)
	clean := k.poll()
	s9 := wire.AppendFrame(nil, []byte("S95F420811D"), wire.Sum)
	n := 0
	k.port.SetTamper(func(_ int, _, reply []byte) []drivertest.Piece {
		n++
		return []drivertest.Piece{{After: time.Millisecond, Bytes: append(slices.Clone(s9), reply...)}}
	})
	r := k.poll()
	if r.Unsolicited != n || r.VolumeInfused != clean.VolumeInfused || r.BatteryVolts.Valid {
		t.Errorf("%d unsolicited frames of %d, report %+v", r.Unsolicited, n, r)
	}
}

func TestCombinedSensorsFillInAndAreMarkedUncertain(t *testing.T) {
	p := newPump(t)
	delete(p.numbers, wire.OcclusionSensors)
	delete(p.numbers, wire.Battery)
	p.raw = map[wire.Query]string{wire.CombinedSensors: "S95F420811D"}
	r := open(t, p, nil, nil).poll()
	if r.UpstreamSensor != drivers.Number(500, 0, drivers.RawCount) || r.DownstreamSensor != drivers.Number(0x208, 0, drivers.RawCount) ||
		r.BatteryVolts != drivers.Number(285, -2, drivers.Volt) || !slices.Contains(r.Uncertain, "DownstreamSensor") {
		t.Errorf("upstream %+v, downstream %+v, battery %+v, uncertain %v", r.UpstreamSensor, r.DownstreamSensor, r.BatteryVolts, r.Uncertain)
	}
}

func TestProgramNameIsNoStrayAnswer(t *testing.T) {
	for _, stray := range []string{"RNSIM00001", "TRUE", "1.11", "RN", ":INFU:RATE?", "S95F420811D", "RI0000000000000010"} {
		p := newPump(t)
		p.raw = map[wire.Query]string{wire.TextProgram: stray}
		if r := open(t, p, nil, nil).poll(); r.Program != "" {
			t.Errorf("program %q", r.Program)
		}
	}
}

func TestXORPump(t *testing.T) {
	p := newPump(t)
	p.rule = wire.XOR
	if r := open(t, p, nil, map[string]string{"checksum": "xor"}).poll(); r.VolumeInfused != drivers.Number(1234, -2, drivers.Milliliter) || r.BadFrames != 0 {
		t.Errorf("volume %+v, %d bad frames", r.VolumeInfused, r.BadFrames)
	}
}

func TestLineThatReturnsEveryQueryLosesNothing(t *testing.T) {
	want := open(t, newPump(t), nil, nil).poll()
	k := open(t, newPump(t), nil, nil)
	k.port.SetTamper(func(_ int, query, reply []byte) []drivertest.Piece {
		return []drivertest.Piece{{After: time.Millisecond, Bytes: append(slices.Clone(query), reply...)}}
	})
	if diff := cmp.Diff(want, k.poll()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// Covers GW-09.
func TestAfterEveryTimeoutTheSerialNumberIsAskedNext(t *testing.T) {
	p := newPump(t)
	delete(p.text, wire.TextRate)
	open(t, p, nil, nil).poll()
	timeouts := 0
	for i, q := range p.asked {
		if q == wire.TextRate {
			timeouts++
			if p.asked[i+1] != wire.Serial {
				t.Errorf("%s follows a query without an answer", p.asked[i+1])
			}
		}
	}
	if timeouts != 3 {
		t.Errorf("asked %d times, want 3", timeouts)
	}
}
