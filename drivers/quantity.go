package drivers

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Unit is the unit in which a pump printed a number.
type Unit uint8

// The units that pumps print. UnitNone is a plain count or a ratio.
const (
	UnitNone Unit = iota
	MilliliterPerHour
	MilliliterPer24Hours
	MilliliterPerMinute
	MicroliterPerHour
	MicroliterPerMinute
	Milliliter
	Microliter
	Second
	Volt
	Percent
	Millibar
	RawCount // a sensor reading without a known physical unit
	MillimetreOfMercury
	PercentOfLimit // a pressure as a share of the pump's own alarm limit
	Kilogram
	Millimetre
	NanogramPerMilliliter
	MicrogramPerMilliliter
	MilligramPerMilliliter
	MicrogramPerMinute
	MicrogramPerHour
	MilligramPerMinute
	MilligramPerHour
	NanogramPerKilogramPerMinute
	MicrogramPerKilogramPerMinute
	MicrogramPerKilogramPerHour
	MilligramPerKilogramPerMinute
	MilligramPerKilogramPerHour
)

var unitNames = [...]string{
	UnitNone: "1", MilliliterPerHour: "mL/h", MilliliterPer24Hours: "mL/24h",
	MilliliterPerMinute: "mL/min", MicroliterPerHour: "uL/h", MicroliterPerMinute: "uL/min",
	Milliliter: "mL", Microliter: "uL", Second: "s", Volt: "V", Percent: "%", Millibar: "mbar", RawCount: "count",
	MillimetreOfMercury: "mm[Hg]", PercentOfLimit: "% of limit", Kilogram: "kg", Millimetre: "mm",
	NanogramPerMilliliter: "ng/mL", MicrogramPerMilliliter: "ug/mL", MilligramPerMilliliter: "mg/mL",
	MicrogramPerMinute: "ug/min", MicrogramPerHour: "ug/h", MilligramPerMinute: "mg/min", MilligramPerHour: "mg/h",
	NanogramPerKilogramPerMinute: "ng/kg/min", MicrogramPerKilogramPerMinute: "ug/kg/min", MicrogramPerKilogramPerHour: "ug/kg/h",
	MilligramPerKilogramPerMinute: "mg/kg/min", MilligramPerKilogramPerHour: "mg/kg/h",
}

// String gives the unit in UCUM notation, except mL/24h, count and % of limit, which have none.
func (u Unit) String() string {
	if int(u) < len(unitNames) {
		return unitNames[u]
	}
	return "unit(" + strconv.Itoa(int(u)) + ")"
}

// Quantity is a number as the pump printed it: Mantissa times ten to the power
// of Exponent, in Unit. The zero Quantity is not valid: it means "the pump did
// not say", never the number zero.
type Quantity struct {
	Mantissa int64
	Exponent int8
	Unit     Unit
	Valid    bool
}

// Number returns the valid quantity mantissa times ten to the power of exponent.
func Number(mantissa int64, exponent int8, unit Unit) Quantity {
	return Quantity{Mantissa: mantissa, Exponent: exponent, Unit: unit, Valid: true}
}

// ParseDecimal reads a plain decimal number ("1.11", "-0.5", "100") without
// rounding. Exponents, blanks and an empty text are errors; so are numbers of
// more than 18 significant digits.
func ParseDecimal(text string, unit Unit) (Quantity, error) {
	body := strings.TrimPrefix(text, "-")
	whole, fraction, hasPoint := strings.Cut(body, ".")
	if whole == "" || (hasPoint && fraction == "") || len(whole)+len(fraction) > 18 || strings.ContainsAny(whole+fraction, "+-_") {
		return Quantity{}, fmt.Errorf("parse decimal %q: %w", text, ErrMalformed)
	}
	m, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return Quantity{}, fmt.Errorf("parse decimal %q: %w", text, ErrMalformed)
	}
	if len(body) != len(text) {
		m = -m
	}
	return Number(m, int8(-len(fraction)), unit), nil
}

// FromFloat32 turns a pump's single-precision float into the shortest decimal
// that reads back as the same float (design section 3). NaN and infinities are
// not numbers and yield an error.
func FromFloat32(f float32, unit Unit) (Quantity, error) {
	if f64 := float64(f); math.IsNaN(f64) || math.IsInf(f64, 0) {
		return Quantity{}, fmt.Errorf("float %v: %w", f, ErrMalformed)
	}
	text := strconv.FormatFloat(float64(f), 'e', -1, 32) // d.ddde±dd
	digits, exponentText, _ := strings.Cut(text, "e")
	exponent, err := strconv.Atoi(exponentText)
	if err != nil {
		return Quantity{}, fmt.Errorf("float %v: %w", f, ErrMalformed)
	}
	q, err := ParseDecimal(digits, unit)
	if err != nil {
		return Quantity{}, err
	}
	q.Exponent += int8(exponent)
	return q, nil
}

// Decimal prints the number as a plain decimal with exactly the digits that the pump gave: 1.10
// stays 1.10. It is empty for a quantity that is not valid.
func (q Quantity) Decimal() string {
	if !q.Valid {
		return ""
	}
	text := strconv.FormatInt(q.Mantissa, 10)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	switch places := -int(q.Exponent); {
	case places <= 0:
		if text != "0" {
			text += strings.Repeat("0", -places)
		}
	case len(text) > places:
		text = text[:len(text)-places] + "." + text[len(text)-places:]
	default:
		text = "0." + strings.Repeat("0", places-len(text)) + text
	}
	return sign + text
}
