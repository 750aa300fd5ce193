package asena

import (
	"fmt"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
)

// The words of INF that section 5 names.
const (
	flagNone  = "-"
	flagAlarm = "A"
	modeHold  = "HLD"
	moreThan  = "24+"
)

// What a pump of this kind can mean (section 1); anything beyond is a damaged or misread number.
const (
	mostRate      = 1200_00 // in hundredths of mL/h
	leastPressure = -750_00 // in hundredths of mmHg: no line is emptier
	mostPressure  = 3000_00
)

// amount is a number as the pump wrote it, with its unit.
type amount struct {
	text, unit string
	good       bool // it has the form of section 5
}

func amountOf(r *wire.Reply, i int) amount {
	return amount{text: string(r.Field(i)), unit: string(r.Field(i + 1)), good: r.Good(i)}
}

func (s status) amount(i int) amount {
	return amount{text: s.text[i], unit: s.text[i+1], good: s.good[i]}
}

// quantity reads a number that must stand in one unit. What cannot be read is absent and named; an
// empty field says nothing.
func quantity(r *drivers.Report, name string, a amount, word string, unit drivers.Unit) drivers.Quantity {
	if a.text == "" {
		return drivers.Quantity{}
	}
	if a.unit != word {
		absent(r, fmt.Sprintf("%s (in the unit %q)", name, a.unit))
		return drivers.Quantity{}
	}
	q, err := drivers.ParseDecimal(a.text, unit)
	if err != nil || !a.good {
		absent(r, fmt.Sprintf("%s (not a number of its form: %q)", name, a.text))
		return drivers.Quantity{}
	}
	return q
}

// within makes a number outside its range absent.
func within(r *drivers.Report, name string, q drivers.Quantity, least, most int64) drivers.Quantity {
	if q.Valid && (q.Mantissa < least || q.Mantissa > most) {
		absent(r, fmt.Sprintf("%s (out of range: %s)", name, q.Decimal()))
		return drivers.Quantity{}
	}
	return q
}

func rate(r *drivers.Report, name string, a amount) drivers.Quantity {
	return within(r, name, quantity(r, name, a, "ml/h", drivers.MilliliterPerHour), 0, mostRate)
}

// fill takes the values of the closing INF.
func fill(r *drivers.Report, s status) {
	r.Mode = strings.TrimSpace(s.text[wire.ModeField])
	r.DrugName = strings.TrimSpace(s.text[wire.DrugField])
	r.PumpReportedRate = rate(r, "INF rate", s.amount(wire.RateField))
	uncertain(r, "PumpReportedRate", r.PumpReportedRate.Valid)
	r.VolumeInfused = quantity(r, "INF volume", s.amount(wire.VolumeField), "ml", drivers.Milliliter)
	pressure := quantity(r, "INF pressure", s.amount(wire.PressureField), "mmHg", drivers.MillimetreOfMercury)
	r.DownstreamSensor = within(r, "INF pressure", pressure, leastPressure, mostPressure)
	remaining(r, s.text[wire.RemainingField], s.good[wire.RemainingField])
}

// remaining reads HH:MM:SS or "24+".
func remaining(r *drivers.Report, text string, good bool) {
	switch {
	case text == "":
	case !good:
		absent(r, fmt.Sprintf("INF time remaining (not a time: %q)", text))
	case text == moreThan:
		r.TimeRemaining = drivers.Number(24*3600, 0, drivers.Second)
		r.AtLeast = append(r.AtLeast, "TimeRemaining")
	default:
		two := func(at int) int64 { return int64(text[at]-'0')*10 + int64(text[at+1]-'0') }
		r.TimeRemaining = drivers.Number(two(0)*3600+two(3)*60+two(6), 0, drivers.Second)
	}
}

// vtbi reads the volume to be infused, which an inactive one does not have.
func vtbi(r *drivers.Report, v *wire.Reply) drivers.Quantity {
	if string(v.Field(wire.VTBIStateField)) == "DEACT" {
		return drivers.Quantity{}
	}
	a := amountOf(v, wire.VTBIVolumeField)
	if state := string(v.Field(wire.VTBIStateField)); state != "ACTIV" && a.text != "" {
		absent(r, fmt.Sprintf("%s (in the state %q)", wire.VTBI, state))
		return drivers.Quantity{}
	}
	return quantity(r, wire.VTBI.String(), a, "ml", drivers.Milliliter)
}

// syringe reads the size of a syringe that somebody confirmed.
func syringe(r *drivers.Report, v *wire.Reply) drivers.Quantity {
	if word := string(v.Field(wire.ConfirmedField)); word != "CONF" {
		absent(r, fmt.Sprintf("%s (not confirmed: %q)", wire.Syringe, word))
		return drivers.Quantity{}
	}
	text := strings.TrimLeft(string(v.Field(wire.SyringeSizeField)), " ")
	return quantity(r, wire.Syringe.String(), amount{text: text, unit: "ml", good: v.Good(wire.SyringeSizeField)}, "ml", drivers.Milliliter)
}

// uncertain names a field whose meaning is inferred, when it has a value.
func uncertain(r *drivers.Report, field string, has bool) {
	if has {
		r.Uncertain = append(r.Uncertain, field)
	}
}

// runState is worked out as section 5 says, and refined by the alarm that is shown.
func runState(r *drivers.Report) drivers.RunState {
	state := drivers.RunUnknown
	switch {
	case r.Mode == modeHold, r.PumpReportedRate.Valid && r.PumpReportedRate.Mantissa == 0:
		state = drivers.RunStopped
	case r.PumpReportedRate.Valid && r.Mode != "":
		state = drivers.RunInfusing
	}
	for _, a := range r.Alarms {
		if because := lookup(a.RawCode); because.from == state && state != drivers.RunUnknown {
			state = because.to
			break
		}
	}
	uncertain(r, "State", state != drivers.RunUnknown)
	return state
}
