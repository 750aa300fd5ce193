package normalize

import (
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

func report() *drivers.Report {
	return &drivers.Report{
		Identity: drivers.Identity{Serial: "SIM00001"}, State: drivers.RunInfusing,
		ProgrammedRate:   drivers.Number(111, -2, drivers.MilliliterPerHour),
		PumpReportedRate: drivers.Number(2664, -2, drivers.MilliliterPer24Hours),
		VolumeInfused:    drivers.Number(1234, -2, drivers.Milliliter),
		BatteryVolts:     drivers.Number(285, -2, drivers.Volt),
		DownstreamSensor: drivers.Number(520, 0, drivers.RawCount),
		AlarmsKnown:      true,
	}
}

// Covers GW-21.
func TestNumbersAreConvertedExactly(t *testing.T) {
	o := Observation(Input{Pump: "blue", Report: report(), Took: time.Second})
	programmed, _ := o.Programmed.Get()
	reported, _ := o.PumpReported.Get()
	volume, _ := o.VolumeInfused.Get()
	if programmed.MlPerH() != "1.11" || reported != programmed || volume.Ml() != "12.34" {
		t.Errorf("programmed %v, reported %v, volume %v", programmed, reported, volume)
	}
	if o.Status != infusion.StatusInfusing || o.Gap != nil || len(o.Problems) != 0 {
		t.Errorf("%+v", o)
	}
}

// Covers GW-22.
func TestWhatThePumpDidNotSayIsAbsent(t *testing.T) {
	o := Observation(Input{Pump: "blue", Report: &drivers.Report{}})
	if o.Programmed.Present() || o.PumpReported.Present() || o.VolumeInfused.Present() || o.VTBI.Present() || o.BatteryVolts.Valid {
		t.Errorf("a number stands where none was told: %+v", o)
	}
	if o.Status != infusion.StatusUnknown || o.AlarmsKnown {
		t.Errorf("status %q, alarms known %v", o.Status, o.AlarmsKnown)
	}
}

// Covers GW-12.
func TestAFailedCycleHoldsNoNumber(t *testing.T) {
	gap := infusion.Gap{Reason: infusion.GapNoReply, Detail: "no answer"}
	for name, in := range map[string]Input{
		"gap":              {Gap: &gap},
		"gap and a report": {Gap: &gap, Report: report()}, // a contradiction: the gap wins
		"neither":          {},
	} {
		o := Observation(in)
		if o.Gap == nil || o.Status != infusion.StatusUnknown || o.Programmed.Present() || o.VolumeInfused.Present() || o.BatteryVolts.Valid || o.AlarmsKnown {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// Covers GW-23.
func TestValuesThatCannotBeTrueAreRefusedWithTheirReason(t *testing.T) {
	for _, row := range []struct {
		name  string
		alter func(*drivers.Report)
		want  string
	}{
		{"wrong kind of unit", func(r *drivers.Report) { r.ProgrammedRate.Unit = drivers.Milliliter }, "programmed_rate 111e-2 mL: is not a rate"},
		{"too fine", func(r *drivers.Report) { r.ProgrammedRate.Exponent = -30 }, "not exactly representable"},
		{"too fast", func(r *drivers.Report) { r.ProgrammedRate = drivers.Number(3001, 0, drivers.MilliliterPerHour) }, "outside 0 to 3000 mL/h"},
		{"negative", func(r *drivers.Report) { r.ProgrammedRate.Mantissa = -1 }, "outside 0 to 3000 mL/h"},
		{"volume as rate", func(r *drivers.Report) { r.VolumeInfused.Unit = drivers.Volt }, "volume_infused 1234e-2 V: is not a volume"},
		{"negative volume", func(r *drivers.Report) { r.VolumeInfused.Mantissa = -5 }, "outside 0 to 1000000 mL"},
		{"battery in percent", func(r *drivers.Report) { r.BatteryVolts.Unit = drivers.Percent }, "battery_volts 285e-2 %: is not in V"},
		{"sensor in volts", func(r *drivers.Report) { r.DownstreamSensor.Unit = drivers.Volt }, "downstream 520e0 V: is neither a count nor a pressure"},
		{"sensors in two units", func(r *drivers.Report) { r.UpstreamThreshold = drivers.Number(900, 0, drivers.Millibar) }, "upstream_threshold 900e0 mbar: is in another unit than the other sensor values, count"},
		{"dose as concentration", func(r *drivers.Report) { r.Concentration = drivers.Number(1, 0, drivers.MicrogramPerMinute) }, "concentration 1e0 ug/min: is not in ng/mL, ug/mL, mg/mL"},
		{"rate as dose", func(r *drivers.Report) { r.DoseRate = drivers.Number(1, 0, drivers.MilliliterPerHour) }, "dose_rate 1e0 mL/h: is not in ug/min"},
		{"negative dose", func(r *drivers.Report) { r.DoseRate = drivers.Number(-1, 0, drivers.MicrogramPerMinute) }, "dose_rate -1e0 ug/min: is below zero"},
		{"time in volts", func(r *drivers.Report) { r.TimeRemaining = drivers.Number(1, 0, drivers.Volt) }, "time_remaining 1e0 V: is not in s"},
		{"battery above full", func(r *drivers.Report) { r.BatteryLevel = drivers.Number(1001, -1, drivers.Percent) }, "battery_level 1001e-1 %: is above 100 percent"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := report()
			row.alter(r)
			o := Observation(Input{Pump: "blue", Report: r})
			if len(o.Problems) != 1 || !strings.Contains(o.Problems[0], row.want) {
				t.Errorf("problems %q, want %q", o.Problems, row.want)
			}
			if o.Programmed.Present() && o.VolumeInfused.Present() && o.BatteryVolts.Valid && o.DownstreamSensor.Valid &&
				(o.Concentration.Valid || o.DoseRate.Valid || o.TimeRemaining.Valid || o.BatteryLevel.Valid || o.UpstreamThreshold.Valid) {
				t.Error("the refused value stands in the observation")
			}
		})
	}
}
