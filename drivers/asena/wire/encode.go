package wire

import "strconv"

// AppendReply appends the body of a reply, for simulators. Fields that the reply's kind does not
// have are ignored; texts are taken as they are and must hold none of ! | ^ CR.
func AppendReply(dst []byte, r *Reply) []byte {
	dst = append(dst, r.Request.String()...)
	switch r.Request {
	case SerialNumber, Protocol:
		return appendField(dst, r.Text)
	case ResponseMax, VolumeInfused, Rate, MaxRate:
		return appendField(appendNumber(dst, r.Value), r.Unit)
	case VTBI:
		return appendField(appendField(appendNumber(appendField(dst, r.Text), r.Value), r.Unit), r.Detail)
	case Syringe:
		dst = append(appendField(dst, r.Text), Separator)
		if r.Value.Valid && r.Value.Mantissa < 100 && r.Value.Decimals == 0 { // the size has three places
			dst = append(dst, ' ')
		}
		return appendField(appendPlain(dst, r.Value), r.Detail)
	case Alarm:
		dst = appendField(dst, r.Code)
		for _, text := range r.Texts {
			dst = append(dst, Separator)
			if len(text) == 0 {
				dst = append(dst, ' ')
			}
			dst = append(dst, text...)
		}
	case Status:
		return appendInfusion(dst, &r.Infusion)
	case NoRequest, requestCount:
	}
	return dst
}

func appendInfusion(dst []byte, v *Infusion) []byte {
	dst = appendField(dst, v.Serial)
	flag := byte('-')
	if v.Alarm {
		flag = 'A'
	}
	dst = append(dst, Separator, flag)
	dst = appendField(dst, v.Mode)
	dst = appendField(appendNumber(dst, v.Rate), v.RateUnit)
	dst = appendField(dst, v.Drug)
	dst = appendField(appendNumber(dst, v.Volume), v.VolumeUnit)
	dst = appendField(appendNumber(dst, v.Pressure), v.PressureUnit)
	dst = append(dst, Separator)
	switch {
	case v.Remaining && v.AtLeast:
		dst = append(dst, "24+"...)
	case v.Remaining:
		s := max(v.RemainingS, 0)
		dst = append(appendTwo(dst, s/3600), ':')
		dst = append(appendTwo(dst, s/60%60), ':')
		dst = appendTwo(dst, s%60)
	}
	return appendField(appendField(dst, v.LogType), v.LogID)
}

func appendField(dst, text []byte) []byte { return append(append(dst, Separator), text...) }

func appendNumber(dst []byte, n Number) []byte { return appendPlain(append(dst, Separator), n) }

func appendPlain(dst []byte, n Number) []byte {
	if !n.Valid {
		return dst
	}
	m := n.Mantissa
	if m < 0 {
		dst, m = append(dst, '-'), -m
	}
	var digits [20]byte
	text := strconv.AppendInt(digits[:0], m, 10)
	places := int(n.Decimals)
	for len(text) <= places {
		text = append([]byte{'0'}, text...)
	}
	dst = append(dst, text[:len(text)-places]...)
	if places > 0 {
		dst = append(append(dst, '.'), text[len(text)-places:]...)
	}
	return dst
}

func appendTwo(dst []byte, n int64) []byte {
	n = min(n, 99)
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}
