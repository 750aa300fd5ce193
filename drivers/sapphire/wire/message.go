package wire

import "encoding/binary"

// The constant bytes of a message (section 3).
const (
	Start      = 0xBB
	HeaderSize = 8    // the start byte included
	MaxData    = 2048 // longest data that a receiver accepts
	MaxMessage = HeaderSize + MaxData + 1
)

// The parties of a line.
const (
	Cradle = 100
	Pump   = 101
	LCM    = 102
	PC     = 103
)

// The message types that this package names.
const (
	TypeBatch       = 1
	TypeCommand     = 3
	TypeLargeBatch  = 11
	TypeWriteEEPROM = 13
	TypeReadEEPROM  = 15
	TypeAlarmStatus = 17
	TypeEvent       = 19
	TypeResponse    = 26
)

// ThisIsPC is the only command that a gateway may ever send.
const ThisIsPC = 22

// Message is one decoded message. Data is a view.
type Message struct {
	Target, Sender, Type, Sequence byte
	Data                           []byte
}

// Append appends the message to dst.
func (m *Message) Append(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, Start, m.Target, 0, m.Sender, m.Type)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(m.Data)))
	dst = append(dst, m.Sequence)
	dst = append(dst, m.Data...)
	return append(dst, sum(dst[at+1:]))
}

// Heartbeat appends the ThisIsPc command with a sequence number.
func Heartbeat(dst []byte, sequence byte) []byte {
	m := Message{Target: Pump, Sender: PC, Type: TypeCommand, Sequence: sequence, Data: []byte{ThisIsPC}}
	return m.Append(dst)
}

func sum(b []byte) byte {
	var s byte
	for _, c := range b {
		s += c
	}
	return s
}

// party says whether a byte names one of the parties.
func party(b byte) bool { return b >= Cradle && b <= PC }

// head judges the first bytes of a message, as many as there are: the length of the whole message once it is
// known, -1 when this cannot be one, 0 when more bytes are needed.
func head(b []byte) int {
	switch {
	case len(b) > 0 && b[0] != Start,
		len(b) > 1 && !party(b[1]),
		len(b) > 2 && b[2] != 0,
		len(b) > 3 && !party(b[3]):
		return -1
	case len(b) < HeaderSize:
		return 0
	}
	n := int(b[5])<<8 | int(b[6])
	if n > MaxData {
		return -1
	}
	return HeaderSize + n + 1
}

// DecodeMessage checks one complete message. The error is a DecodeError with cause ErrTruncated, ErrMalformed
// or ErrChecksum; with check false a wrong checksum is accepted.
func DecodeMessage(b []byte, check bool, into *Message) error {
	n := head(b)
	switch {
	case n < 0:
		return fail(b, 0, ErrMalformed, "header")
	case n == 0 || len(b) < n:
		return fail(b, len(b), ErrTruncated, "")
	case len(b) > n:
		return fail(b, n, ErrMalformed, "bytes behind the checksum")
	case check && sum(b[1:n-1]) != b[n-1]:
		return fail(b, n-1, ErrChecksum, "")
	}
	into.set(b)
	return nil
}

func (m *Message) set(b []byte) {
	*m = Message{Target: b[1], Sender: b[3], Type: b[4], Sequence: b[7], Data: b[HeaderSize : len(b)-1]}
}
