// Package units holds the physical quantities of an infusion as exact integers.
//
// A Rate counts picolitres per day and a Volume picolitres, so that every
// decimal in mL/h down to 1e-9, and every whole or decimal mL/24 h, mL/min and µL/h, is
// exact. Conversion is exact or it is an error. The package does no I/O and
// reads no clock.
package units

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// ErrInexact says that a number cannot be held exactly in the wanted unit.
var ErrInexact = errors.New("not exactly representable")

// ErrRange says that a number is too large to be held.
var ErrRange = errors.New("out of range")

// ErrSyntax says that a text is not a plain decimal number.
var ErrSyntax = errors.New("not a plain decimal number")

// Rate is a flow in picolitres per day. 1 mL/h is 24e9.
type Rate int64

// Volume is a volume in picolitres. 1 mL is 1e9.
type Volume int64

// The units a rate or volume is built from.
const (
	MilliliterPerHour    Rate = 24_000_000_000
	MilliliterPer24Hours Rate = 1_000_000_000
	MilliliterPerMinute  Rate = 1_440_000_000_000
	MicroliterPerHour    Rate = 24_000_000
	MicroliterPerMinute  Rate = 1_440_000_000

	Milliliter Volume = 1_000_000_000
	Microliter Volume = 1_000_000
)

// MlPerH prints the rate in mL/h as a plain decimal. The text is exact when the
// rate is a finite decimal in mL/h and otherwise rounded half-even at nine decimals
// (a pump that is set in mL/24 h).
func (r Rate) MlPerH() string { return decimal(int64(r), int64(MilliliterPerHour)) }

// String prints the rate with its unit.
func (r Rate) String() string { return r.MlPerH() + " mL/h" }

// Float gives mL/h for charts and statistics, not for comparison.
func (r Rate) Float() float64 { return float64(r) / float64(MilliliterPerHour) }

// Ml prints the volume in mL as a plain exact decimal.
func (v Volume) Ml() string { return decimal(int64(v), int64(Milliliter)) }

// String prints the volume with its unit.
func (v Volume) String() string { return v.Ml() + " mL" }

// Float gives mL for charts and statistics, not for comparison.
func (v Volume) Float() float64 { return float64(v) / float64(Milliliter) }

// RateFrom converts mantissa·10^exponent of the given unit, exactly or not at all.
func RateFrom(mantissa int64, exponent int8, unit Rate) (Rate, error) {
	n, err := scale(mantissa, exponent, int64(unit))
	return Rate(n), err
}

// VolumeFrom converts mantissa·10^exponent of the given unit, exactly or not at all.
func VolumeFrom(mantissa int64, exponent int8, unit Volume) (Volume, error) {
	n, err := scale(mantissa, exponent, int64(unit))
	return Volume(n), err
}

// RateOf gives the rate that is closest to r mL/h and whether it is exact.
func RateOf(mlPerH *big.Rat) (Rate, bool, error) {
	scaled := new(big.Rat).Mul(mlPerH, new(big.Rat).SetInt64(int64(MilliliterPerHour)))
	n := roundHalfEven(scaled)
	if !n.IsInt64() {
		return 0, false, fmt.Errorf("rate %s mL/h: %w", mlPerH.FloatString(3), ErrRange)
	}
	return Rate(n.Int64()), scaled.IsInt(), nil
}

// Rat gives the rate in mL/h as an exact fraction.
func (r Rate) Rat() *big.Rat { return big.NewRat(int64(r), int64(MilliliterPerHour)) }

// Rat gives the volume in mL as an exact fraction.
func (v Volume) Rat() *big.Rat { return big.NewRat(int64(v), int64(Milliliter)) }

// ParseDecimal reads a plain decimal ("0.5", "10"): digits, at most one point with
// digits on both sides, an optional leading minus. ".5", "5.", "5e1" and "+5" are refused.
func ParseDecimal(text string) (*big.Rat, error) {
	body := strings.TrimPrefix(text, "-")
	whole, fraction, hasPoint := strings.Cut(body, ".")
	if whole == "" || (hasPoint && fraction == "") || !digits(whole) || !digits(fraction) || len(body) > 40 {
		return nil, fmt.Errorf("%q: %w", text, ErrSyntax)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, fmt.Errorf("%q: %w", text, ErrSyntax)
	}
	return r, nil
}

// FormatDecimal prints a fraction as a plain decimal, exact when it is finite within
// nine decimals, otherwise rounded half-even at nine.
func FormatDecimal(r *big.Rat) string {
	scaled := new(big.Rat).Mul(r, big.NewRat(1_000_000_000, 1))
	return trim(roundHalfEven(scaled), 9)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// scale multiplies exactly or fails. Almost every number of a pump fits into 64 bits on the way.
func scale(mantissa int64, exponent int8, unit int64) (int64, error) {
	if exponent <= 0 && exponent >= -18 && mantissa <= math.MaxInt64/unit && mantissa >= -math.MaxInt64/unit {
		n, ten := mantissa*unit, int64(1)
		for range -exponent {
			ten *= 10
		}
		if n%ten != 0 {
			return 0, fmt.Errorf("%de%d: %w", mantissa, exponent, ErrInexact)
		}
		return n / ten, nil
	}
	return scaleBig(mantissa, exponent, unit)
}

func scaleBig(mantissa int64, exponent int8, unit int64) (int64, error) {
	n := new(big.Int).Mul(big.NewInt(mantissa), big.NewInt(unit))
	if exponent >= 0 {
		n.Mul(n, pow10(int64(exponent)))
	} else {
		var rest big.Int
		n.QuoRem(n, pow10(-int64(exponent)), &rest)
		if rest.Sign() != 0 {
			return 0, fmt.Errorf("%de%d: %w", mantissa, exponent, ErrInexact)
		}
	}
	if !n.IsInt64() {
		return 0, fmt.Errorf("%de%d: %w", mantissa, exponent, ErrRange)
	}
	return n.Int64(), nil
}

func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// decimal prints n/unit, rounded half-even at nine decimals. The units are multiples of one billionth of
// a millilitre, so that whole numbers suffice.
func decimal(n, unit int64) string {
	const billion = 1_000_000_000
	if unit%billion != 0 || n == math.MinInt64 {
		return FormatDecimal(big.NewRat(n, unit))
	}
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	unit /= billion
	q, rest := n/unit, n%unit
	if twice := 2 * rest; twice > unit || twice == unit && q%2 == 1 {
		q++
	}
	if q == 0 {
		return "0"
	}
	text := strconv.FormatInt(q, 10)
	if len(text) <= 9 {
		text = "0000000000"[:10-len(text)] + text
	}
	whole, fraction := text[:len(text)-9], strings.TrimRight(text[len(text)-9:], "0")
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}

func roundHalfEven(r *big.Rat) *big.Int {
	twice := new(big.Int).Lsh(r.Num(), 1)
	q, rem := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int)) // floor, 0 <= rem < denom
	twice.Lsh(rem, 1)
	switch c := twice.Cmp(r.Denom()); {
	case c > 0, c == 0 && q.Bit(0) == 1:
		q.Add(q, big.NewInt(1))
	}
	return q
}

func trim(n *big.Int, decimals int) string {
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
	}
	text := new(big.Int).Abs(n).String()
	if len(text) <= decimals {
		text = strings.Repeat("0", decimals-len(text)+1) + text
	}
	whole, fraction := text[:len(text)-decimals], strings.TrimRight(text[len(text)-decimals:], "0")
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}
