package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Decimal is a JSON number that keeps its decimal text, so that 1.11 stays 1.11. The zero
// Decimal is absent; a field of it must be omitzero, and writing it is an error.
type Decimal struct{ text string }

// DecimalOf holds a plain decimal text such as units prints.
func DecimalOf(text string) Decimal { return Decimal{text: text} }

// IsZero says that there is no number (not that the number is zero).
func (d Decimal) IsZero() bool { return d.text == "" }

// String is the number's text, empty when absent.
func (d Decimal) String() string { return d.text }

// MarshalJSON writes the text as a JSON number. A text that is not a plain decimal is an
// error and never reaches a subscriber.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if d.text == "" {
		return nil, errors.New("message: an absent number was written; its field must be omitzero")
	}
	if !PlainDecimal(d.text) {
		return nil, fmt.Errorf("message: %q is not a plain decimal", d.text)
	}
	return []byte(d.text), nil
}

// UnmarshalJSON reads a JSON number and keeps its text. Texts, null and numbers with an
// exponent are errors.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	text := string(b)
	if !PlainDecimal(text) {
		return fmt.Errorf("message: a plain decimal number is expected, not %.40q", text)
	}
	d.text = text
	return nil
}

// PlainDecimal says whether text is a number as the contract writes it: the JSON grammar
// without an exponent, so digits, at most one point with digits on both sides, and an
// optional leading minus.
func PlainDecimal(text string) bool {
	whole, fraction, hasPoint := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if whole == "" || (whole[0] == '0' && len(whole) > 1) || (hasPoint && fraction == "") {
		return false
	}
	return strings.Trim(whole, "0123456789") == "" && strings.Trim(fraction, "0123456789") == ""
}

// Time is UTC with milliseconds, RFC 3339. The zero Time is absent.
type Time struct{ t time.Time }

const timeLayout = "2006-01-02T15:04:05.000Z"

// TimeOf cuts t to milliseconds of UTC.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t: t.UTC().Truncate(time.Millisecond)}
}

// Time gives the moment.
func (t Time) Time() time.Time { return t.t }

// IsZero says that there is no time.
func (t Time) IsZero() bool { return t.t.IsZero() }

// String prints the time as it stands in JSON.
func (t Time) String() string { return t.t.Format(timeLayout) }

// MarshalJSON writes the time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.t.IsZero() {
		return nil, errors.New("message: an absent time was written; its field must be omitzero")
	}
	return []byte(`"` + t.t.Format(timeLayout) + `"`), nil
}

// UnmarshalJSON reads an RFC 3339 time. A moment that could not be written again, such as the
// zero time or a year of five digits in UTC, is an error.
func (t *Time) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return err
	}
	cut := TimeOf(parsed)
	if year := cut.t.Year(); cut.IsZero() || year < 0 || year > 9999 {
		return fmt.Errorf("message: time %.40q is out of range", text)
	}
	*t = cut
	return nil
}
