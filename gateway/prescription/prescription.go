package prescription

import (
	"math/big"
	"time"

	"infusiond/gateway/units"
)

// Prescription is one version of what was ordered for one patient.
type Prescription struct {
	File          string
	Patient       string // pseudonym
	Version       int    // from 1
	EffectiveFrom time.Time
	Author        string
	Role          string
	Reason        string
	ReviewBy      time.Time // the end of that day, UTC; zero: none
	WeightKg      *big.Rat  // dosing weight, 2 to 200 kg
	WeightDate    time.Time
	Library       *Library
	Infusions     []Infusion
}

// Infusion is one drug on one pump, running continuously from Start to End.
type Infusion struct {
	Name                  string
	Pump                  string
	Drug                  string     // generic name
	DoseMcgPerKgPerMin    *big.Rat   // prescribed
	ConcentrationMcgPerMl *big.Rat   // ordered
	Start, End            time.Time  // UTC; End zero: until further notice
	Step                  units.Rate // in which the pump's rate can be set
	Bag                   *Bag       // what hangs; nil: not recorded

	Rate    units.Rate // prescribed, nearest picolitre per day
	Rounded units.Rate // prescribed at the pump's step
	Limits  *Drug      // of the library; nil: the drug is not in it
	Soft    bool       // the prescribed dose is itself outside the soft limits, with a reason given
}

// Bag is the bag that hangs on a pump.
type Bag struct {
	Drug                  string
	ConcentrationMcgPerMl *big.Rat
	Volume                units.Volume
	PreparedAt, UseBy     time.Time
	ConfirmedBy           string
	ConfirmedAt           time.Time
}

// Confirmed says whether a second look confirmed drug and concentration of the bag.
func (b *Bag) Confirmed() bool {
	return b != nil && b.Drug != "" && b.ConcentrationMcgPerMl != nil && b.ConfirmedBy != "" && !b.ConfirmedAt.IsZero()
}

// RateOf gives the rate in mL/h of a dose in mcg/kg/min.
func RateOf(dose, weightKg, concentration *big.Rat) *big.Rat {
	r := new(big.Rat).Mul(dose, weightKg)
	r.Mul(r, big.NewRat(60, 1))
	return r.Quo(r, concentration)
}

// DoseOf gives the dose in mcg/kg/min of a rate.
func DoseOf(rate units.Rate, weightKg, concentration *big.Rat) *big.Rat {
	d := new(big.Rat).Mul(rate.Rat(), concentration)
	d.Quo(d, big.NewRat(60, 1))
	return d.Quo(d, weightKg)
}

// Round gives the multiple of step that is closest to the rate, half up.
func Round(rate, step units.Rate) units.Rate {
	if step <= 0 {
		return rate
	}
	return (rate + step/2) / step * step
}

// Order is what applies to one pump at one time.
type Order struct {
	*Prescription
	*Infusion
	// Expected says whether the pump should be running now.
	Expected bool
}

// Book holds all prescriptions of a gateway.
type Book struct {
	Prescriptions []*Prescription
}

// At returns the order for a pump at a time: of each patient the version with the latest
// effective time that is not later than at, of those the infusion that names the pump. A pump
// without one yields false.
func (b *Book) At(pump string, at time.Time) (Order, bool) {
	var found Order
	for _, p := range b.Prescriptions {
		if p.EffectiveFrom.After(at) || b.superseded(p, at) {
			continue
		}
		for i := range p.Infusions {
			if inf := &p.Infusions[i]; inf.Pump == pump {
				found = Order{Prescription: p, Infusion: inf, Expected: inf.expected(at)}
			}
		}
	}
	return found, found.Infusion != nil
}

func (b *Book) superseded(p *Prescription, at time.Time) bool {
	for _, other := range b.Prescriptions {
		if other.Patient == p.Patient && !other.EffectiveFrom.After(at) &&
			(other.EffectiveFrom.After(p.EffectiveFrom) || other.EffectiveFrom.Equal(p.EffectiveFrom) && other.Version > p.Version) {
			return true
		}
	}
	return false
}

func (i *Infusion) expected(at time.Time) bool {
	return !at.Before(i.Start) && !i.Ended(at)
}

// Ended says whether the infusion's planned end has passed.
func (i *Infusion) Ended(at time.Time) bool { return !i.End.IsZero() && !at.Before(i.End) }
