package units

import (
	"errors"
	"math/big"
	"testing"
)

// Covers GW-21.
func TestRateFromIsExactOrAnError(t *testing.T) {
	for _, row := range []struct {
		name     string
		mantissa int64
		exponent int8
		unit     Rate
		want     string
		err      error
	}{
		{"two decimals of mL/h", 111, -2, MilliliterPerHour, "1.11", nil},
		{"trailing zero", 1110, -3, MilliliterPerHour, "1.11", nil},
		{"finest", 1, -9, MilliliterPerHour, "0.000000001", nil},
		{"mL/24h", 27, 0, MilliliterPer24Hours, "1.125", nil},
		{"mL/24h with endless decimals prints nine", 26, 0, MilliliterPer24Hours, "1.083333333", nil},
		{"mL/min", 5, -1, MilliliterPerMinute, "30", nil},
		{"uL/h", 1110, 0, MicroliterPerHour, "1.11", nil},
		{"uL/min", 185, -1, MicroliterPerMinute, "1.11", nil},
		{"ten to the power of three", 3, 3, MilliliterPerHour, "3000", nil},
		{"too fine", 1, -20, MilliliterPerHour, "", ErrInexact},
		{"too large", 1, 18, MilliliterPerHour, "", ErrRange},
		{"negative", -5, -1, MilliliterPerHour, "-0.5", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := RateFrom(row.mantissa, row.exponent, row.unit)
			if !errors.Is(err, row.err) {
				t.Fatalf("error %v, want %v", err, row.err)
			}
			if err == nil && got.MlPerH() != row.want {
				t.Errorf("got %s, want %s", got.MlPerH(), row.want)
			}
		})
	}
}

func TestVolumePrintsExactly(t *testing.T) {
	v, err := VolumeFrom(1234, -2, Milliliter)
	if err != nil || v.Ml() != "12.34" || v.String() != "12.34 mL" {
		t.Errorf("got %v, %v", v, err)
	}
	if u, err := VolumeFrom(5, -7, Microliter); err == nil || !errors.Is(err, ErrInexact) {
		t.Errorf("a tenth of a femtolitre was taken: %v, %v", u, err)
	}
}

func TestRateOfSaysWhetherItIsExact(t *testing.T) {
	r, exact, err := RateOf(big.NewRat(111, 100))
	if err != nil || !exact || r.MlPerH() != "1.11" {
		t.Errorf("1.11: %v %v %v", r, exact, err)
	}
	if r, exact, err = RateOf(big.NewRat(1, 7)); err != nil || exact || r != 3_428_571_429 {
		t.Errorf("1/7: %d %v %v", r, exact, err)
	}
	if _, _, err = RateOf(big.NewRat(1<<62, 1)); !errors.Is(err, ErrRange) {
		t.Errorf("huge: %v", err)
	}
}

func TestParseDecimal(t *testing.T) {
	for _, bad := range []string{"", ".5", "5.", "5e1", "+5", "0x10", "1_000", "1,5", "NaN", "Inf", "--1", "1.2.3", " 1", "1/2"} {
		if v, err := ParseDecimal(bad); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q became %v, %v", bad, v, err)
		}
	}
	for text, want := range map[string]*big.Rat{"0.5": big.NewRat(1, 2), "-3": big.NewRat(-3, 1), "007.40": big.NewRat(37, 5)} {
		if v, err := ParseDecimal(text); err != nil || v.Cmp(want) != 0 {
			t.Errorf("%q became %v, %v", text, v, err)
		}
	}
}

// FuzzDecimal holds that a decimal within range survives reading, conversion and printing.
func FuzzDecimal(f *testing.F) {
	f.Add(int64(111), int8(-2))
	f.Add(int64(-1), int8(9))
	f.Fuzz(func(t *testing.T, mantissa int64, exponent int8) {
		v, err := VolumeFrom(mantissa, exponent, Milliliter)
		if err != nil {
			return
		}
		back, err := ParseDecimal(v.Ml())
		if err != nil {
			t.Fatalf("%d pL printed as %q: %v", v, v.Ml(), err)
		}
		if back.Cmp(v.Rat()) != 0 {
			t.Errorf("%d pL printed as %q", v, v.Ml())
		}
	})
}
