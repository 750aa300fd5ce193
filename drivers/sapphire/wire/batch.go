package wire

import "encoding/binary"

// MinBatch is the least length of a batch's data: the last known field ends there (section 5).
const MinBatch = 171

// The places of the known fields in a batch's data.
const (
	offsetSoftware  = 34
	offsetSerial    = 38
	offsetDropSize  = 45
	offsetRate      = 47
	offsetRemaining = 163
	offsetDelivered = 167
)

// Batch holds the six known fields of a status batch, as they stand on the wire.
type Batch struct {
	Software  uint32
	Serial    uint32
	DropSize  uint16 // meaning and unit unknown
	Rate      uint16 // tenths of mL/h
	Remaining uint32 // hundredths of mL of the VTBI
	Delivered uint32 // hundredths of mL of the VTBI
}

// Decode reads a status batch that a pump sent. The error is a DecodeError: ErrOther when the message is something
// else, ErrTruncated when it is too short.
func (b *Batch) Decode(m *Message) error {
	if m.Type != TypeBatch || m.Sender != Pump {
		return fail(m.Data, 0, ErrOther, "")
	}
	d := m.Data
	if len(d) < MinBatch {
		return fail(d, len(d), ErrTruncated, "a batch has at least 171 bytes of data")
	}
	b.Software = binary.LittleEndian.Uint32(d[offsetSoftware:])
	b.Serial = binary.LittleEndian.Uint32(d[offsetSerial:])
	b.DropSize = binary.LittleEndian.Uint16(d[offsetDropSize:])
	b.Rate = binary.LittleEndian.Uint16(d[offsetRate:])
	b.Remaining = binary.LittleEndian.Uint32(d[offsetRemaining:])
	b.Delivered = binary.LittleEndian.Uint32(d[offsetDelivered:])
	return nil
}

// Put writes the fields into a batch's data, which has at least MinBatch bytes, and leaves the others as they are.
func (b *Batch) Put(d []byte) {
	binary.LittleEndian.PutUint32(d[offsetSoftware:], b.Software)
	binary.LittleEndian.PutUint32(d[offsetSerial:], b.Serial)
	binary.LittleEndian.PutUint16(d[offsetDropSize:], b.DropSize)
	binary.LittleEndian.PutUint16(d[offsetRate:], b.Rate)
	binary.LittleEndian.PutUint32(d[offsetRemaining:], b.Remaining)
	binary.LittleEndian.PutUint32(d[offsetDelivered:], b.Delivered)
}

// Field is one known field of a batch, for explanations.
type Field struct {
	Offset, Length int // in the data
	Name           string
}

// Fields lists the known fields of a batch.
func Fields() []Field {
	return []Field{
		{offsetSoftware, 4, "software_version"},
		{offsetSerial, 4, "serial_number"},
		{offsetDropSize, 2, "drop_size"},
		{offsetRate, 2, "flow_rate_ml_per_h"},
		{offsetRemaining, 4, "vtbi_remaining_ml"},
		{offsetDelivered, 4, "vtbi_delivered_ml"},
	}
}
