package wire

// The bytes that bound a frame. MaxData is the longest data of a frame; the longest known reply has 22 bytes.
const (
	STX     = 0x02
	ETX     = 0x03
	CR      = 0x0D
	MaxData = 40
	// MaxFrame is the longest frame: a safe one with MaxData bytes.
	MaxFrame = MaxData + 5
)

// Framing is how queries are written; replies are understood in both.
type Framing uint8

// The two framings.
const (
	Basic Framing = iota
	Safe
)

// crcTable holds the remainders of the polynomial 0x1021, not reflected.
var crcTable = func() (t [256]uint16) {
	for i := range t {
		r := uint16(i) << 8
		for range 8 {
			if r&0x8000 != 0 {
				r = r<<1 ^ 0x1021
			} else {
				r <<= 1
			}
		}
		t[i] = r
	}
	return t
}()

// CRC forms the safe mode's checksum of data: CCITT with initial value 0 (XMODEM).
func CRC(data []byte) uint16 {
	var r uint16
	for _, b := range data {
		r = r<<8 ^ crcTable[byte(r>>8)^b]
	}
	return r
}

// AppendSafe appends data in the safe framing, which is the same in both directions.
func AppendSafe(dst, data []byte) []byte {
	dst = append(dst, STX, byte(len(data)+4))
	dst = append(dst, data...)
	r := CRC(data)
	return append(dst, byte(r>>8), byte(r), ETX)
}

// AppendReplyFrame appends what a pump sends.
func AppendReplyFrame(dst, data []byte, f Framing) []byte {
	if f == Safe {
		return AppendSafe(dst, data)
	}
	dst = append(dst, STX)
	dst = append(dst, data...)
	return append(dst, ETX)
}

// judge looks at bytes that begin with STX: the length of the whole frame and its data when it is good, 0 when more bytes
// are needed, -1 with a cause when this is no good frame.
func judge(b []byte) (n int, data []byte, f Framing, cause error) {
	if len(b) < 2 {
		return 0, nil, Basic, nil
	}
	if length := int(b[1]); length < '0' {
		switch {
		case length < 4 || length > MaxData+4:
			return -1, nil, Safe, ErrMalformed
		case len(b) < length+1:
			return 0, nil, Safe, nil
		}
		data = b[2 : length-2]
		switch told := uint16(b[length-2])<<8 | uint16(b[length-1]); {
		case b[length] != ETX:
			return -1, nil, Safe, ErrMalformed
		case told != CRC(data):
			return -1, nil, Safe, ErrChecksum
		}
		return length + 1, data, Safe, nil
	}
	for i, c := range b[1:] {
		switch {
		case c == ETX:
			return i + 2, b[1 : i+1], Basic, nil
		case !printable(c) || i >= MaxData:
			return -1, nil, Basic, ErrMalformed
		}
	}
	return 0, nil, Basic, nil
}

func printable(b byte) bool { return b >= 0x20 && b < 0x7F }

// DecodeFrame checks one complete frame of either framing, STX to ETX, and returns its data as a view. The error is
// a DecodeError with cause ErrTruncated, ErrMalformed or ErrChecksum.
func DecodeFrame(frame []byte) ([]byte, Framing, error) {
	if len(frame) == 0 || frame[0] != STX {
		return nil, Basic, fail(frame, 0, ErrMalformed, "no STX")
	}
	n, data, f, cause := judge(frame)
	switch {
	case cause != nil:
		return nil, f, fail(frame, 1, cause, "")
	case n == 0:
		return nil, f, fail(frame, len(frame), ErrTruncated, "")
	case n != len(frame):
		return nil, f, fail(frame, n, ErrMalformed, "bytes behind the frame")
	}
	return data, f, nil
}
