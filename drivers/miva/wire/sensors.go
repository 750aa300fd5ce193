package wire

// Sensors is the combined sensor frame S9: three fields of 12 bits (section 5.2).
type Sensors struct {
	Hall         bool   // bit 11 of field 1
	MotorRunning bool   // bit 10 of field 1
	Upstream     uint16 // bits 9..0 of field 1, raw counts
	Downstream   uint16 // field 2, raw counts, all 12 bits; the vendor reads the low 8 only, so it is uncertain
	Battery      uint16 // field 3, 1/100 V
}

func decodeSensors(payload []byte, at int, r *Reply) error {
	if err := length(payload, at, 9); err != nil {
		return err
	}
	var fields [3]uint16
	for i := range fields {
		start := at + 3*i
		n, wrong := parseHex(payload[start : start+3])
		if wrong >= 0 {
			return fail(payload, start+wrong, ErrMalformed, "a hex digit")
		}
		fields[i] = uint16(n)
	}
	r.Sensors = Sensors{
		Hall:         fields[0]&0x800 != 0,
		MotorRunning: fields[0]&0x400 != 0,
		Upstream:     fields[0] & 0x3FF,
		Downstream:   fields[1],
		Battery:      fields[2],
	}
	return nil
}

func appendSensors(dst []byte, s Sensors) ([]byte, bool) {
	if s.Upstream > 0x3FF || s.Downstream > 0xFFF || s.Battery > 0xFFF {
		return dst, false
	}
	first := uint32(s.Upstream)
	if s.Hall {
		first |= 0x800
	}
	if s.MotorRunning {
		first |= 0x400
	}
	dst = appendHex(dst, first, 3)
	dst = appendHex(dst, uint32(s.Downstream), 3)
	return appendHex(dst, uint32(s.Battery), 3), true
}
