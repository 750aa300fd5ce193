package wire

import "fmt"

// The bytes that bound a frame, and its greatest length: after MaxFrame bytes
// without ETX a receiver drops what it collected (section 3).
const (
	STX      = 0x02
	ETX      = 0x03
	MaxFrame = 256
)

// Checksum is the rule by which a pump forms the two checksum digits.
type Checksum uint8

// The two rules: Sum on MIVA, Nimbus II and CAPS, XOR on the unified H platform.
const (
	Sum Checksum = iota
	XOR
)

// String gives the rule's name in the configuration: "sum" or "xor".
func (c Checksum) String() string {
	switch c {
	case Sum:
		return "sum"
	case XOR:
		return "xor"
	}
	return fmt.Sprintf("checksum(%d)", uint8(c))
}

// Of forms the checksum of a payload.
func (c Checksum) Of(payload []byte) byte {
	var sum byte
	if c == XOR {
		for _, b := range payload {
			sum ^= b
		}
		return sum
	}
	for _, b := range payload {
		sum += b
	}
	return sum
}

// AppendFrame appends the frame of a payload to dst: STX, payload, two
// checksum digits, ETX. It does not check the payload.
func AppendFrame(dst, payload []byte, c Checksum) []byte {
	dst = append(dst, STX)
	dst = append(dst, payload...)
	return append(appendHex(dst, uint32(c.Of(payload)), 2), ETX)
}

// DecodeFrame checks one complete frame, STX to ETX, and returns its payload
// as a view. The error is a DecodeError with cause ErrTruncated, ErrMalformed or ErrChecksum.
func DecodeFrame(frame []byte, c Checksum) ([]byte, error) {
	if len(frame) == 0 || frame[0] != STX {
		return nil, fail(frame, 0, ErrMalformed, "no STX")
	}
	last := len(frame) - 1
	if frame[last] != ETX || last == 0 {
		return nil, fail(frame, len(frame), ErrTruncated, "no ETX")
	}
	if last > MaxFrame {
		return nil, fail(frame, MaxFrame, ErrMalformed, "longer than 256 bytes")
	}
	for i, b := range frame[1:last] {
		if !printable(b) {
			return nil, fail(frame, i+1, ErrMalformed, "not a printable character")
		}
	}
	payload, cause := verify(frame[1:last], c)
	if cause != nil {
		return nil, fail(frame, max(1, last-2), cause, "")
	}
	return payload, nil
}

// verify splits the bytes between STX and ETX into payload and checksum.
func verify(body []byte, c Checksum) ([]byte, error) {
	n := len(body) - 2
	if n < 1 {
		return nil, ErrTruncated
	}
	high, low := upperDigit(body[n]), upperDigit(body[n+1])
	if high > 15 || low > 15 {
		return nil, ErrMalformed
	}
	if high<<4|low != c.Of(body[:n]) {
		return nil, ErrChecksum
	}
	return body[:n], nil
}

func printable(b byte) bool { return b >= 0x20 && b < 0x7F }
