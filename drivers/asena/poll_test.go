package asena

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
)

func TestFirstReportHoldsEverythingThePumpSaid(t *testing.T) {
	r := open(t, newPump(t)).poll()
	want := drivers.Report{
		Identity:         drivers.Identity{Serial: "SIM1-00001", Model: "Alaris (Asena Rev 2.1.5)"},
		State:            drivers.RunInfusing,
		Mode:             "SET",
		DrugName:         "MILRINONE",
		ProgrammedRate:   drivers.Number(502, -2, drivers.MilliliterPerHour),
		PumpReportedRate: drivers.Number(501, -2, drivers.MilliliterPerHour),
		VolumeInfused:    drivers.Number(1234, -3, drivers.Milliliter),
		VTBI:             drivers.Number(11000, -3, drivers.Milliliter),
		DownstreamSensor: drivers.Number(1791, -2, drivers.MillimetreOfMercury),
		TimeRemaining:    drivers.Number(3*3600+4*60+5, 0, drivers.Second),
		ContainerSize:    drivers.Number(50, 0, drivers.Milliliter),
		Uncertain:        []string{"ProgrammedRate", "VTBI", "PumpReportedRate", "State"},
		AlarmsKnown:      true,
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// Covers GW-22.
func TestWhatACycleAsks(t *testing.T) {
	k := open(t, newPump(t))
	first := []wire.Request{
		wire.SerialNo, wire.Status, wire.ResponseMax, wire.Protocol, wire.Rate, wire.VTBI, wire.Syringe, wire.Alarm, wire.Status,
	}
	ordinary := []wire.Request{wire.Status, wire.Rate, wire.VTBI, wire.Status}
	k.poll()
	if diff := cmp.Diff(first, k.pump.asked); diff != "" {
		t.Errorf("first cycle (-want +got):\n%s", diff)
	}
	for cycle := range 20 {
		k.pump.asked = nil
		r := k.poll()
		want := slices.Clone(ordinary)
		alarm, syringe := slices.Contains(k.pump.asked, wire.Alarm), slices.Contains(k.pump.asked, wire.Syringe)
		if syringe {
			want = slices.Insert(want, len(want)-1, wire.Syringe)
		}
		if alarm {
			want = slices.Insert(want, len(want)-1, wire.Alarm)
		}
		if diff := cmp.Diff(want, k.pump.asked); diff != "" {
			t.Errorf("cycle %d (-want +got):\n%s", cycle, diff)
		}
		if r.ContainerSize.Valid != syringe || !r.AlarmsKnown {
			t.Errorf("cycle %d: container %+v, alarms known %v", cycle, r.ContainerSize, r.AlarmsKnown)
		}
	}
	// 2 s and about 0.1 s a cycle: every fifth asks ALARM, and one of fifteen the syringe.
	if n, s := k.pump.puts[wire.Alarm], k.pump.puts[wire.Syringe]; n != 5 || s != 2 {
		t.Errorf("ALARM %d times, SYRINGE_STATUS %d times in 21 cycles", n, s)
	}
	if k.pump.puts[wire.RateMax]+k.pump.puts[wire.VolumeInfused] != 0 {
		t.Error("what no report needs was asked")
	}
}

// inf makes the body of an INF reply with some fields replaced.
func inf(fields map[int]string) string {
	all := strings.Split("INF^SIM1-00001^-^SET^5.01^ml/h^^1.234^ml^17.91^mmHg^03:04:05^EVENT^127904", "^")
	for i, text := range fields {
		all[i] = text
	}
	return strings.Join(all, "^")
}

// Covers GW-22, GW-23.
func TestAValueThatCannotBeReadIsAbsentAndNamed(t *testing.T) {
	rows := []struct {
		name    string
		request wire.Request
		body    string
		absent  func(r drivers.Report) drivers.Quantity
		named   string
	}{
		{"rate in another unit", wire.Status, inf(map[int]string{5: "ug/min"}), func(r drivers.Report) drivers.Quantity { return r.PumpReportedRate }, `INF rate (in the unit "ug/min")`},
		{"rate with one decimal", wire.Status, inf(map[int]string{4: "5.0"}), func(r drivers.Report) drivers.Quantity { return r.PumpReportedRate }, `INF rate (not a number of its form: "5.0")`},
		{"negative rate", wire.Status, inf(map[int]string{4: "-5.00"}), func(r drivers.Report) drivers.Quantity { return r.PumpReportedRate }, `INF rate (not a number of its form: "-5.00")`},
		{"rate out of range", wire.Status, inf(map[int]string{4: "1200.01"}), func(r drivers.Report) drivers.Quantity { return r.PumpReportedRate }, `INF rate (out of range: 1200.01)`},
		{"rate without unit", wire.Status, inf(map[int]string{5: ""}), func(r drivers.Report) drivers.Quantity { return r.PumpReportedRate }, `INF rate (in the unit "")`},
		{"volume in litres", wire.Status, inf(map[int]string{8: "l"}), func(r drivers.Report) drivers.Quantity { return r.VolumeInfused }, `INF volume (in the unit "l")`},
		{"volume with two decimals", wire.Status, inf(map[int]string{7: "1.23"}), func(r drivers.Report) drivers.Quantity { return r.VolumeInfused }, `INF volume (not a number of its form: "1.23")`},
		{"pressure in kPa", wire.Status, inf(map[int]string{10: "kPa"}), func(r drivers.Report) drivers.Quantity { return r.DownstreamSensor }, `INF pressure (in the unit "kPa")`},
		{"pressure below a vacuum", wire.Status, inf(map[int]string{9: "-800.00"}), func(r drivers.Report) drivers.Quantity { return r.DownstreamSensor }, `INF pressure (out of range: -800.00)`},
		{"time of another form", wire.Status, inf(map[int]string{11: "3h04"}), func(r drivers.Report) drivers.Quantity { return r.TimeRemaining }, `INF time remaining (not a time: "3h04")`},
		{"programmed rate in another unit", wire.Rate, "INF_RATE^5.02^ml/min", func(r drivers.Report) drivers.Quantity { return r.ProgrammedRate }, `INF_RATE (in the unit "ml/min")`},
		{"VTBI in another state", wire.VTBI, "INF_VTBI^PAUSE^11.000^ml^STOP", func(r drivers.Report) drivers.Quantity { return r.VTBI }, `INF_VTBI (in the state "PAUSE")`},
		{"syringe not confirmed", wire.Syringe, "SYRINGE_STATUS^BD PLASTIPAK^ 50^UNCONF", func(r drivers.Report) drivers.Quantity { return r.ContainerSize }, `SYRINGE_STATUS (not confirmed: "UNCONF")`},
		{"no reply but the name", wire.Rate, "INF_RATE^^^^", func(r drivers.Report) drivers.Quantity { return r.ProgrammedRate }, "INF_RATE"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := newPump(t)
			p.body[row.request] = row.body
			r := open(t, p).poll()
			if q := row.absent(r); q.Valid {
				t.Errorf("%+v, want none", q)
			}
			if !slices.Contains(r.Unavailable, row.named) {
				t.Errorf("%q is not named in %q", row.named, r.Unavailable)
			}
			if r.Identity.Serial != "SIM1-00001" || !r.AlarmsKnown {
				t.Errorf("the rest of the report is gone: %+v", r)
			}
		})
	}
}

func TestWhatTheFieldsOfINFMean(t *testing.T) {
	rows := []struct {
		name   string
		fields map[int]string
		state  drivers.RunState
		check  func(r drivers.Report) string
	}{
		{"on hold", map[int]string{3: "HLD", 4: "0.00"}, drivers.RunStopped, func(r drivers.Report) string { return r.Mode + " " + r.PumpReportedRate.Decimal() + "=HLD 0.00" }},
		{"on hold with a rate", map[int]string{3: "HLD"}, drivers.RunStopped, nil},
		{"no rate", map[int]string{4: "0.00"}, drivers.RunStopped, nil},
		{"another mode", map[int]string{3: "TITRATE"}, drivers.RunInfusing, func(r drivers.Report) string { return r.Mode + "=TITRATE" }},
		{"no mode", map[int]string{3: ""}, drivers.RunUnknown, nil},
		{"rate in another unit", map[int]string{5: "x"}, drivers.RunUnknown, nil},
		{"negative pressure", map[int]string{9: "-50.00"}, drivers.RunInfusing, func(r drivers.Report) string { return r.DownstreamSensor.Decimal() + "=-50.00" }},
		{"more than a day", map[int]string{11: "24+"}, drivers.RunInfusing, func(r drivers.Report) string {
			return fmt.Sprintf("%s %v=86400 [TimeRemaining]", r.TimeRemaining.Decimal(), r.AtLeast)
		}},
		{"no time", map[int]string{11: ""}, drivers.RunInfusing, func(r drivers.Report) string {
			return fmt.Sprintf("%v %v=false []", r.TimeRemaining.Valid, r.Unavailable)
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := newPump(t)
			p.body[wire.Status] = inf(row.fields)
			r := open(t, p).poll()
			if r.State != row.state || slices.Contains(r.Uncertain, "State") != (row.state != drivers.RunUnknown) {
				t.Errorf("state %d (uncertain %q), want %d", r.State, r.Uncertain, row.state)
			}
			if row.check != nil {
				if got, want, _ := strings.Cut(row.check(r), "="); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
		})
	}
}

func TestNoVTBI(t *testing.T) {
	for _, body := range []string{"INF_VTBI^DEACT^^^", "INF_VTBI^DEACT^0.000^ml^STOP", "INF_VTBI^ACTIV^^^"} {
		p := newPump(t)
		p.body[wire.VTBI] = body
		if r := open(t, p).poll(); r.VTBI.Valid || slices.Contains(r.Uncertain, "VTBI") || len(r.Unavailable) > 0 {
			t.Errorf("%s: %+v, %q", body, r.VTBI, r.Unavailable)
		}
	}
}

// A request that was never answered is unavailable and not asked for ten minutes; one that was answered
// and now is not fails the cycle.
// Covers GW-12, GW-22.
func TestAnsweredAndUnavailable(t *testing.T) {
	p := newPump(t)
	delete(p.body, wire.VTBI)
	k := open(t, p)
	if r := k.poll(); r.VTBI.Valid || !slices.Contains(r.Unavailable, "INF_VTBI") {
		t.Errorf("%+v", r)
	}
	if n := p.puts[wire.VTBI]; n != attempts {
		t.Errorf("asked %d times, want %d", n, attempts)
	}
	k.poll()
	if n := p.puts[wire.VTBI]; n != attempts {
		t.Errorf("asked again at once: %d times", n)
	}
	k.port.Advance(unavailableFor)
	k.poll()
	if n := p.puts[wire.VTBI]; n != attempts+1 {
		t.Errorf("after ten minutes %d times, want once more", n)
	}
	delete(p.body, wire.Rate)
	if err := k.fails(); !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("%v, want ErrSilent", err)
	}
}

// A dead pump is called silent after the time that it declares, not earlier and not much later.
// Covers GW-04.
func TestSilence(t *testing.T) {
	p := newPump(t)
	k := open(t, p)
	k.poll()
	body := p.body
	p.body = nil
	began := k.port.Now()
	if err := k.fails(); !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("%v, want ErrSilent", err)
	}
	if took := k.port.Now() - began - 2*time.Second; took < declaredReply || took > declaredReply+200*time.Millisecond {
		t.Errorf("silent after %v", took)
	}
	for range 10 {
		if err := k.fails(); !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("%v, want ErrSilent", err)
		}
	}
	p.body = body
	if r := k.poll(); r.Identity.Serial != "SIM1-00001" {
		t.Errorf("%+v", r)
	}
}

func TestSettings(t *testing.T) {
	if _, err := New(map[string]string{"baud": "9600", "code": "3CC1"}); err == nil || err.Error() != "asena: baud, code: this protocol has no settings" {
		t.Errorf("%v", err)
	}
	if _, err := driver(t).Open(t.Context(), nil, drivers.OpenOptions{}); err == nil {
		t.Error("a conversation without a clock is opened")
	}
}

// Covers GW-08.
func TestSerialNumbersOfSimulators(t *testing.T) {
	form := driver(t).Profile().SimulatorSerials
	for serial, want := range map[string]bool{"SIM1-00001": true, "SIM0-99999": true, "8002-51740": false, "SIM1-0001": false, "XSIM1-00001": false} {
		if form.MatchString(serial) != want {
			t.Errorf("%s: %v", serial, !want)
		}
	}
}
