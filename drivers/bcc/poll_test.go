package bcc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
)

type talk struct {
	t    *testing.T
	port *drivertest.Port
	conn drivers.Conn
}

func open(t *testing.T, s *station, settings map[string]string, addresses ...string) *talk {
	t.Helper()
	d := driver(t, settings)
	port := drivertest.NewPort(d.Profile(), s.respond)
	conn, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now, Addresses: addresses})
	if err != nil {
		t.Fatal(err)
	}
	return &talk{t, port, conn}
}

func (k *talk) poll() ([]drivers.Report, error) {
	k.port.Advance(5 * time.Second)
	return drivers.Collect(k.t.Context(), k.conn)
}

// block makes the records of one address out of parameters and values.
func block(seconds int, address string, pairs ...string) string {
	var records []string
	for i := 0; i+1 < len(pairs); i += 2 {
		records = append(records, fmt.Sprintf("%d,501%s,%s,%s", seconds, address, pairs[i], pairs[i+1]))
	}
	return strings.Join(records, "\x1e")
}

// quiet are the flags of an Infusomat without an alarm.
var quiet = []string{"INA1", "0", "INA3", "0", "INA7", "0", "INA11", "0", "INA13", "0", "INA15", "0"}

// one polls a station whose only pump has these parameters.
func one(t *testing.T, pairs ...string) drivers.Report {
	t.Helper()
	s := newStation(t)
	s.blocks = []string{stationBlock, block(300, "11", append([]string{"INSERNUM", "SIM00001"}, pairs...)...)}
	reports, err := open(t, s, nil).poll()
	if err != nil || len(reports) != 1 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	return reports[0]
}

// Covers GW-26.
func TestReportHoldsWhatTheBlockSays(t *testing.T) {
	reports, err := open(t, newStation(t), nil).poll()
	if err != nil || len(reports) != 1 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	want := drivers.Report{
		Address: "11", Identity: drivers.Identity{Serial: "SIM00001", Model: "Infusomat Space P", Firmware: "687L030007"}, State: drivers.RunInfusing, Mode: "continuous",
		ProgrammedRate: drivers.Number(500, -2, drivers.MilliliterPerHour), VolumeInfused: drivers.Number(123, -1, drivers.Milliliter), VTBI: drivers.Number(1000, -1, drivers.Milliliter),
		VTBIRemaining: drivers.Number(877, -1, drivers.Milliliter), DrugName: "DOBUTAMINE, adult", Concentration: drivers.Number(15, -1, drivers.MilligramPerMilliliter),
		DoseRate: drivers.Number(725, -2, drivers.MicrogramPerKilogramPerMinute), TimeRemaining: drivers.Number(63144, 0, drivers.Second), BatteryTime: drivers.Number(14400, 0, drivers.Second),
		ExternalPower: drivers.No, DownstreamSensor: drivers.Number(17, 0, drivers.PercentOfLimit), DownstreamThreshold: drivers.Number(100, 0, drivers.PercentOfLimit),
		Uncertain: []string{"ProgrammedRate", "VTBI", "VTBIRemaining"}, AlarmsKnown: true,
		Alarms: []drivers.Alarm{{Code: drivers.AlarmBatteryLow, RawCode: "INA11", Text: "battery pre-alarm"}},
	}
	if diff := cmp.Diff(want, reports[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Covers GW-22.
func TestValues(t *testing.T) {
	for _, row := range []struct {
		name, parameter, value string
		got                    func(r drivers.Report) drivers.Quantity
		want                   string
		atLeast, named         string
	}{
		{"no value", "INRT", "_NV", func(r drivers.Report) drivers.Quantity { return r.ProgrammedRate }, "", "", ""},
		{"not available", "INVI", "_NA", func(r drivers.Report) drivers.Quantity { return r.VolumeInfused }, "", "", ""},
		{"comma", "INRT", "5,25", func(r drivers.Report) drivers.Quantity { return r.ProgrammedRate }, "5.25", "", ""},
		{"greatest rate", "INRT", "1800.00", func(r drivers.Report) drivers.Quantity { return r.ProgrammedRate }, "1800.00", "", ""},
		{"beyond it", "INRT", "1800.01", func(r drivers.Report) drivers.Quantity { return r.ProgrammedRate }, "", "", "INRT"},
		{"negative", "INRT", "-1.00", func(r drivers.Report) drivers.Quantity { return r.ProgrammedRate }, "", "", "INRT"},
		{"no number", "INRT", "5.0x", func(r drivers.Report) drivers.Quantity { return r.ProgrammedRate }, "", "", "INRT"},
		{"counter that sticks", "INVI", "9999.9", func(r drivers.Report) drivers.Quantity { return r.VolumeInfused }, "9999.9", "VolumeInfused", ""},
		{"long time", "INRMT", "65535", func(r drivers.Report) drivers.Quantity { return r.TimeRemaining }, "65535", "TimeRemaining", ""},
		{"pressure", "INP2", "100", func(r drivers.Report) drivers.Quantity { return r.DownstreamSensor }, "100", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := one(t, row.parameter, row.value)
			if got := row.got(r).Decimal(); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
			if row.atLeast != "" && !slices.Contains(r.AtLeast, row.atLeast) || row.atLeast == "" && len(r.AtLeast) > 0 {
				t.Errorf("lower bounds %v", r.AtLeast)
			}
			if row.named == "" && len(r.Unavailable) > 0 || row.named != "" && (len(r.Unavailable) != 1 || !strings.Contains(r.Unavailable[0], row.named)) {
				t.Errorf("unavailable %v, want %q", r.Unavailable, row.named)
			}
		})
	}
	if r := one(t, "INDCON", "2.0", "INDCONU", "24"); r.Concentration.Valid || len(r.Unavailable) != 1 {
		t.Errorf("a concentration in mg: %+v, %v", r.Concentration, r.Unavailable)
	}
	if r := one(t, "GNMODEL", "I0003\r", "PATID", "4711", "NURSEID", "Jane", "INSOL", "A\ue001B"); r.Identity.Model != "Infusomat compact plus" || r.DrugName != "A?B" {
		t.Errorf("texts: %+v, %q", r.Identity, r.DrugName)
	} else if text := fmt.Sprintf("%+v", r); strings.Contains(text, "4711") || strings.Contains(text, "Jane") {
		t.Errorf("an identifier of a person: %s", text)
	}
}

func TestAlarmsAsTheDeviceIsSet(t *testing.T) {
	with := func(pairs ...string) []string { // quiet with other values
		all := slices.Clone(quiet)
		for i := 0; i < len(pairs); i += 2 {
			if at := slices.Index(all, pairs[i]); at >= 0 {
				all[at+1] = pairs[i+1]
			} else {
				all = append(all, pairs[i], pairs[i+1])
			}
		}
		return all
	}
	for _, row := range []struct {
		name      string
		pairs     []string
		known     bool
		want      string
		uncertain bool
	}{
		{"flags", with("INA3", "1"), true, "occlusion_downstream/INA3", false},
		{"no alarm", quiet, true, "", false},
		{"of an Infusomat", with("GNMODEL", "687L030007"), true, "", false},
		{"of a Perfusor, without its syringe's", with("GNMODEL", "688L030007"), false, "", false},
		{"of a Perfusor", with("GNMODEL", "688L030007", "INA2", "0", "INA9", "0", "INA12", "0"), true, "", false},
		{"flags without a value", []string{"INA3", "_NV", "INA7", "_NV"}, false, "", false},
		{"one flag has no value for the moment", with("INA3", "_NA"), false, "", false},
		{"the same, and RUNSTATE says that there is none", with("INA3", "_NA", "RUNSTATE", "2"), true, "", false},
		{"some flags", []string{"INA3", "0"}, false, "", false},
		{"an alarm among some flags", []string{"INA3", "1"}, true, "occlusion_downstream/INA3", true},
		{"a flag that is neither 0 nor 1", with("INA3", "2"), false, "", false},
		{"words", []string{"ALARM1", "0x20000400h", "ALARM2", "0x00000000h", "PREALARM", "0x00000000h"}, true, "occlusion_downstream/ALARM1:10 air_in_line/ALARM1:29", false},
		{"words without 0x and h", []string{"ALARM1", "00000400", "ALARM2", "00000000", "PREALARM", "00000000"}, true, "occlusion_downstream/ALARM1:10", false},
		{"words that say no alarm", []string{"ALARM1", "0x00000001h", "ALARM2", "0x00000000h", "PREALARM", "0x00000000h"}, true, "", false},
		{"one of three words", []string{"ALARM1", "0x00000000h"}, false, "", false},
		{"only a pre-alarm", []string{"PREALARM", "0x00000010h"}, true, "battery_low/PREALARM:4", true},
		{"a bit that the document does not name", []string{"ALARM2", "0x00010000h", "ALARM1", "0x00000000h", "PREALARM", "0x00000000h"}, true, "unknown_alarm/ALARM2:16", false},
		{"no word", []string{"ALARM1", "0x400h", "ALARM2", "0x00000000h", "PREALARM", "0x00000000h"}, false, "", false},
		{"RUNSTATE alone", []string{"RUNSTATE", "5"}, true, "unknown_alarm/RUNSTATE:2", true},
		{"RUNSTATE alone without an alarm", []string{"RUNSTATE", "2"}, false, "", false},
		{"RUNSTATE beside a name", with("RUNSTATE", "5", "INA15", "1"), true, "air_in_line/INA15", false},
		{"RUNSTATE's alarm is not the pre-alarm that has a name", with("RUNSTATE", "37", "INA11", "1"), true, "battery_low/INA11 unknown_alarm/RUNSTATE:2", false},
		{"RUNSTATE's pre-alarm has no name", with("RUNSTATE", "34"), true, "unknown_alarm/RUNSTATE:5", false},
		{"RUNSTATE's pre-alarm has one", with("RUNSTATE", "34", "INA11", "1"), true, "battery_low/INA11", false},
		{"nothing", nil, false, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := one(t, row.pairs...)
			var got []string
			for _, a := range r.Alarms {
				got = append(got, string(a.Code)+"/"+a.RawCode)
			}
			if r.AlarmsKnown != row.known || strings.Join(got, " ") != row.want || row.known == (r.AlarmsReason != "") || slices.Contains(r.Uncertain, "Alarms") != row.uncertain {
				t.Errorf("known %v (%s), uncertain %v: %v, want %v: %s", r.AlarmsKnown, r.AlarmsReason, r.Uncertain, got, row.known, row.want)
			}
		})
	}
	if r := one(t, "RUNSTATE", "5", "LASTDA", "1234"); len(r.Alarms) != 1 || !strings.Contains(r.Alarms[0].Text, "1234") {
		t.Errorf("the last device alarm is not told: %+v", r.Alarms)
	}
}

func TestRunStates(t *testing.T) {
	for _, row := range []struct {
		name  string
		pairs []string
		want  drivers.RunState
	}{
		{"flag", []string{"INM3", "1"}, drivers.RunInfusing},
		{"word", []string{"STATUS1", "0x00000181h"}, drivers.RunInfusing},
		{"RUNSTATE", []string{"RUNSTATE", "2"}, drivers.RunInfusing},
		{"stopped", []string{"INM3", "0", "RUNSTATE", "1"}, drivers.RunStopped},
		{"by an alarm", []string{"INM3", "0", "INA3", "1"}, drivers.RunStoppedByAlarm},
		{"not by a pre-alarm", []string{"INM3", "0", "INA11", "1"}, drivers.RunStopped},
		{"KVO", []string{"INM3", "1", "INM10", "1"}, drivers.RunKVO},
		{"KVO in RUNSTATE", []string{"RUNSTATE", "10"}, drivers.RunKVO},
		{"bolus", []string{"INM3", "1", "INM2", "1"}, drivers.RunBolus},
		{"priming", []string{"INM14", "1"}, drivers.RunPriming},
		{"standby", []string{"INM3", "0", "INM6", "1"}, drivers.RunStandby},
		{"off", []string{"DSSTATUS", "00050"}, drivers.RunPoweredOff},
		{"contradiction", []string{"INM3", "1", "RUNSTATE", "1"}, drivers.RunUnknown},
		{"contradiction of two, whatever the third says", []string{"INM3", "1", "STATUS1", "0x00000001h", "RUNSTATE", "2"}, drivers.RunUnknown},
		{"off and running", []string{"DSSTATUS", "00050", "INM3", "1"}, drivers.RunUnknown},
		{"neither run nor stop", []string{"RUNSTATE", "16"}, drivers.RunUnknown},
		{"run and stop", []string{"RUNSTATE", "3"}, drivers.RunUnknown},
		{"no value", []string{"INM3", "_NV"}, drivers.RunUnknown},
		{"nothing", nil, drivers.RunUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			if r := one(t, row.pairs...); r.State != row.want {
				t.Errorf("state %d, want %d", r.State, row.want)
			}
		})
	}
}

func TestStationErrors(t *testing.T) {
	for code, want := range map[string]error{"11": drivers.ErrSilent, "68": drivers.ErrMismatch, "811": drivers.ErrUnsupported, "99": drivers.ErrUnsupported} {
		s := newStation(t)
		k := open(t, s, nil)
		s.blocks = []string{"300,50100,GNERR," + code}
		if reports, err := k.poll(); !errors.Is(err, want) || len(reports) > 0 {
			t.Errorf("GNERR %s: %d reports, %v, want %v", code, len(reports), err, want)
		}
	}
	s := newStation(t)
	s.blocks = []string{stationBlock, "300,50112,GNERR,39", s.blocks[1]}
	if reports, err := open(t, s, nil).poll(); err != nil || len(reports) != 1 || reports[0].Address != "11" {
		t.Errorf("a pump that was removed: %+v, %v", reports, err)
	}
}

// One pump's error is no other one's, and a pump without a serial number in this cycle has a report that belongs to nobody.
// Covers GW-07.
func TestOnePumpOfSeveralHasNothingToSay(t *testing.T) {
	second := block(300, "12", append([]string{"INSERNUM", "SIM00007", "INNR", "7A", "INRT", "2.22"}, quiet...)...)
	for _, row := range []struct {
		name, block string
		serial      string
		reports     int
	}{
		{"removed", "300,50112,GNERR,39", "", 1},
		{"cannot be reached", "300,50112,GNERR,42", "", 1},
		{"no slot", "300,50112,GNERR,811", "", 1},
		{"no serial number for the moment", strings.ReplaceAll(second, "SIM00007", "_NA"), "", 2},
		{"nothing but the values", strings.ReplaceAll(strings.ReplaceAll(second, "INSERNUM,SIM00007", "FOO,1"), "INNR,7A", "BAR,2"), "", 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newStation(t)
			s.blocks = append(s.blocks, second)
			k := open(t, s, nil, "11", "12")
			if reports, err := k.poll(); err != nil || len(reports) != 2 || reports[1].Identity.Serial != "SIM00007" {
				t.Fatalf("%+v, %v", reports, err)
			}
			s.blocks = []string{stationBlock, row.block, s.blocks[1]}
			reports, err := k.poll()
			if err != nil || len(reports) != row.reports || reports[len(reports)-1].Identity.Serial != "SIM00001" {
				t.Fatalf("%+v, %v", reports, err)
			}
			if len(reports) == 2 && reports[0].Identity.Serial != row.serial {
				t.Errorf("serial number %q", reports[0].Identity.Serial)
			}
			s.blocks = []string{stationBlock, s.blocks[2], second}
			if reports, err := k.poll(); err != nil || len(reports) != 2 || reports[1].Identity.Serial != "SIM00007" {
				t.Errorf("afterwards: %+v, %v", reports, err)
			}
		})
	}
	s := newStation(t)
	s.blocks = []string{stationBlock, block(300, "11", append([]string{"INNR", "7AF3"}, quiet...)...)}
	if reports, err := open(t, s, nil).poll(); err != nil || len(reports) != 1 || reports[0].Identity.Serial != "7AF3" {
		t.Errorf("a pump with INNR only: %+v, %v", reports, err)
	}
	s.blocks = []string{stationBlock, "300,50111,GNERR,39"}
	if reports, err := open(t, s, nil, "11", "12").poll(); !errors.Is(err, drivers.ErrSilent) || len(reports) > 0 {
		t.Errorf("the only pump is removed: %+v, %v", reports, err)
	}
}

func TestDamagedAndOldBlocks(t *testing.T) {
	good := newStation(t).blocks[1]
	for _, row := range []struct {
		name   string
		blocks []string
		want   error
	}{
		{"a parameter twice with two values", []string{good + "\x1e300,50111,INRT,6.00"}, drivers.ErrMalformed},
		{"a record without a value", []string{good + "\x1e300,50111"}, drivers.ErrMalformed},
		{"an address of no slot", []string{good + "\x1e300,50141,INRT,6.00"}, drivers.ErrMalformed},
		{"two pumps in one block", []string{good + "\x1e300,50112,INRT,6.00"}, drivers.ErrMalformed},
		{"records of different times", []string{good + "\x1e1300,50112,INRT,6.00"}, drivers.ErrMalformed},
		{"a time of more than ten years", []string{strings.ReplaceAll(good, "300,", "999999999999,")}, drivers.ErrMalformed},
		{"from before the session", []string{strings.ReplaceAll(good, "300,", "299,")}, drivers.ErrMismatch},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newStation(t)
			s.blocks = row.blocks
			if reports, err := open(t, s, nil).poll(); !errors.Is(err, row.want) || len(reports) > 0 {
				t.Errorf("%d reports, %v, want %v", len(reports), err, row.want)
			}
		})
	}
	s := newStation(t)
	s.blocks = []string{good + "\x1e300,50111,INRT,5.00"}
	if reports, err := open(t, s, nil).poll(); err != nil || len(reports) != 1 {
		t.Errorf("a parameter twice with one value: %d reports, %v", len(reports), err)
	}
}

func TestOneConfiguredPumpIsAskedAlone(t *testing.T) {
	s := newStation(t)
	s.slots = map[string][]string{"12": {stationBlock, block(300, "12", "INSERNUM", "SIM00012", "INRT", "1.00")}}
	k := open(t, s, nil, "12")
	if reports, err := k.poll(); err != nil || len(reports) != 1 || reports[0].Address != "12" {
		t.Errorf("%+v, %v", reports, err)
	}
	d := driver(t, nil)
	port := drivertest.NewPort(d.Profile(), s.respond)
	if _, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now, Addresses: []string{"40"}}); err == nil || !strings.Contains(err.Error(), "like 11 or 2A") {
		t.Errorf("address 40: %v", err)
	}
}

// Each report comes when its block is there; a serial number that changed at an address is said.
func TestSeveralPumpsOneByOne(t *testing.T) {
	s := newStation(t)
	second := block(300, "2A", "INSERNUM", "SIM00002", "INRT", "7.00")
	s.blocks = append(s.blocks, second)
	k := open(t, s, nil)
	k.port.Advance(5 * time.Second)
	var at []time.Duration
	if err := k.conn.Poll(t.Context(), func(drivers.Report) { at = append(at, k.port.Now()) }); err != nil || len(at) != 2 || at[1]-at[0] < ackGap {
		t.Errorf("reports at %v, %v", at, err)
	}
	s.blocks[2] = strings.ReplaceAll(second, "SIM00002", "SIM00003")
	reports, err := k.poll()
	if !errors.Is(err, drivers.ErrIdentity) || len(reports) != 1 || reports[0].Address != "11" {
		t.Errorf("another pump in the slot: %+v, %v", reports, err)
	}
	if reports, err := k.poll(); err != nil || len(reports) != 2 {
		t.Errorf("the cycle after it: %d reports, %v", len(reports), err)
	}
}

// A cyclic device sends by itself what waited for the ACK.
func TestCyclicMode(t *testing.T) {
	s := newStation(t)
	s.queue = slices.Clone(s.blocks)
	k := open(t, s, map[string]string{"mode": "cyclic"}, "11")
	reports, err := k.poll()
	if err != nil || len(reports) != 1 || reports[0].Identity.Serial != "SIM00001" {
		t.Fatalf("%+v, %v", reports, err)
	}
	for _, w := range k.port.Writes() {
		if len(w) != 1 {
			t.Errorf("written: % X", w)
		}
	}
	if _, err := k.poll(); !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("a device that sends nothing: %v", err)
	}
}

// The station is asked half a second after its last block at the earliest.
func TestTheStationIsLeftHalfASecond(t *testing.T) {
	k := open(t, newStation(t), nil)
	if _, err := k.poll(); err != nil {
		t.Fatal(err)
	}
	ended := k.port.Now()
	k.port.SetTamper(func(_ int, query, reply []byte) []drivertest.Piece {
		if slices.Contains(query, 'M') && k.port.Now()-ended < requestGap {
			t.Errorf("asked again after %v", k.port.Now()-ended)
		}
		return drivertest.Clean(0, query, reply)
	})
	if _, err := drivers.Collect(t.Context(), k.conn); err != nil {
		t.Fatal(err)
	}
}
