package wire

import "fmt"

// AppendReply appends the payload with which a pump answers r.Query. The error
// is ErrMalformed when a field does not fit the reply's format; dst is then returned unchanged.
// Numbers without a fixed width get at least four digits.
func AppendReply(dst []byte, r *Reply) ([]byte, error) {
	if r.Query == NoQuery || r.Query >= queryCount {
		return dst, fmt.Errorf("encode query %d: %w", r.Query, ErrUnsupported)
	}
	l := &layouts[r.Query]
	out := dst
	if len(l.letters) == 2 {
		out = append(out, l.letters...)
	}
	start := len(out)
	out, ok := appendValue(out, l, r)
	if !ok {
		return dst, fmt.Errorf("encode %s: %w", l.letters, ErrMalformed)
	}
	// What this package would not read, it does not write.
	var check Reply
	if l.form == formText || l.form == formTextWords || l.form == formFlag || l.form == formSerial ||
		l.form == formVersion || l.form == formPlatform || l.form == formDecimal {
		if err := decodeText(out, start, l, &check); err != nil {
			return dst, fmt.Errorf("encode %s: %w", l.letters, err)
		}
	}
	return out, nil
}

func appendValue(dst []byte, l *layout, r *Reply) ([]byte, bool) {
	switch l.form {
	case formText, formTextWords, formFlag, formSerial, formVersion, formPlatform, formDecimal:
		return append(dst, r.Text...), true
	case formBool:
		if r.True {
			return append(dst, "TRUE"...), true
		}
		return append(dst, "FALSE"...), true
	case formNumbers:
		if !fits(r.N[0], l.first) || !fits(r.N[1], l.second) {
			return dst, false
		}
		dst = appendHex(dst, r.N[0], l.first)
		return appendHex(dst, r.N[1], l.second), true
	case formShort, formShortErr:
		width := 4
		for !fits(r.N[0], width) {
			width++
		}
		return appendHex(dst, r.N[0], width), true
	case formClock:
		return appendClock(dst, r.Clock), true
	case formSensors:
		return appendSensors(dst, r.Sensors)
	case formFloats:
		for _, bits := range r.Bits {
			dst = appendHex(dst, bits, 8)
		}
		return dst, true
	case formRecord:
		dst = appendHex(dst, r.Index, 8)
		for _, b := range r.Record {
			dst = appendHex(dst, uint32(b), 2)
		}
		return dst, true
	}
	return dst, false
}
