package wire

import "math"

// Reply is the value of one decoded reply. Query says which fields count;
// the others keep what they held before.
type Reply struct {
	Query Query
	// Text is a view into the payload: serial number, versions, names, modes and
	// units, the flags of Q1 and Q7, the decimal of the text rates.
	Text []byte
	// N holds one or two integers, in the fractions that Query's comment names.
	N [2]uint32
	// True is the answer of TextRunning.
	True bool
	// Clock is the answer of PumpClock.
	Clock Clock
	// Sensors is the answer of CombinedSensors.
	Sensors Sensors
	// Bits holds the four floats of SensorCalibration.
	Bits [4]uint32
	// Index and Record are the answer of LogRecord.
	Index  uint32
	Record Record
}

// Float returns the i-th float of SensorCalibration, 0 <= i < 4.
func (r *Reply) Float(i int) float32 { return math.Float32frombits(r.Bits[i]) }

// Decode reads a payload as the answer to query q into r. Texts are views into
// the payload. The error is a DecodeError; ErrEcho means that the payload does not
// repeat the query's letters and so answers another one.
func Decode(payload []byte, q Query, r *Reply) error {
	if q == NoQuery || q >= queryCount {
		return fail(payload, 0, ErrUnsupported, "no such query")
	}
	l := &layouts[q]
	value := payload
	if len(l.letters) == 2 {
		if len(payload) < 2 || payload[0] != l.letters[0] || payload[1] != l.letters[1] {
			return fail(payload, 0, ErrEcho, l.letters)
		}
		value = payload[2:]
	}
	r.Query = q
	at := len(payload) - len(value)
	switch l.form {
	case formText, formTextWords, formFlag, formSerial, formVersion, formPlatform, formBool, formDecimal:
		return decodeText(payload, at, l, r)
	case formShort, formShortErr, formNumbers:
		return decodeNumbers(payload, at, l, r)
	case formClock:
		return decodeClock(payload, at, r)
	case formSensors:
		return decodeSensors(payload, at, r)
	case formFloats:
		return decodeFloats(payload, at, r)
	case formRecord:
		return decodeRecord(payload, at, r)
	}
	return fail(payload, 0, ErrUnsupported, "no such form")
}

func decodeText(payload []byte, at int, l *layout, r *Reply) error {
	value := payload[at:]
	if l.form == formBool {
		switch {
		case foldEqual(value, "TRUE"):
			r.True = true
		case foldEqual(value, "FALSE"):
			r.True = false
		default:
			return fail(payload, at, ErrMalformed, "TRUE or FALSE")
		}
		return nil
	}
	if l.form == formDecimal {
		if wrong := decimalEnd(value); wrong >= 0 {
			return fail(payload, at+wrong, ErrMalformed, "a decimal number")
		}
		r.Text = value
		return nil
	}
	if len(value) < l.first {
		return fail(payload, len(payload), ErrTruncated, "")
	}
	if len(value) > l.second {
		return fail(payload, at+l.second, ErrMalformed, "too long")
	}
	for i, b := range value {
		if !allowed(l.form, b) {
			return fail(payload, at+i, ErrMalformed, "character not allowed here")
		}
	}
	if l.form == formPlatform && (value[0] != '0' || value[1] > '1') {
		return fail(payload, at, ErrMalformed, "00 or 01")
	}
	// A line that returns what was sent to it must not look like an answer.
	if l.form == formTextWords && (value[0] == ':' || value[0] == '*') {
		return fail(payload, at, ErrMalformed, "a query, not an answer")
	}
	r.Text = value
	return nil
}

// allowed says whether a character may stand in a text of the given form.
func allowed(f form, b byte) bool {
	switch f {
	case formSerial:
		return letter(b) || digit(b)
	case formVersion:
		return letter(b) || digit(b) || b == '.' || b == '-'
	case formPlatform:
		return digit(b)
	case formText, formTextWords, formFlag, formNumbers, formShort, formShortErr, formClock,
		formSensors, formFloats, formRecord, formBool, formDecimal:
	}
	return printable(b)
}

func letter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
func digit(b byte) bool  { return b >= '0' && b <= '9' }

// decimalEnd returns the index of the first byte that does not belong to a
// decimal of at most 16 digits, or -1.
func decimalEnd(text []byte) int {
	point := -1
	for i, b := range text {
		switch {
		case digit(b):
		case b == '.' && point < 0 && i > 0:
			point = i
		default:
			return i
		}
	}
	if len(text) == 0 || len(text) > 17 || point == len(text)-1 {
		return len(text)
	}
	return -1
}

func foldEqual(b []byte, upper string) bool {
	if len(b) != len(upper) {
		return false
	}
	for i := range len(upper) {
		if b[i]&^0x20 != upper[i] {
			return false
		}
	}
	return true
}

func decodeNumbers(payload []byte, at int, l *layout, r *Reply) error {
	value := payload[at:]
	first, second := l.first, l.second
	if l.form != formNumbers {
		if l.form == formShortErr && string(value) == "ERROR" {
			return fail(payload, at, ErrUnsupported, "ERROR")
		}
		first, second = len(value), 0
		if first == 0 {
			return fail(payload, at, ErrTruncated, "1 to 8 hex digits")
		}
		if first > 8 {
			return fail(payload, at+8, ErrMalformed, "1 to 8 hex digits")
		}
	}
	if err := length(payload, at, first+second); err != nil {
		return err
	}
	n, wrong := parseHex(value[:first])
	if wrong >= 0 {
		return fail(payload, at+wrong, ErrMalformed, "a hex digit")
	}
	r.N = [2]uint32{n, 0}
	if second > 0 {
		n, wrong = parseHex(value[first:])
		if wrong >= 0 {
			return fail(payload, at+first+wrong, ErrMalformed, "a hex digit")
		}
		r.N[1] = n
	}
	return nil
}

// length checks that exactly n characters follow the echo.
func length(payload []byte, at, n int) error {
	switch got := len(payload) - at; {
	case got < n:
		return fail(payload, len(payload), ErrTruncated, "")
	case got > n:
		return fail(payload, at+n, ErrMalformed, "too long")
	}
	return nil
}

func decodeFloats(payload []byte, at int, r *Reply) error {
	if err := length(payload, at, 32); err != nil {
		return err
	}
	for i := range r.Bits {
		start := at + 8*i
		n, wrong := parseHex(payload[start : start+8])
		if wrong >= 0 {
			return fail(payload, start+wrong, ErrMalformed, "a hex digit")
		}
		r.Bits[i] = n
	}
	return nil
}
