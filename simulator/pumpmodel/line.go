package pumpmodel

import "math"

// downstream is the line from the pump to the catheter's tip: one compliance
// behind one resistance.
type downstream struct {
	complianceMLPerMbar float64
	resistance          float64 // of the open catheter, mbar·h/mL
	venous              float64 // mbar
	site                float64 // mbar that the height of the catheter's tip over the pump makes
	occlusion           float64 // 0 open to 1 closed
	open                bool    // disconnected: the fluid does not reach the patient
	mbar                float64

	patientML, lostML float64
	patientRate       float64 // mL/h in the last step

	cachedR, cachedDT, decay float64
}

// rest is the pressure at the pump when nothing flows.
func (l *downstream) rest() float64 {
	if l.open {
		return l.site
	}
	return l.venous + l.site
}

// step lets inML enter within dtH hours. The step is exact for a constant inflow,
// and what leaves follows from the balance of volumes.
func (l *downstream) step(inML, dtH float64) {
	before := l.mbar
	out := l.rest()
	if l.occlusion >= 1 && !l.open {
		l.mbar += inML / l.complianceMLPerMbar
		l.patientRate = 0
		return
	}
	r := l.resistance
	if !l.open {
		r /= 1 - l.occlusion
	}
	if r != l.cachedR || dtH != l.cachedDT {
		l.cachedR, l.cachedDT = r, dtH
		l.decay = -math.Expm1(-dtH / (r * l.complianceMLPerMbar))
	}
	l.mbar += (out + inML/dtH*r - before) * l.decay
	left := inML - l.complianceMLPerMbar*(l.mbar-before)
	if l.open {
		l.lostML += left
		l.patientRate = 0
		return
	}
	l.patientML += left
	l.patientRate = left / dtH
}

// upstream is the line from the bag to the pump, with the bag.
type upstream struct {
	complianceMLPerMbar float64
	occluded            bool
	missingML           float64 // drawn out of a closed line
	unfilled            int     // strokes in a row that were less than half full
	bagML               float64 // what is truly in the bag
	deadML              float64
	airML               float64 // strokes since the bag ran dry
	air                 bool    // an empty bag gives air instead of suction
}

// suction returns how far the pressure is below the atmosphere, mbar.
func (u *upstream) suction() float64 { return math.Min(u.missingML/u.complianceMLPerMbar, 1000) }

// fill returns the share of a stroke that is filled at this suction.
func (u *upstream) fill() float64 { return math.Max(0, 1-u.suction()/500) }

// draw takes up to ml out of the bag and returns the fluid that the stroke holds.
func (u *upstream) draw(ml float64) float64 {
	eta := u.fill()
	if eta < 0.5 {
		u.unfilled++
	} else {
		u.unfilled = 0
	}
	got := ml * eta
	dry := u.bagML <= u.deadML
	switch {
	case u.occluded:
		u.missingML += got
	case dry && u.air:
		u.airML += ml
		return 0
	case dry:
		u.missingML += got
	default:
		u.bagML -= got
		u.missingML, u.airML = 0, 0
	}
	return got
}
