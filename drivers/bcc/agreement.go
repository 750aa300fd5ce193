package bcc

import (
	"slices"
	"time"

	"infusiond/drivers"
)

// The check of a frame does not see two characters that are swapped, so a single block is no proof of a number. What a pump says
// changes seldom or slowly: a report that agrees with the one before is taken, any other is asked for once more with NAK, and taken when it comes
// again alike. So an error that the check does not see would have to strike twice in the same way.

// heard is what a pump said at a time.
type heard struct {
	report drivers.Report
	at     time.Duration
}

// What may change between two reports without being asked again, beside what time and rate explain.
const (
	volumeSlack  = 0.2              // mL: two steps of the counter
	timeSlack    = 30 * time.Second // of the remaining time, and a share of it
	timeShare    = 500
	batterySlack = 10 * time.Minute
	pressureLeap = 15   // percent of the limit
	fastest      = 1800 // mL/h (section 5.2)
)

// agrees says whether two reports of one pump do not contradict each other.
func (h *heard) agrees(r *drivers.Report, now time.Duration) bool {
	old, passed := &h.report, max(0, now-h.at)
	return steady(old, r) && counts(old, r, passed) && nears(old, r, passed)
}

// steady compares what only a person or an alarm changes.
func steady(a, b *drivers.Report) bool {
	return a.Identity == b.Identity && a.State == b.State && a.Mode == b.Mode && a.ProgrammedRate == b.ProgrammedRate && a.VTBI == b.VTBI &&
		a.DrugName == b.DrugName && a.Concentration == b.Concentration && a.DoseRate == b.DoseRate && a.ContainerSize == b.ContainerSize &&
		a.BolusRunning == b.BolusRunning && a.BolusRate == b.BolusRate && a.BolusVTBI == b.BolusVTBI && a.ExternalPower == b.ExternalPower &&
		a.AlarmsKnown == b.AlarmsKnown && a.AlarmsReason == b.AlarmsReason && a.DownstreamThreshold == b.DownstreamThreshold && slices.Equal(a.Alarms, b.Alarms) &&
		slices.Equal(a.AtLeast, b.AtLeast) && slices.Equal(a.Uncertain, b.Uncertain) && slices.Equal(a.Unavailable, b.Unavailable)
}

// counts compares the volumes: infused rises, remaining falls, neither by more than the rate explains.
func counts(a, b *drivers.Report, passed time.Duration) bool {
	most := float64(fastest)
	if b.BolusRunning != drivers.Yes && a.BolusRunning != drivers.Yes && b.State != drivers.RunPriming && a.ProgrammedRate.Valid {
		most = 1.25 * value(a.ProgrammedRate)
	}
	most = most*passed.Hours() + volumeSlack
	return between(a.VolumeInfused, b.VolumeInfused, 0, most) && between(a.VTBIRemaining, b.VTBIRemaining, -most, 0)
}

// nears compares what moves by itself.
func nears(a, b *drivers.Report, passed time.Duration) bool {
	s := passed.Seconds()
	slack := timeSlack.Seconds() + value(a.TimeRemaining)/timeShare
	battery := batterySlack.Seconds()
	return between(a.TimeRemaining, b.TimeRemaining, -s-slack, slack) && between(a.BatteryTime, b.BatteryTime, -s-battery, s+battery) &&
		between(a.DownstreamSensor, b.DownstreamSensor, -pressureLeap, pressureLeap)
}

// between says whether a number, printed with as many digits as before, changed by least to most. One that is absent both times did.
func between(a, b drivers.Quantity, least, most float64) bool {
	if !a.Valid || !b.Valid {
		return a.Valid == b.Valid
	}
	change := value(b) - value(a)
	return a.Exponent == b.Exponent && a.Unit == b.Unit && change >= least-1e-9 && change <= most+1e-9
}

func value(q drivers.Quantity) float64 {
	if !q.Valid {
		return 0
	}
	v := float64(q.Mantissa)
	for range -q.Exponent {
		v /= 10
	}
	return v
}
