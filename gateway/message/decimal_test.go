package message_test

import (
	"encoding/json"
	"testing"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/units"
)

// Covers GW-21.
func TestDecimalKeepsItsText(t *testing.T) {
	for _, text := range []string{"0", "1.11", "100.00", "0.000000001", "-0.5", "-0", "12345678901234567890.123456789"} {
		var d message.Decimal
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out, err := json.Marshal(struct {
			V message.Decimal `json:"v,omitzero"`
		}{d})
		if err != nil || string(out) != `{"v":`+text+`}` || d.String() != text || d != message.DecimalOf(text) {
			t.Errorf("%s became %s (%v)", text, out, err)
		}
	}
}

func TestDecimalRefusesOtherTexts(t *testing.T) {
	for _, text := range []string{"", "1e2", "1E2", ".5", "5.", "+5", "05", "0x1F", "1_000", "NaN", "Infinity", "1,5", " 1", "--1", "-", "1.2.3"} {
		if _, err := json.Marshal(message.DecimalOf(text)); err == nil {
			t.Errorf("%q was written", text)
		}
		var d message.Decimal
		if err := d.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	for _, text := range []string{`null`, `"1.11"`, `true`, `{}`} {
		var d message.Decimal
		if err := json.Unmarshal([]byte(text), &d); err == nil || !d.IsZero() {
			t.Errorf("%s was read as %s", text, d)
		}
	}
}

// Covers GW-22.
func TestAbsentIsNeverWritten(t *testing.T) {
	out, err := json.Marshal(message.Battery{TS: message.TimeOf(time.UnixMilli(1))})
	if err != nil || string(out) != `{"ts":"1970-01-01T00:00:00.001Z"}` {
		t.Errorf("got %s, %v", out, err)
	}
	if out, err := json.Marshal(message.Battery{}); err == nil {
		t.Errorf("an absent time was written: %s", out)
	}
}

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"1.11", "0", "-0.0", "1e5", "007", "1.", "99999999999999999999.9", `"1"`, "null"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d message.Decimal
		readErr := d.UnmarshalJSON([]byte(text))
		written, writeErr := message.DecimalOf(text).MarshalJSON()
		if (readErr == nil) != (writeErr == nil) {
			t.Fatalf("%q: read %v, written %v", text, readErr, writeErr)
		}
		if readErr != nil {
			return
		}
		if d.String() != text || string(written) != text || !json.Valid(written) {
			t.Errorf("%q became %q and %q", text, d, written)
		}
		if len(text) <= 40 {
			if _, err := units.ParseDecimal(text); err != nil {
				t.Errorf("%q is plain here and not in units: %v", text, err)
			}
		}
	})
}

func FuzzTime(f *testing.F) {
	for _, seed := range []string{
		"2026-07-15T14:30:02.118Z", "2026-07-15T16:30:02+02:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0004Z",
		"9999-12-31T23:59:59-23:00", "0000-01-01T00:00:00+23:00", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59.9999Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var first, second message.Time
		if json.Unmarshal(quoted, &first) != nil {
			return
		}
		written, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("%q was read as %v and cannot be written: %v", text, first.Time(), err)
		}
		if err := json.Unmarshal(written, &second); err != nil || !second.Time().Equal(first.Time()) || first != second {
			t.Errorf("%q became %s became %v (%v)", text, written, second.Time(), err)
		}
		if len(written) != len(`"2006-01-02T15:04:05.000Z"`) || first.Time().Location() != time.UTC {
			t.Errorf("%q is written as %s", text, written)
		}
	})
}
