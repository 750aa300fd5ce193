package message

import (
	"encoding/json"
	"errors"
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

// MarshalJSON writes the text as a JSON number.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if d.text == "" {
		return nil, errors.New("message: an absent number was written; its field must be omitzero")
	}
	return []byte(d.text), nil
}

// UnmarshalJSON reads a JSON number and keeps its text.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	if strings.HasPrefix(string(b), `"`) || n == "" {
		return errors.New("message: a number is expected")
	}
	d.text = n.String()
	return nil
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

// UnmarshalJSON reads an RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return err
	}
	*t = TimeOf(parsed)
	return nil
}
