package wire

const upperHex = "0123456789ABCDEF"

// upperDigit gives the value of an upper-case hex digit, or 255.
func upperDigit(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10
	}
	return 255
}

// parseHex reads 1 to 8 hex digits of either case, most significant first. On
// failure it returns the index of the wrong byte, otherwise -1.
func parseHex(digits []byte) (value uint32, wrong int) {
	if len(digits) == 0 || len(digits) > 8 {
		return 0, 0
	}
	for i, b := range digits {
		if b >= 'a' && b <= 'f' {
			b -= 'a' - 'A'
		}
		d := upperDigit(b)
		if d > 15 {
			return 0, i
		}
		value = value<<4 | uint32(d)
	}
	return value, -1
}

// appendHex appends the low width digits of value, upper case.
func appendHex(dst []byte, value uint32, width int) []byte {
	for shift := 4 * (width - 1); shift >= 0; shift -= 4 {
		dst = append(dst, upperHex[value>>shift&15])
	}
	return dst
}

// fits says whether value needs at most width hex digits.
func fits(value uint32, width int) bool { return width >= 8 || value>>(4*width) == 0 }
