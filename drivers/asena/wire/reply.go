package wire

// Number is a decimal as the pump printed it: Mantissa with Decimals digits behind the point.
type Number struct {
	Mantissa int64
	Decimals int8
	Valid    bool // false: the field was empty
}

// Reply is a decoded answer. Which fields count depends on Request; texts are views of the body.
type Reply struct {
	Request Request

	Text     []byte // SerialNumber, Protocol: the value; Syringe: the type; VTBI: the state
	Value    Number // ResponseMax, VolumeInfused, VTBI, Rate, MaxRate, Syringe (size)
	Unit     []byte // of Value
	Detail   []byte // Syringe: CONF or another word; VTBI: the end action
	Code     []byte // Alarm
	Texts    [2][]byte
	Infusion Infusion // Status
}

// Infusion is the answer to INF.
type Infusion struct {
	Serial       []byte
	Alarm        bool // field 2 is A
	Mode         []byte
	Rate         Number
	RateUnit     []byte
	Drug         []byte
	Volume       Number
	VolumeUnit   []byte
	Pressure     Number // may be negative
	PressureUnit []byte
	RemainingS   int64 // seconds; a lower bound with AtLeast
	Remaining    bool  // false: the field was empty
	AtLeast      bool
	LogType      []byte
	LogID        []byte // digits
}

// maxFields is more than any reply has.
const maxFields = 16

// Decode reads the body of a reply to r into the caller's struct. The error is a DecodeError:
// ErrOther when the body answers something else, otherwise ErrTruncated or ErrMalformed.
func Decode(body []byte, r Request, into *Reply) error {
	var f [maxFields][]byte
	n, start := 0, 0
	for i := 0; i <= len(body); i++ {
		if i < len(body) && body[i] != Separator {
			continue
		}
		if n == maxFields {
			return fail(body, i, ErrMalformed, "too many fields")
		}
		f[n] = body[start:i]
		n, start = n+1, i+1
	}
	if string(f[0]) != r.String() || r == NoRequest {
		return fail(body, 0, ErrOther, r.String())
	}
	*into = Reply{Request: r}
	field, cause := into.fill(f[:n])
	if cause == nil {
		return nil
	}
	offset := 0
	for i := range min(field, n) {
		offset += len(f[i]) + 1
	}
	return fail(body, min(offset, len(body)), cause, "field "+string(rune('0'+field/10))+string(rune('0'+field%10)))
}

// shape is how many fields a reply may have, the command included.
type shape struct{ least, most int }

var shapes = [requestCount]shape{
	SerialNumber: {2, 2}, Protocol: {2, 2}, ResponseMax: {3, 3}, Status: {14, 14}, VolumeInfused: {3, 3},
	VTBI: {3, 5}, Rate: {3, 3}, MaxRate: {3, 3}, Syringe: {4, 4}, Alarm: {2, 4},
}

// fill reads the fields; on failure it returns the index of the wrong one.
func (r *Reply) fill(f [][]byte) (int, error) {
	switch s := shapes[r.Request]; {
	case len(f) < s.least:
		return len(f), ErrTruncated
	case len(f) > s.most:
		return s.most, ErrMalformed
	}
	switch r.Request {
	case Status:
		return r.Infusion.fill(f)
	case SerialNumber, Protocol:
		r.Text = f[1]
		return 1, filled(f[1])
	case ResponseMax, VolumeInfused, Rate, MaxRate:
		r.Unit = f[2]
		return 1, number(f[1], false, &r.Value)
	case VTBI:
		return r.fillVTBI(f)
	case Syringe:
		r.Text, r.Detail = f[1], f[3]
		return 2, number(trim(f[2]), false, &r.Value)
	case Alarm:
		r.Code = f[1]
		for i := range f[2:] {
			r.Texts[i] = trim(f[2+i])
		}
		return 1, filled(f[1])
	case NoRequest, requestCount:
	}
	return 0, ErrOther
}

func (r *Reply) fillVTBI(f [][]byte) (int, error) {
	r.Text = f[1]
	if len(f) > 3 {
		r.Unit = f[3]
	}
	if len(f) > 4 {
		r.Detail = f[4]
	}
	if len(f[2]) == 0 {
		return 0, nil // no volume is set
	}
	return 2, number(f[2], false, &r.Value)
}

func (v *Infusion) fill(f [][]byte) (int, error) {
	v.Serial, v.Mode, v.RateUnit, v.Drug, v.VolumeUnit, v.PressureUnit = f[1], f[3], f[5], f[6], f[8], f[10]
	v.LogType, v.LogID = f[12], f[13]
	if err := filled(f[1]); err != nil {
		return 1, err
	}
	switch string(f[2]) {
	case "A":
		v.Alarm = true
	case "-":
	default:
		return 2, ErrMalformed
	}
	if err := filled(f[3]); err != nil {
		return 3, err
	}
	if err := number(f[4], false, &v.Rate); err != nil {
		return 4, err
	}
	if err := number(f[7], false, &v.Volume); err != nil {
		return 7, err
	}
	if err := number(f[9], true, &v.Pressure); err != nil {
		return 9, err
	}
	if err := v.remaining(f[11]); err != nil {
		return 11, err
	}
	for _, b := range f[13] {
		if b < '0' || b > '9' {
			return 13, ErrMalformed
		}
	}
	return 0, nil
}

// remaining reads HH:MM:SS, or 24+ for more than 24 hours.
func (v *Infusion) remaining(text []byte) error {
	switch {
	case len(text) == 0:
		return nil
	case string(text) == "24+":
		v.Remaining, v.AtLeast, v.RemainingS = true, true, 24*3600
		return nil
	case len(text) != 8 || text[2] != ':' || text[5] != ':':
		return ErrMalformed
	}
	var part [3]int64
	for i := range part {
		tens, ones := text[3*i]-'0', text[3*i+1]-'0'
		if tens > 9 || ones > 9 || i > 0 && tens > 5 {
			return ErrMalformed
		}
		part[i] = int64(tens)*10 + int64(ones)
	}
	v.Remaining, v.RemainingS = true, part[0]*3600+part[1]*60+part[2]
	return nil
}

func filled(b []byte) error {
	if len(b) == 0 {
		return ErrTruncated
	}
	return nil
}

func trim(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// number reads digits with at most one point between them. An empty field is no number and no error.
func number(text []byte, signed bool, into *Number) error {
	if len(text) == 0 {
		return nil
	}
	digits := text
	negative := signed && digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 12 || digits[0] == '.' || digits[len(digits)-1] == '.' {
		return ErrMalformed
	}
	var m int64
	decimals := int8(-1)
	for _, b := range digits {
		switch {
		case b >= '0' && b <= '9':
			m = m*10 + int64(b-'0')
			if decimals >= 0 {
				decimals++
			}
		case b == '.' && decimals < 0:
			decimals = 0
		default:
			return ErrMalformed
		}
	}
	if negative {
		m = -m
	}
	*into = Number{Mantissa: m, Decimals: max(decimals, 0), Valid: true}
	return nil
}
