// Package normalize turns a driver's report into an observation: it converts every number
// exactly or refuses it, and never fills in what the pump did not say. It does no
// I/O and reads no clock.
package normalize

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
	"infusiond/gateway/units"
)

// Input is one polling cycle of one pump: a report, or the reason why there is none.
type Input struct {
	Pump   string
	At     infusion.Instant
	Took   time.Duration
	Report *drivers.Report
	Gap    *infusion.Gap
	Link   infusion.Link
}

// Observation normalizes one cycle. Without a report, or with a number that cannot be
// converted exactly where the checks depend on it, the observation carries a Gap or a Problem
// and the value is absent.
func Observation(in Input) infusion.Observation {
	o := infusion.Observation{Pump: in.Pump, At: in.At, Took: in.Took, Link: in.Link, Status: infusion.StatusUnknown}
	switch {
	case in.Gap != nil:
		gap := *in.Gap
		o.Gap = &gap
		return o
	case in.Report == nil:
		o.Gap = &infusion.Gap{Reason: infusion.GapInternal, Detail: "no report and no reason for it"}
		return o
	}
	r := in.Report
	n := converter{problems: nil}
	o.Identity = r.Identity
	o.Status = infusion.StatusOf(r.State)
	o.Mode, o.Program, o.DrugName = r.Mode, r.Program, r.DrugName
	o.Programmed = n.rate("programmed_rate", r.ProgrammedRate)
	o.PumpReported = n.rate("pump_reported_rate", r.PumpReportedRate)
	o.VolumeInfused = n.volume("volume_infused", r.VolumeInfused)
	o.VTBI = n.volume("vtbi", r.VTBI)
	o.VTBIRemaining = n.volume("vtbi_remaining", r.VTBIRemaining)
	o.BolusRunning = r.BolusRunning
	o.BolusRate = n.rate("bolus_rate", r.BolusRate)
	o.BolusInfused = n.volume("bolus_infused", r.BolusInfused)
	o.BolusVTBI = n.volume("bolus_vtbi", r.BolusVTBI)
	o.Concentration = n.oneOf("concentration", r.Concentration, concentrationUnits)
	o.DoseRate = n.oneOf("dose_rate", r.DoseRate, doseUnits)
	o.TimeRemaining = n.plain("time_remaining", r.TimeRemaining, drivers.Second)
	o.ContainerSize = n.volume("container_size", r.ContainerSize)
	o.BatteryVolts = n.plain("battery_volts", r.BatteryVolts, drivers.Volt)
	o.BatteryLevel = n.percentage("battery_level", r.BatteryLevel)
	o.BatteryTime = n.plain("battery_time", r.BatteryTime, drivers.Second)
	o.BatteryStatus, o.ExternalPower = r.BatteryStatus, r.ExternalPower
	n.sensors(&o, r)
	o.PumpClock, o.PumpClockS = r.PumpClock, n.plain("pump_clock", r.PumpClockS, drivers.Second)
	o.AlarmsKnown, o.AlarmsReason = r.AlarmsKnown, r.AlarmsReason
	if r.AlarmsKnown {
		o.Alarms = r.Alarms
	}
	o.Uncertain, o.AtLeast, o.Unavailable, o.BadFrames = r.Uncertain, r.AtLeast, r.Unavailable, r.BadFrames
	o.Problems = n.problems
	return o
}

// The largest numbers that a pump can mean; anything beyond is a damaged or misread value.
const (
	maxRate   = 3000 * units.MilliliterPerHour
	maxVolume = 1_000_000 * units.Milliliter
)

type converter struct{ problems []string }

func (c *converter) refuse(name string, q drivers.Quantity, why string) {
	c.problems = append(c.problems, fmt.Sprintf("%s %de%d %s: %s", name, q.Mantissa, q.Exponent, q.Unit, why))
}

func (c *converter) rate(name string, q drivers.Quantity) infusion.Opt[units.Rate] {
	if !q.Valid {
		return infusion.Opt[units.Rate]{}
	}
	unit, known := rateUnits[q.Unit]
	if !known {
		c.refuse(name, q, "is not a rate")
		return infusion.Opt[units.Rate]{}
	}
	r, err := units.RateFrom(q.Mantissa, q.Exponent, unit)
	switch {
	case err != nil:
		c.refuse(name, q, err.Error())
	case r < 0 || r > maxRate:
		c.refuse(name, q, "outside 0 to 3000 mL/h")
	default:
		return infusion.Some(r)
	}
	return infusion.Opt[units.Rate]{}
}

func (c *converter) volume(name string, q drivers.Quantity) infusion.Opt[units.Volume] {
	if !q.Valid {
		return infusion.Opt[units.Volume]{}
	}
	unit, known := volumeUnits[q.Unit]
	if !known {
		c.refuse(name, q, "is not a volume")
		return infusion.Opt[units.Volume]{}
	}
	v, err := units.VolumeFrom(q.Mantissa, q.Exponent, unit)
	switch {
	case err != nil:
		c.refuse(name, q, err.Error())
	case v < 0 || v > maxVolume:
		c.refuse(name, q, "outside 0 to 1000000 mL")
	default:
		return infusion.Some(v)
	}
	return infusion.Opt[units.Volume]{}
}

// plain lets a number of one unit pass as it is; none of those that are left so can be below zero.
func (c *converter) plain(name string, q drivers.Quantity, want drivers.Unit) drivers.Quantity {
	return c.oneOf(name, q, []drivers.Unit{want})
}

// oneOf lets a number of one of several units pass as it is.
func (c *converter) oneOf(name string, q drivers.Quantity, want []drivers.Unit) drivers.Quantity {
	switch {
	case !q.Valid:
	case !slices.Contains(want, q.Unit):
		names := make([]string, len(want))
		for i, u := range want {
			names[i] = u.String()
		}
		c.refuse(name, q, "is not in "+strings.Join(names, ", "))
		return drivers.Quantity{}
	case q.Mantissa < 0:
		c.refuse(name, q, "is below zero")
		return drivers.Quantity{}
	}
	return q
}

func (c *converter) percentage(name string, q drivers.Quantity) drivers.Quantity {
	q = c.plain(name, q, drivers.Percent)
	if v, err := units.ParseDecimal(q.Decimal()); q.Valid && (err != nil || v.Cmp(hundred) > 0) {
		c.refuse(name, q, "is above 100 percent")
		return drivers.Quantity{}
	}
	return q
}

// sensors takes over the four numbers of the occlusion sensors. They share one unit; what is in another one
// than those before it is refused.
func (c *converter) sensors(o *infusion.Observation, r *drivers.Report) {
	var first drivers.Quantity
	for _, s := range []struct {
		name string
		from drivers.Quantity
		to   *drivers.Quantity
	}{
		{"downstream", r.DownstreamSensor, &o.DownstreamSensor},
		{"downstream_threshold", r.DownstreamThreshold, &o.DownstreamThreshold},
		{"upstream", r.UpstreamSensor, &o.UpstreamSensor},
		{"upstream_threshold", r.UpstreamThreshold, &o.UpstreamThreshold},
	} {
		switch {
		case !s.from.Valid:
		case !slices.Contains(sensorUnits, s.from.Unit):
			c.refuse(s.name, s.from, "is neither a count nor a pressure")
		case first.Valid && s.from.Unit != first.Unit:
			c.refuse(s.name, s.from, "is in another unit than the other sensor values, "+first.Unit.String())
		default:
			first, *s.to = s.from, s.from
		}
	}
}

var hundred = big.NewRat(100, 1)

var sensorUnits = []drivers.Unit{drivers.RawCount, drivers.Millibar, drivers.MillimetreOfMercury, drivers.PercentOfLimit}

var concentrationUnits = []drivers.Unit{drivers.NanogramPerMilliliter, drivers.MicrogramPerMilliliter, drivers.MilligramPerMilliliter}

var doseUnits = []drivers.Unit{
	drivers.MicrogramPerMinute, drivers.MicrogramPerHour, drivers.MilligramPerMinute, drivers.MilligramPerHour,
	drivers.NanogramPerKilogramPerMinute, drivers.MicrogramPerKilogramPerMinute, drivers.MicrogramPerKilogramPerHour,
	drivers.MilligramPerKilogramPerMinute, drivers.MilligramPerKilogramPerHour,
}

var rateUnits = map[drivers.Unit]units.Rate{
	drivers.MilliliterPerHour:    units.MilliliterPerHour,
	drivers.MilliliterPer24Hours: units.MilliliterPer24Hours,
	drivers.MilliliterPerMinute:  units.MilliliterPerMinute,
	drivers.MicroliterPerHour:    units.MicroliterPerHour,
	drivers.MicroliterPerMinute:  units.MicroliterPerMinute,
}

var volumeUnits = map[drivers.Unit]units.Volume{
	drivers.Milliliter: units.Milliliter,
	drivers.Microliter: units.Microliter,
}
