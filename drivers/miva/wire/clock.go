package wire

// Clock is the pump's clock as RC tells it, in one of two formats (section 5.4).
type Clock struct {
	// Old is set by older firmware, which tells a date; otherwise Count holds.
	Old bool
	// Count is the raw 32-bit value of new firmware, with the marker in the top hex digit.
	Count uint32
	// Date is the date of older firmware.
	Date Date
}

// Seconds returns the seconds since the firmware was loaded: the count without its marker digit.
func (c Clock) Seconds() uint32 { return c.Count & secondsMask }

// NewClock returns the clock of new firmware at the given second, with the usual marker F.
func NewClock(seconds uint32) Clock { return Clock{Count: marker | seconds&secondsMask} }

const (
	secondsMask = 0x0FFFFFFF
	marker      = 0xF0000000
)

// Date is a date and time of older firmware. Its fields are as the pump sent
// them and may be impossible; Valid tells.
type Date struct {
	Year   uint8 // since 2000
	Month  uint8 // 1 to 12
	Day    uint8 // 1 to 31
	Hour   uint8
	Minute uint8
	Second uint8
}

// Valid says whether the fields lie within the ranges of a date and a time of day.
func (d Date) Valid() bool {
	return d.Month >= 1 && d.Month <= 12 && d.Day >= 1 && d.Day <= 31 && d.Hour < 24 && d.Minute < 60 && d.Second < 60
}

// unpackDate reads the packed date of an old record: year 6 bits, month 4, day 5, hour 5, minute 6, second 6.
func unpackDate(v uint32) Date {
	return Date{
		Year: uint8(v >> 26), Month: uint8(v >> 22 & 15), Day: uint8(v >> 17 & 31),
		Hour: uint8(v >> 12 & 31), Minute: uint8(v >> 6 & 63), Second: uint8(v & 63),
	}
}

func (d Date) pack() uint32 {
	return uint32(d.Year&63)<<26 | uint32(d.Month&15)<<22 | uint32(d.Day&31)<<17 |
		uint32(d.Hour&31)<<12 | uint32(d.Minute&63)<<6 | uint32(d.Second&63)
}

func decodeClock(payload []byte, at int, r *Reply) error {
	value := payload[at:]
	if len(value) == 8 {
		n, wrong := parseHex(value)
		if wrong >= 0 {
			return fail(payload, at+wrong, ErrMalformed, "a hex digit")
		}
		r.Clock = Clock{Count: n}
		return nil
	}
	if err := length(payload, at, 12); err != nil {
		return err
	}
	var b [6]uint8
	for i := range b {
		n, wrong := parseHex(value[2*i : 2*i+2])
		if wrong >= 0 {
			return fail(payload, at+2*i+wrong, ErrMalformed, "a hex digit")
		}
		b[i] = uint8(n)
	}
	r.Clock = Clock{Old: true, Date: Date{Day: b[0], Month: b[1], Year: b[2], Hour: b[3], Minute: b[4], Second: b[5]}}
	return nil
}

func appendClock(dst []byte, c Clock) []byte {
	if !c.Old {
		return appendHex(dst, c.Count, 8)
	}
	for _, b := range [6]uint8{c.Date.Day, c.Date.Month, c.Date.Year, c.Date.Hour, c.Date.Minute, c.Date.Second} {
		dst = appendHex(dst, uint32(b), 2)
	}
	return dst
}
