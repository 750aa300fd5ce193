package wire

// Unit is how a pump prints the unit of a number.
type Unit uint8

// The units of section 5.
const (
	UnitNone            Unit = iota
	MilliliterPerHour        // MH
	MilliliterPerMinute      // MM
	MicroliterPerHour        // UH
	MicroliterPerMinute      // UM
	Milliliter               // ML
	Microliter               // UL
)

var unitCodes = [...]string{MilliliterPerHour: "MH", MilliliterPerMinute: "MM", MicroliterPerHour: "UH", MicroliterPerMinute: "UM", Milliliter: "ML", Microliter: "UL"}

// Number is a decimal as the pump printed it: Mantissa with Decimals digits behind the point.
type Number struct {
	Mantissa int32
	Decimals int8
	Valid    bool
}

// Reply is what a pump said: its address, its status or alarm, and the data, which is a view.
type Reply struct {
	Address int
	Status  byte // I W S P T U X, or A for an alarm
	Alarm   byte // with status A: R S T E O, or another letter
	Data    []byte
}

// Value is the decoded data of a reply.
type Value struct {
	Infused, Withdrawn Number // Infused also holds the number of every other query
	Unit               Unit
	Text               []byte // Version, Direction, Function
}

// DecodeReply reads the data of a frame that a pump sent. The error is a DecodeError with cause ErrTruncated or ErrMalformed.
func DecodeReply(data []byte, into *Reply) error {
	if len(data) < 3 {
		return fail(data, len(data), ErrTruncated, "address and status")
	}
	tens, ones := data[0]-'0', data[1]-'0'
	if tens > 9 || ones > 9 {
		return fail(data, 0, ErrMalformed, "an address has two digits")
	}
	*into = Reply{Address: int(tens)*10 + int(ones), Status: data[2], Data: data[3:]}
	switch data[2] {
	case 'I', 'W', 'S', 'P', 'T', 'U', 'X':
		return nil
	case 'A':
		if len(data) != 5 || data[3] != '?' || data[4] < 'A' || data[4] > 'Z' {
			return fail(data, 3, ErrMalformed, "an alarm is A?, and one letter")
		}
		into.Alarm, into.Data = data[4], nil
		return nil
	}
	return fail(data, 2, ErrMalformed, "unknown status")
}

// Refusal returns the error that a reply's data holds: "?", "?NA", "?OOR", "?COM", "?IGN"; empty when it holds a value.
func (r *Reply) Refusal() string {
	if len(r.Data) > 0 && r.Data[0] == '?' {
		return string(r.Data)
	}
	return ""
}

// Decode reads the data of a reply to q. The error is a DecodeError: ErrOther when it has the form of another answer.
func (v *Value) Decode(data []byte, q Query) error {
	*v = Value{}
	ok := false
	switch q {
	case Status:
		ok = len(data) == 0
	case Version:
		ok = version(data)
		v.Text = data
	case Rate:
		ok = v.measure(data, MilliliterPerHour, MicroliterPerMinute)
	case Volume:
		ok = v.measure(data, Milliliter, Microliter)
	case Dispensed:
		ok = v.dispensed(data)
	case Direction:
		ok = string(data) == "INF" || string(data) == "WDR"
		v.Text = data
	case Diameter:
		ok = number(data, &v.Infused)
	case Phase, Buzzer:
		ok = number(data, &v.Infused) && v.Infused.Decimals == 0 && len(data) <= 2
	case Function:
		ok = len(data) >= 2 && letters(data)
		v.Text = data
	case NoQuery, queryCount:
	}
	if !ok {
		return fail(data, 0, ErrOther, "form of the answer to "+q.String())
	}
	return nil
}

// version is NE, model, optional X and a digit, V, major, point, minor.
func version(d []byte) bool {
	if len(d) < 7 || d[0] != 'N' || d[1] != 'E' {
		return false
	}
	v := 2
	for v < len(d) && d[v] != 'V' {
		if (d[v] < '0' || d[v] > '9') && d[v] != 'X' {
			return false
		}
		v++
	}
	var n Number
	return v > 2 && v < len(d) && number(d[v+1:], &n) && n.Decimals > 0
}

func letters(d []byte) bool {
	for _, b := range d {
		if b < 'A' || b > 'Z' {
			return false
		}
	}
	return true
}

// measure reads a number and a unit from least to most.
func (v *Value) measure(d []byte, least, most Unit) bool {
	if len(d) < 3 {
		return false
	}
	v.Unit = unitOf(d[len(d)-2:])
	return v.Unit >= least && v.Unit <= most && number(d[:len(d)-2], &v.Infused)
}

func unitOf(d []byte) Unit {
	for u, code := range unitCodes {
		if code == string(d) && u > 0 {
			return Unit(u)
		}
	}
	return UnitNone
}

// dispensed reads I number W number unit.
func (v *Value) dispensed(d []byte) bool {
	if len(d) < 6 || d[0] != 'I' {
		return false
	}
	w := 1
	for w < len(d) && d[w] != 'W' {
		w++
	}
	end := len(d) - 2
	if w >= end {
		return false
	}
	v.Unit = unitOf(d[end:])
	return v.Unit >= Milliliter && number(d[1:w], &v.Infused) && number(d[w+1:end], &v.Withdrawn)
}

// number reads at most 4 digits with at most 3 behind one point.
func number(d []byte, into *Number) bool {
	n := Number{Decimals: -1, Valid: true}
	digits := 0
	for _, b := range d {
		switch {
		case b >= '0' && b <= '9':
			n.Mantissa = n.Mantissa*10 + int32(b-'0')
			digits++
			if n.Decimals >= 0 {
				n.Decimals++
			}
		case b == '.' && n.Decimals < 0 && digits > 0:
			n.Decimals = 0
		default:
			return false
		}
		if digits > 4 || n.Decimals > 3 {
			return false
		}
	}
	if digits == 0 || len(d) > 0 && d[len(d)-1] == '.' && digits != 4 {
		return false // a point at the end is printed only behind four digits
	}
	n.Decimals = max(n.Decimals, 0)
	*into = n
	return true
}

// AppendReply appends the data of a reply, for simulators.
func AppendReply(dst []byte, r *Reply) []byte {
	dst = append(dst, byte('0'+r.Address/10%10), byte('0'+r.Address%10), r.Status)
	if r.Status == 'A' {
		return append(dst, '?', r.Alarm)
	}
	return append(dst, r.Data...)
}

// AppendValue appends the data that answers q.
func (v *Value) AppendValue(dst []byte, q Query) []byte {
	switch q {
	case Rate, Volume:
		return append(appendNumber(dst, v.Infused), unitCodes[v.Unit]...)
	case Dispensed:
		dst = append(appendNumber(append(dst, 'I'), v.Infused), 'W')
		return append(appendNumber(dst, v.Withdrawn), unitCodes[v.Unit]...)
	case Diameter, Phase, Buzzer:
		return appendNumber(dst, v.Infused)
	case Version, Direction, Function:
		return append(dst, v.Text...)
	case NoQuery, Status, queryCount:
	}
	return dst
}

func appendNumber(dst []byte, n Number) []byte {
	var text [8]byte
	i := len(text)
	for m, places := n.Mantissa, int(n.Decimals); ; places-- {
		if places == 0 && n.Decimals > 0 {
			i--
			text[i] = '.'
		}
		i--
		text[i] = byte('0' + m%10)
		if m /= 10; m == 0 && places <= 0 {
			break
		}
	}
	return append(dst, text[i:]...)
}
