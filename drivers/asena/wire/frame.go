package wire

// The bytes that bound a frame (section 3). MaxFrame is the longest body that a receiver
// collects; the longest known reply has 104 bytes.
const (
	Start     = '!'
	Separator = '^'
	Bar       = '|'
	End       = '\r'
	Cancel    = 0x1B
	MaxFrame  = 256
)

// crcTable holds the CRC-16/CCITT-FALSE remainders: polynomial 0x1021, not reflected.
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

// CRC forms the checksum of a body: initial value 0xFFFF, no final XOR.
func CRC(body []byte) uint16 {
	r := uint16(0xFFFF)
	for _, b := range body {
		r = r<<8 ^ crcTable[byte(r>>8)^b]
	}
	return r
}

const upperHex = "0123456789ABCDEF"

// AppendCRC appends a checksum as four upper-case hex digits, high byte first.
func AppendCRC(dst []byte, r uint16) []byte {
	return append(dst, upperHex[r>>12], upperHex[r>>8&15], upperHex[r>>4&15], upperHex[r&15])
}

// AppendFrame appends the frame of a body to dst. It does not check the body.
func AppendFrame(dst, body []byte) []byte {
	dst = append(dst, Start)
	dst = append(dst, body...)
	dst = append(dst, Bar)
	return append(AppendCRC(dst, CRC(body)), End)
}

// DecodeFrame checks one complete frame, ! to CR, and returns its body as a view. The error is
// a DecodeError with cause ErrTruncated, ErrMalformed or ErrChecksum.
func DecodeFrame(frame []byte) ([]byte, error) {
	if len(frame) == 0 || frame[0] != Start {
		return nil, fail(frame, 0, ErrMalformed, "no !")
	}
	last := len(frame) - 1
	if last == 0 || frame[last] != End {
		return nil, fail(frame, len(frame), ErrTruncated, "no CR")
	}
	if last > MaxFrame {
		return nil, fail(frame, MaxFrame, ErrMalformed, "longer than 256 bytes")
	}
	for i, b := range frame[1:last] {
		if !printable(b) || b == Start {
			return nil, fail(frame, i+1, ErrMalformed, "not a character of a frame")
		}
	}
	body, cause := verify(frame[1:last])
	if cause != nil {
		return nil, fail(frame, max(1, last-4), cause, "")
	}
	return body, nil
}

// verify splits what stands between ! and CR into body and CRC.
func verify(content []byte) ([]byte, error) {
	n := len(content) - 5
	if n < 1 {
		return nil, ErrTruncated
	}
	if content[n] != Bar {
		return nil, ErrMalformed
	}
	var told uint16
	for _, b := range content[n+1:] {
		switch {
		case b >= '0' && b <= '9':
			told = told<<4 | uint16(b-'0')
		case b >= 'A' && b <= 'F':
			told = told<<4 | uint16(b-'A'+10)
		default:
			return nil, ErrMalformed
		}
	}
	body := content[:n]
	r := uint16(0xFFFF)
	for _, b := range body {
		if b == Bar {
			return nil, ErrMalformed
		}
		r = r<<8 ^ crcTable[byte(r>>8)^b]
	}
	if told != r {
		return nil, ErrChecksum
	}
	return body, nil
}

func printable(b byte) bool { return b >= 0x20 && b < 0x7F }
