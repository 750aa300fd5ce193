package wire

// The control characters of section 3.
const (
	SOH = 0x01
	STX = 0x02
	ETX = 0x03
	EOT = 0x04
	ACK = 0x06
	NAK = 0x15
	ETB = 0x17
	RS  = 0x1E
)

// MaxFrame is the longest frame that a receiver collects, before stuffing: several times the longest block known.
const MaxFrame = 8192

// overhead is what a frame has beside address and information.
const overhead = 15

// LinkAddress is the address of the first request of a session.
const LinkAddress = "1/1/1"

// Block is one decoded frame. Address and Information are views.
type Block struct {
	Address     []byte // bed id and /1/1
	Information []byte
	Last        bool // ETX: no more blocks follow
}

// BedID returns the address without /1/1; nil when it does not end so.
func (b *Block) BedID() []byte {
	if n := len(b.Address) - len("/1/1"); n > 0 && string(b.Address[n:]) == "/1/1" {
		return b.Address[:n]
	}
	return nil
}

// ValidBedID says whether a bed id has 1 to 15 of the characters that section 3 allows.
func ValidBedID(id string) bool {
	if len(id) == 0 || len(id) > 15 {
		return false
	}
	for _, c := range []byte(id) {
		if c < 0x2F || c > 0x39 && c < 0x41 || c > 0x7A {
			return false
		}
	}
	return true
}

// Append appends the frame of a block to dst.
func (b *Block) Append(dst []byte, stuffed bool) []byte {
	at := len(dst)
	dst = append(dst, SOH)
	dst = appendFive(dst, overhead+len(b.Address)+len(b.Information))
	dst = append(dst, STX)
	dst = append(dst, b.Address...)
	dst = append(dst, '>')
	dst = append(dst, b.Information...)
	end := byte(ETB)
	if b.Last {
		end = ETX
	}
	dst = append(dst, end)
	dst = append(appendFive(dst, int(sum(dst[at:]))), EOT)
	if !stuffed {
		return dst
	}
	return stuffInPlace(dst, at)
}

// stuffInPlace stuffs what dst holds from a place on, from its end.
func stuffInPlace(dst []byte, at int) []byte {
	n := len(dst)
	more := 0
	for _, c := range dst[at:] {
		if specialStuffed[c] && c >= 'D' {
			more++
		}
	}
	for range more {
		dst = append(dst, 0)
	}
	for i, j := n-1, len(dst)-1; j > i; i, j = i-1, j-1 {
		c := dst[i]
		if !specialStuffed[c] || c < 'D' {
			dst[j] = c
			continue
		}
		second, first := c, c
		if c == 'D' || c == 'd' {
			second, first = c+('X'-'D'), c+1
		}
		dst[j], dst[j-1] = second, first
		j--
	}
	return dst
}

// AppendRequest appends the frame of a request to dst.
func AppendRequest(dst []byte, address, request string, stuffed bool) []byte {
	b := Block{Address: []byte(address), Information: []byte(request), Last: true}
	return b.Append(dst, stuffed)
}

// AppendStuffed appends text with D, E, d and e replaced.
func AppendStuffed(dst, text []byte) []byte {
	for _, c := range text {
		switch c {
		case 'D':
			dst = append(dst, 'E', 'X')
		case 'E':
			dst = append(dst, 'E', 'E')
		case 'd':
			dst = append(dst, 'e', 'x')
		case 'e':
			dst = append(dst, 'e', 'e')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func appendFive(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10000%10), byte('0'+n/1000%10), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
}

func sum(b []byte) byte {
	var s byte
	for _, c := range b {
		s += c
	}
	return s
}

// five reads five digits; -1 when they are none.
func five(b []byte) int {
	n := 0
	for _, c := range b[:5] {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// DecodeFrame checks one complete frame, SOH to EOT. plain receives the unstuffed bytes, of which the block is a view;
// it may be nil. The error is a DecodeError with cause ErrTruncated, ErrMalformed, ErrStuffing or ErrChecksum.
func DecodeFrame(frame, plain []byte, stuffed bool, into *Block) ([]byte, error) {
	plain = plain[:0]
	var pending byte
	for i, c := range frame {
		if stuffed {
			u, complete, ok := unstuff(pending, c)
			switch {
			case !ok:
				return plain, fail(frame, i, ErrStuffing, "")
			case !complete:
				pending = c
				continue
			}
			pending, c = 0, u
		}
		plain = append(plain, c)
	}
	if pending != 0 {
		return plain, fail(frame, len(frame), ErrTruncated, "")
	}
	at, cause := verify(plain, into)
	if cause != nil {
		return plain, fail(plain, at, cause, "")
	}
	return plain, nil
}

// unstuff takes one byte behind a pending E or e, or behind none. complete says that u is the plain byte.
func unstuff(pending, c byte) (u byte, complete, ok bool) {
	switch {
	case pending == 0 && (c == 'E' || c == 'e'):
		return 0, false, true
	case pending == 0:
		return c, c != 'D' && c != 'd', c != 'D' && c != 'd' // a stuffed text holds no D and no d
	case c == pending:
		return c, true, true
	case c == pending+('X'-'E'): // EX, ex
		return pending - 1, true, true
	}
	return 0, false, false
}

// verify checks a plain frame and cuts it apart. On failure it returns the offset.
func verify(p []byte, into *Block) (int, error) {
	n := len(p)
	switch {
	case n == 0 || p[0] != SOH:
		return 0, ErrMalformed
	case n < overhead+1 || p[n-1] != EOT:
		return n, ErrTruncated
	case p[6] != STX:
		return 6, ErrMalformed
	}
	length, check := five(p[1:6]), five(p[n-6:n-1])
	end := n - 7
	switch {
	case length < 0:
		return 1, ErrMalformed
	case length > n:
		return n, ErrTruncated
	case length != n:
		return 1, ErrMalformed
	case p[end] != ETX && p[end] != ETB:
		return end, ErrMalformed
	case check < 0:
		return end + 1, ErrMalformed
	case check != int(sum(p[:end+1])):
		return end + 1, ErrChecksum
	}
	for i, c := range p[7:end] {
		if c == '>' {
			*into = Block{Address: p[7 : 7+i], Information: p[8+i : end], Last: p[end] == ETX}
			return 0, nil
		}
	}
	return 7, ErrMalformed
}
