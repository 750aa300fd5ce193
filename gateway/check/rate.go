package check

import (
	"fmt"
	"math/big"
	"slices"

	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/prescription"
	"infusiond/gateway/units"
)

// tolerance of C1: half a step of the pump, or 1 % of the prescribed rate where that is more.
func tolerance(order prescription.Order) units.Rate {
	return max(order.Step/2, order.Rate/100)
}

// rate is check C1: the programmed rate, and while the pump runs the rate that it reports, against
// the prescribed rate at the pump's step.
func (j *judge) rate() {
	order := j.r.Order
	if !order.Expected {
		return
	}
	j.r.Tolerance = tolerance(order)
	programmed, hasProgrammed := j.o.Programmed.Get()
	reported, hasReported := j.o.PumpReported.Get()
	if !hasProgrammed && (!hasReported || !j.o.Status.Infusing()) {
		j.unknown("C1", message.CodeRateUnknown, "the pump does not tell its rate")
		return
	}
	if hasProgrammed && j.off(programmed) {
		j.deviation("C1", message.CodeRateMismatch, fmt.Sprintf("set on the pump %s, prescribed %s mL/h (tolerance %s)",
			programmed, order.Rounded.MlPerH(), j.r.Tolerance.MlPerH()), signature(programmed, order))
		return
	}
	// Below 0.9 of the set rate it is C3's.
	if hasReported && j.o.Status == infusion.StatusInfusing && j.off(reported) && (!hasProgrammed || !below90(reported, programmed)) {
		j.deviation("C1", message.CodeRateMismatch, fmt.Sprintf("the pump reports that it runs at %s, prescribed %s mL/h (tolerance %s)",
			reported, order.Rounded.MlPerH(), j.r.Tolerance.MlPerH()), signature(reported, order))
	}
}

func (j *judge) off(rate units.Rate) bool {
	d := rate - j.r.Order.Rounded
	return max(d, -d) > j.r.Tolerance
}

func below90(reported, programmed units.Rate) bool { return 10*reported < 9*programmed }

// kvo is check C3.
func (j *judge) kvo() {
	programmed, hasProgrammed := j.o.Programmed.Get()
	reported, hasReported := j.o.PumpReported.Get()
	infused, hasInfused := j.o.VolumeInfused.Get()
	vtbi, hasVTBI := j.o.VTBI.Get()
	remaining, hasRemaining := j.o.VTBIRemaining.Get()
	running := j.o.Status == infusion.StatusInfusing
	switch {
	case j.o.Status == infusion.StatusKVO:
		j.deviation("C3", message.CodeKVO, "the pump reports keep-vein-open: not the prescribed rate", "")
	case running && hasRemaining && remaining <= 0, running && hasVTBI && hasInfused && vtbi > 0 && infused >= vtbi && !j.uncertain("VTBI", "VolumeInfused"):
		j.deviation("C3", message.CodeKVO, "the pump reports running although its programmed volume was infused: probably keep-vein-open", "")
	case running && hasProgrammed && hasReported && below90(reported, programmed):
		j.deviation("C3", message.CodeKVO, fmt.Sprintf("the pump reports running at %s although %s is set: probably keep-vein-open", reported, programmed), "")
	}
}

// uncertain says whether the protocol leaves the meaning of one of these fields open: then they are not compared.
func (j *judge) uncertain(fields ...string) bool {
	return slices.ContainsFunc(fields, func(f string) bool { return slices.Contains(j.o.Uncertain, f) })
}

// bolus is the part of C5 that needs no counter.
func (j *judge) bolus() {
	if j.o.Status == infusion.StatusBolus {
		j.deviation("C5", message.CodeBolusUnplanned, "the pump reports that it gives a bolus; none is planned", "")
	}
}

// dose is check C8: the dose that the programmed rate gives with the bag that hangs.
func (j *judge) dose(c *Checker) {
	order := j.r.Order
	if !order.Expected {
		return
	}
	if !order.Bag.Confirmed() {
		j.unknown("C8", message.CodeBagUnconfirmed, "drug and concentration of the bag were not confirmed: the dose cannot be told")
		return
	}
	if order.Bag.Drug != order.Drug {
		j.deviation("C8", message.CodeDoseMismatch, fmt.Sprintf("the bag holds %s, prescribed is %s", order.Bag.Drug, order.Drug), "")
		return
	}
	rate, known := j.o.Programmed.Get()
	if !known {
		rate, known = j.o.PumpReported.Get()
		if !known || !j.o.Status.Infusing() {
			return // C1 says so
		}
	}
	dose := c.dose.of(rate, order)
	j.r.ProgrammedDose = dose
	// A wrong rate alone is C1's finding, not a second one.
	sameBag := order.Bag.ConcentrationMcgPerMl.Cmp(order.ConcentrationMcgPerMl) == 0
	if !sameBag && j.wrongDose(dose) {
		j.deviation("C8", message.CodeDoseMismatch, fmt.Sprintf("rate and bag give %s mcg/kg/min, prescribed %s",
			short(dose), units.FormatDecimal(order.DoseMcgPerKgPerMin)), concentrationHint(order))
	}
	if order.Limits == nil {
		j.unknown("C8", message.CodeNoLibraryLimits, "no drug library limits this drug's dose")
		return
	}
	if side := order.Limits.Dose.Beyond(dose); side != "" && (!order.Soft || side == "hard low" || side == "hard high") {
		j.deviation("C8", message.CodeDoseLimit, fmt.Sprintf("%s mcg/kg/min is beyond the %s limit of %s", short(dose), side, order.Library.Title()), "")
	}
}

// wrongDose says whether the dose differs from the ordered one by more than the rate may differ, at the ordered concentration.
func (j *judge) wrongDose(dose *big.Rat) bool {
	order := j.r.Order
	ordered := prescription.DoseOf(order.Rounded, order.WeightKg, order.ConcentrationMcgPerMl)
	allowed := prescription.DoseOf(j.r.Tolerance, order.WeightKg, order.ConcentrationMcgPerMl)
	d := new(big.Rat).Sub(dose, ordered)
	return d.Abs(d).Cmp(allowed) > 0
}

// lastDose keeps the last dose that was worked out: from one cycle to the next rate and order are almost
// always the same. The fraction is shared and never changed.
type lastDose struct {
	rate     units.Rate
	weight   *big.Rat
	strength *big.Rat
	dose     *big.Rat
}

func (l *lastDose) of(rate units.Rate, order prescription.Order) *big.Rat {
	weight, strength := order.WeightKg, order.Bag.ConcentrationMcgPerMl
	if l.dose == nil || l.rate != rate || l.weight != weight || l.strength != strength {
		*l = lastDose{rate, weight, strength, prescription.DoseOf(rate, weight, strength)}
	}
	return l.dose
}

func short(dose *big.Rat) string {
	return units.FormatDecimal(new(big.Rat).SetFrac64(roundThousandth(dose), 1000))
}

func roundThousandth(v *big.Rat) int64 {
	scaled := new(big.Rat).Mul(v, big.NewRat(1000, 1))
	f, _ := scaled.Float64()
	return int64(f + 0.5)
}

func concentrationHint(order prescription.Order) string {
	if order.Bag.ConcentrationMcgPerMl.Cmp(order.ConcentrationMcgPerMl) == 0 {
		return ""
	}
	return fmt.Sprintf("the bag holds %s mcg/mL, ordered are %s", units.FormatDecimal(order.Bag.ConcentrationMcgPerMl), units.FormatDecimal(order.ConcentrationMcgPerMl))
}

// signatures are the ratios of a set rate to the prescribed one that point to a known slip
// (domain facts 4.6). The ratio may differ by 3 %.
var signatures = []struct {
	ratio float64
	hint  string
}{
	{10, "ten times the prescribed rate: decimal point, or a loading dose"},
	{0.1, "a tenth of the prescribed rate: decimal point"},
	{100, "a hundred times the prescribed rate: decimal point"},
	{0.01, "a hundredth of the prescribed rate: decimal point"},
	{24, "24 times the prescribed rate: mL/24 h typed as mL/h"},
	{1.0 / 24, "a 24th of the prescribed rate: mL/h typed as mL/24 h"},
	{2.2046, "2.2 times the prescribed rate: pounds used as kilograms"},
	{0.4536, "0.45 of the prescribed rate: kilograms used as pounds"},
	{60, "60 times the prescribed rate: minutes and hours exchanged"},
	{1.0 / 60, "a 60th of the prescribed rate: minutes and hours exchanged"},
	{2, "twice the prescribed rate: set for half the concentration"},
	{0.5, "half the prescribed rate: set for twice the concentration"},
}

func signature(rate units.Rate, order prescription.Order) string {
	if order.Rate <= 0 {
		return ""
	}
	ratio := float64(rate) / float64(order.Rate)
	for _, s := range signatures {
		if ratio > 0.97*s.ratio && ratio < 1.03*s.ratio {
			return s.hint
		}
	}
	dose, _ := order.DoseMcgPerKgPerMin.Float64()
	if typed := rate.Float(); typed > 0.97*dose && typed < 1.03*dose {
		return "the dose number typed into the rate field"
	}
	return ""
}
