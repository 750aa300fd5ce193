package wire

import "bytes"

// form is how the text of a field must look.
type form uint8

const (
	formText     form = iota // anything
	formSerial               // letters, digits and hyphens
	formWord                 // at least one character
	formCount                // digits
	formTwo                  // decimal with two places, e.g. 5.00
	formThree                // decimal with three places
	formPressure             // decimal with two places, may be negative
	formSize                 // digits, blanks before them
	formTime                 // HH:MM:SS or 24+
)

// Field describes one field of a reply.
type Field struct {
	Name string // lower_snake_case
	form form
	key  bool // without its form the body is no reply of this kind
}

// layout is the sequence of fields of one reply.
type layout struct {
	least  int // fewest fields
	fields []Field
}

var layouts = [...]layout{
	SerialNo:    {2, []Field{{Name: "request"}, {Name: "serial", form: formSerial, key: true}}},
	Protocol:    {2, []Field{{Name: "request"}, {Name: "protocol", form: formWord, key: true}}},
	ResponseMax: {3, []Field{{Name: "request"}, {Name: "response_max", form: formCount, key: true}, {Name: "unit"}}},
	Status: {14, []Field{
		{Name: "request"},
		{Name: "serial", form: formSerial, key: true},
		{Name: "alarm_flag", form: formWord, key: true},
		{Name: "mode", form: formWord},
		{Name: "rate", form: formTwo},
		{Name: "rate_unit"},
		{Name: "drug"},
		{Name: "volume_infused", form: formThree},
		{Name: "volume_unit"},
		{Name: "pressure", form: formPressure},
		{Name: "pressure_unit"},
		{Name: "time_remaining", form: formTime},
		{Name: "log_type"},
		{Name: "log_entry", form: formCount, key: true},
	}},
	VolumeInfused: {3, []Field{{Name: "request"}, {Name: "volume_infused", form: formThree}, {Name: "volume_unit"}}},
	VTBI: {3, []Field{
		{Name: "request"}, {Name: "state", form: formWord}, {Name: "vtbi", form: formThree}, {Name: "volume_unit"}, {Name: "end_action"},
	}},
	Rate:    {3, []Field{{Name: "request"}, {Name: "rate", form: formTwo}, {Name: "rate_unit"}}},
	RateMax: {3, []Field{{Name: "request"}, {Name: "rate_max", form: formTwo}, {Name: "rate_unit"}}},
	Syringe: {4, []Field{
		{Name: "request"}, {Name: "syringe_type"}, {Name: "syringe_size_ml", form: formSize}, {Name: "confirmed"},
	}},
	Alarm: {4, []Field{{Name: "request"}, {Name: "alarm_code", form: formWord, key: true}, {Name: "first_text"}, {Name: "second_text"}}},
}

// Layout lists the fields of the reply to a request; nil for no request. The last ones of VTBI may be missing.
func Layout(q Request) []Field {
	if q == NoRequest || q >= endRequests {
		return nil
	}
	return layouts[q].fields
}

// fits says whether a text has the form.
func (f form) fits(text []byte) bool {
	switch f {
	case formText:
		return true
	case formSerial:
		return len(text) <= 20 && len(text) > 0 && !bytes.ContainsFunc(text, func(r rune) bool { return !serialRune(r) })
	case formWord:
		return len(bytes.TrimSpace(text)) > 0
	case formCount:
		return allDigits(text, 10)
	case formTwo:
		return decimal(text, 2)
	case formThree:
		return decimal(text, 3)
	case formPressure:
		return decimal(bytes.TrimPrefix(text, []byte{'-'}), 2)
	case formSize:
		return allDigits(bytes.TrimLeft(text, " "), 4)
	case formTime:
		return string(text) == "24+" || clock(text)
	}
	return false
}

func serialRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-'
}

func allDigits(text []byte, most int) bool {
	if len(text) == 0 || len(text) > most {
		return false
	}
	for _, b := range text {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

// decimal says whether a text is one to six digits, a point and exactly so many places. More than one
// leading zero is no number that a pump prints.
func decimal(text []byte, places int) bool {
	whole := len(text) - places - 1
	if whole < 1 || text[whole] != '.' || whole > 1 && text[0] == '0' {
		return false
	}
	return allDigits(text[:whole], 6) && allDigits(text[whole+1:], places)
}

// clock says whether a text is a time HH:MM:SS of at most 24 hours.
func clock(t []byte) bool {
	if len(t) != 8 || t[2] != ':' || t[5] != ':' || !allDigits(t[:2], 2) || !allDigits(t[3:5], 2) || !allDigits(t[6:], 2) {
		return false
	}
	return string(t) <= "24:00:00" && t[3] < '6' && t[6] < '6'
}
