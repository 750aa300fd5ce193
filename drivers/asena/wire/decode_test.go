package wire

import (
	"errors"
	"testing"
)

// Covers GW-10.
func TestDecodeRefuses(t *testing.T) {
	const good = "INF^8002-51740^-^SET^5.00^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT^127904"
	for _, row := range []struct {
		name, body string
		r          Request
		want       error
		offset     int
	}{
		{"another reply", good, Alarm, ErrOther, 0},
		{"no request", good, NoRequest, ErrOther, 0},
		{"only the command", "INF", Status, ErrTruncated, 3},
		{"a field too few", "INF^8002-51740^-^SET^5.00^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT", Status, ErrTruncated, 61},
		{"a field too many", good + "^1", Status, ErrMalformed, 69},
		{"very many fields", good + "^^^^^^^^^^", Status, ErrMalformed, 71},
		{"no serial number", "INF^^-^SET^5.00^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT^1", Status, ErrTruncated, 4},
		{"alarm flag", "INF^8002-51740^B^SET^5.00^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT^1", Status, ErrMalformed, 15},
		{"rate with two points", "INF^8002-51740^-^SET^5.0.0^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT^1", Status, ErrMalformed, 21},
		{"negative rate", "INF^8002-51740^-^SET^-5.00^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT^1", Status, ErrMalformed, 21},
		{"rate ends in a point", "INF_RATE^5.^ml/h", Rate, ErrMalformed, 9},
		{"minutes", "INF^8002-51740^-^SET^5.00^ml/h^^1.234^ml^17.91^mmHg^00:60:00^EVENT^1", Status, ErrMalformed, 52},
		{"log id", good + "x", Status, ErrMalformed, 62},
		{"empty serial number", "INST_SERIALNO^", SerialNumber, ErrTruncated, 14},
		{"alarm without a code", "ALARM^^ ^ ", Alarm, ErrTruncated, 6},
	} {
		t.Run(row.name, func(t *testing.T) {
			var r Reply
			err := Decode([]byte(row.body), row.r, &r)
			var d *DecodeError
			if !errors.As(err, &d) || !errors.Is(err, row.want) {
				t.Fatalf("Decode: %v, want %v", err, row.want)
			}
			if d.Offset != row.offset {
				t.Errorf("offset %d, want %d (%v)", d.Offset, row.offset, err)
			}
		})
	}
}

func TestEmptyFieldsAreAbsent(t *testing.T) {
	var r Reply
	if err := Decode([]byte("INF^8002-51740^-^HLD^^ml/h^^^ml^^mmHg^^EVENT^"), Status, &r); err != nil {
		t.Fatal(err)
	}
	if v := r.Infusion; v.Rate.Valid || v.Volume.Valid || v.Pressure.Valid || v.Remaining {
		t.Errorf("empty fields hold %+v", v)
	}
	if err := Decode([]byte("INF_VTBI^DEACT^"), VTBI, &r); err != nil || r.Value.Valid || string(r.Text) != "DEACT" {
		t.Errorf("no VTBI: %+v, %v", r, err)
	}
	if err := Decode([]byte("INF^8002-51740^-^HLD^0.00^ml/h^^0.000^ml^-3.50^mmHg^00:00:00^EVENT^1"), Status, &r); err != nil || r.Infusion.Pressure != num(-350, 2) {
		t.Errorf("negative pressure: %+v, %v", r.Infusion.Pressure, err)
	}
}

// Covers GW-10.
func TestFrameRefuses(t *testing.T) {
	for _, row := range []struct {
		name, frame string
		want        error
	}{
		{"empty", "", ErrMalformed},
		{"no start", "INF|4961\r", ErrMalformed},
		{"no end", "!INF|4961", ErrTruncated},
		{"only a start", "!", ErrTruncated},
		{"too short", "!|4961\r", ErrTruncated},
		{"wrong CRC", "!INF|4962\r", ErrChecksum},
		{"CRC in lower case", "!INF^8002-51733^A^HLD^0.00^ml/h^^0.969^ml^530.15^mmHg^00:04:09^EVENT^214725|db9d\r", ErrMalformed},
		{"no bar", "!INFX4961\r", ErrMalformed},
		{"control byte", "!I\nF|4961\r", ErrMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := DecodeFrame([]byte(row.frame)); !errors.Is(err, row.want) {
				t.Errorf("DecodeFrame: %v, want %v", err, row.want)
			}
			var s Scanner
			if body, _ := s.Next([]byte(row.frame)); body != nil {
				t.Errorf("the scanner accepts %q", body)
			}
		})
	}
}

func TestEscapeCancelsTheFrame(t *testing.T) {
	var s Scanner
	body, used := s.Next([]byte("!INF^80\x1B|4961\r!ALARM|50B2\r"))
	if string(body) != "ALARM" || used != 26 || s.Bad() != 0 {
		t.Errorf("%q after %d bytes, %d bad, want ALARM", body, used, s.Bad())
	}
}
