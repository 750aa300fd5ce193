package wire

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Program is the program data of MIVA pumps: the two records between a begin
// and an end marker (section 5.6).
type Program struct {
	Number       uint32  // 2 "Daily 1", 3 "Nightly", 4 "Daily 2"
	Rate         float32 // mL/h
	VTBI         float32 // mL
	StartingDose float32 // mL
	ExtraDose    float32 // mL
	Lockout      uint32  // of the extra dose; its unit is not stated
	Rest         [8]byte // not described
}

// DecodeProgram reads the two-record form.
func DecodeProgram(data [2]Record) Program {
	b := append(append(make([]byte, 0, 32), data[0][:]...), data[1][:]...)
	return Program{
		Number: u32(b, 0), Rate: f32(b, 4), VTBI: f32(b, 8), StartingDose: f32(b, 12),
		ExtraDose: f32(b, 16), Lockout: u32(b, 20), Rest: [8]byte(b[24:]),
	}
}

// Records puts the two records together.
func (p Program) Records() [2]Record {
	b := binary.BigEndian.AppendUint32(nil, p.Number)
	for _, f := range [4]float32{p.Rate, p.VTBI, p.StartingDose, p.ExtraDose} {
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(f))
	}
	b = binary.BigEndian.AppendUint32(b, p.Lockout)
	b = append(b, p.Rest[:]...)
	return [2]Record{Record(b[:16]), Record(b[16:])}
}

// The switch bits of a LongProgram in continuous mode.
const (
	SwitchRate          = 1 << 0
	SwitchVTBI          = 1 << 1
	SwitchConcentration = 1 << 7
	SwitchWeight        = 1 << 10
)

// LongProgram is the program data of CAPS and others: sixteen records.
type LongProgram struct {
	Raw [256]byte // everything, as logged
}

// DecodeLongProgram joins the sixteen records. It does not check the CRC, whose rule is not known.
func DecodeLongProgram(data [16]Record) LongProgram {
	var p LongProgram
	for i, r := range data {
		copy(p.Raw[16*i:], r[:])
	}
	return p
}

// Records splits the program into its sixteen records.
func (p *LongProgram) Records() [16]Record {
	var data [16]Record
	for i := range data {
		data[i] = Record(p.Raw[16*i : 16*i+16])
	}
	return data
}

// Switches returns the switch bits (bytes 80..83).
func (p *LongProgram) Switches() uint32 { return u32(p.Raw[:], 80) }

// Mode returns byte 93: 0 continuous, 1 bolus, 2 intermittent.
func (p *LongProgram) Mode() uint8 { return p.Raw[93] }

// RateUnit returns byte 97: 0 mL/h, 1 mg/min, 2 mg/kg/min, 3 mcg/min, 4 mcg/kg/min.
func (p *LongProgram) RateUnit() uint8 { return p.Raw[97] }

// DrugUnit returns byte 98: 0 mg, 1 mcg.
func (p *LongProgram) DrugUnit() uint8 { return p.Raw[98] }

// Name returns the program's name without padding; empty when it is not ASCII.
func (p *LongProgram) Name() string { return name(p.Raw[99:109]) }

// Drug returns the drug's name without padding; empty when it is not ASCII.
func (p *LongProgram) Drug() string { return name(p.Raw[109:119]) }

// Value returns the float that a switch bit of continuous mode stands for:
// rate in RateUnit, VTBI in mL, concentration in DrugUnit per mL, weight in kg (the last
// two units are likely, not stated). False when the mode is another or the bit is not set.
func (p *LongProgram) Value(bit uint32) (float32, bool) {
	offset, known := map[uint32]int{SwitchRate: 0, SwitchVTBI: 4, SwitchConcentration: 28, SwitchWeight: 40}[bit]
	if !known || p.Mode() != 0 || p.Switches()&bit == 0 {
		return 0, false
	}
	return f32(p.Raw[:], offset), true
}

// SetName writes the program's name, cut and padded with blanks to ten characters.
func (p *LongProgram) SetName(text string) { pad(p.Raw[99:109], text) }

// SetDrug writes the drug's name, cut and padded with blanks to ten characters.
func (p *LongProgram) SetDrug(text string) { pad(p.Raw[109:119], text) }

// SetValue sets a switch bit of continuous mode and its float. An unknown bit changes nothing.
func (p *LongProgram) SetValue(bit uint32, f float32) {
	offset, known := map[uint32]int{SwitchRate: 0, SwitchVTBI: 4, SwitchConcentration: 28, SwitchWeight: 40}[bit]
	if !known {
		return
	}
	binary.BigEndian.PutUint32(p.Raw[offset:], math.Float32bits(f))
	binary.BigEndian.PutUint32(p.Raw[80:], p.Switches()|bit)
}

func pad(field []byte, text string) {
	n := copy(field, text)
	for i := n; i < len(field); i++ {
		field[i] = ' '
	}
}

func name(field []byte) string {
	text := bytes.TrimRight(field, " \x00")
	for _, b := range text {
		if !printable(b) {
			return ""
		}
	}
	return string(text)
}

func u32(b []byte, at int) uint32 { return binary.BigEndian.Uint32(b[at:]) }

func f32(b []byte, at int) float32 { return math.Float32frombits(u32(b, at)) }
