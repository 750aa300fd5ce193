package wire

// The bytes that bound a frame (section 3), and the greatest length of a body. The longest known
// reply has 79 bytes; a receiver that met no end after MaxBody drops what it collected.
const (
	Start  = '!'
	Bar    = '|' // between body and checksum
	End    = 0x0D
	Cancel = 0x1B // from the pump: the frame being received is void

	MaxBody = 250

	checkDigits = 4
	tail        = 1 + checkDigits // bar and digits
)

// crcTable holds the remainders of CRC-16/CCITT-FALSE for each high byte.
var crcTable = makeTable()

func makeTable() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
		table[i] = crc
	}
	return table
}

// Checksum is CRC-16/CCITT-FALSE: polynomial 0x1021, start value 0xFFFF, not reflected, nothing
// added at the end. Of a body it is the frame's checksum, of a serial number the code by which a controlling
// host asks for remote control.
func Checksum(text []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range text {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^b]
	}
	return crc
}

// AppendFrame appends the frame of a body to dst. It does not check the body.
func AppendFrame(dst, body []byte) []byte {
	dst = append(dst, Start)
	dst = append(dst, body...)
	dst = append(dst, Bar)
	return append(AppendCode(dst, Checksum(body)), End)
}

const upperHex = "0123456789ABCDEF"

// AppendCode appends a checksum as it stands on the wire: four upper-case digits, high byte first.
func AppendCode(dst []byte, crc uint16) []byte {
	return append(dst, upperHex[crc>>12], upperHex[crc>>8&15], upperHex[crc>>4&15], upperHex[crc&15])
}

// DecodeFrame checks one complete frame, from Start to End, and returns its body as a view. The
// error is a DecodeError with cause ErrTruncated, ErrMalformed or ErrChecksum.
func DecodeFrame(frame []byte) ([]byte, error) {
	if len(frame) == 0 || frame[0] != Start {
		return nil, fail(frame, 0, ErrMalformed, "no exclamation mark")
	}
	last := len(frame) - 1
	if last == 0 || frame[last] != End {
		return nil, fail(frame, len(frame), ErrTruncated, "no carriage return")
	}
	if last-1 > MaxBody+tail {
		return nil, fail(frame, MaxBody, ErrMalformed, "longer than a frame")
	}
	for i, b := range frame[1:last] {
		if !printable(b) || b == Start {
			return nil, fail(frame, i+1, ErrMalformed, "character not allowed in a frame")
		}
	}
	body, cause := verify(frame[1:last])
	if cause != nil {
		return nil, fail(frame, max(1, last-checkDigits), cause, "")
	}
	return body, nil
}

// verify splits what stands between Start and End into body and checksum.
func verify(inside []byte) ([]byte, error) {
	n := len(inside) - tail
	if n < 1 {
		return nil, ErrTruncated
	}
	if inside[n] != Bar {
		return nil, ErrMalformed
	}
	var code uint16
	for _, b := range inside[n+1:] {
		d := digitValues[b]
		if d > 15 {
			return nil, ErrMalformed
		}
		code = code<<4 | uint16(d)
	}
	body := inside[:n]
	crc := uint16(0xFFFF)
	for _, b := range body {
		if b == Bar {
			return nil, ErrMalformed
		}
		crc = crc<<8 ^ crcTable[byte(crc>>8)^b]
	}
	if crc != code {
		return nil, ErrChecksum
	}
	return body, nil
}

// digitValues holds what an upper-case hex digit stands for, 255 for everything else.
var digitValues = makeDigits()

func makeDigits() (values [256]byte) {
	for i := range values {
		values[i] = 255
	}
	for i, b := range []byte(upperHex) {
		values[b] = byte(i)
	}
	return values
}

func printable(b byte) bool { return b >= 0x20 && b < 0x7F }
