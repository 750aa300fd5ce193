package units

import (
	"errors"
	"math"
	"math/big"
	"testing"
)

// Covers GW-21. The short way with whole numbers and the long one with fractions say the same.
func FuzzShortAndLongWayAgree(f *testing.F) {
	for _, m := range []int64{0, 1, -1, 12, 36, 60, 999_999_999, 24_000_000_000, -24_000_000_012, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 384_307_168} {
		for _, e := range []int8{0, -1, -9, -18, -19, 3, 127, -128} {
			f.Add(m, e)
		}
	}
	f.Fuzz(func(t *testing.T, m int64, e int8) {
		for _, unit := range []int64{int64(MilliliterPerHour), int64(Milliliter)} {
			if short, long := decimal(m, unit), FormatDecimal(big.NewRat(m, unit)); short != long {
				t.Errorf("%d/%d prints %s and %s", m, unit, short, long)
			}
		}
		for _, unit := range []int64{int64(MilliliterPerHour), int64(MilliliterPer24Hours), int64(MilliliterPerMinute), int64(MicroliterPerHour), int64(Microliter)} {
			short, err := scale(m, e, unit)
			long, wrong := scaleBig(m, e, unit)
			if short != long || errors.Is(err, ErrInexact) != errors.Is(wrong, ErrInexact) || errors.Is(err, ErrRange) != errors.Is(wrong, ErrRange) {
				t.Errorf("%de%d of %d: %d, %v and %d, %v", m, e, unit, short, err, long, wrong)
			}
		}
	})
}
