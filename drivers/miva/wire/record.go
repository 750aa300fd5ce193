package wire

import (
	"encoding/binary"
	"math"
)

// RingSize is the number of records that the event log holds before its indices wrap.
const RingSize = 43264

// Record is one 16-byte record of the event log, as RE returns it.
type Record [16]byte

// blankRecord is flash that was not written: skip it.
var blankRecord = Record{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}

// Blank says whether the record is unwritten flash.
func (r Record) Blank() bool { return r == blankRecord }

// EventType is the first byte of a record.
type EventType uint8

// The event types of section 5.5.
const (
	EventInfusionData          EventType = 0
	EventRun                   EventType = 1
	EventPaused                EventType = 2
	EventCassetteEmpty         EventType = 3
	EventInfusionLimit         EventType = 4
	EventAuthentication        EventType = 5
	EventDoseGranted           EventType = 6
	EventExtraDoseDenied       EventType = 7
	EventDoseCancelled         EventType = 8
	EventOcclusion             EventType = 9
	EventDelayEnd              EventType = 10
	EventPumpLimit             EventType = 11
	EventShiftTotalCleared     EventType = 12
	EventBattery               EventType = 13
	EventCassetteDetached      EventType = 14
	EventTimeStamp             EventType = 15
	EventPowerOff              EventType = 16
	EventFirmwareError         EventType = 17
	EventSystemError           EventType = 18
	EventBatteryFailure        EventType = 19
	EventDebug                 EventType = 20
	EventUnattended            EventType = 21
	EventSettingChange         EventType = 22
	EventDoseFinished          EventType = 23
	EventPowerOn               EventType = 24
	EventStartingDoseSkipped   EventType = 25
	EventSystemError2          EventType = 26
	EventHardLimit             EventType = 27
	EventBatteryDepleted       EventType = 28
	EventProgrammingIncomplete EventType = 29
	EventBatteryLow            EventType = 30
	EventBatteryCheck          EventType = 31
)

// The subtypes of EventInfusionData (byte 5), which bracket raw program data.
const (
	DataBegin = 1
	DataEnd   = 2
)

// Event is a record taken apart. It loses nothing: Record puts the same bytes together again.
type Event struct {
	Type    EventType
	Stamp   [4]byte // bytes 1..4; Seconds and Date read them
	Subtype uint16  // bytes 5..6
	First   uint32  // bytes 7..10, the bits of a float or an integer
	Second  uint32  // bytes 11..14
	Last    byte    // byte 15, not used by the pump
}

// Event takes a record apart. Program data between two markers is not an
// event; whoever reads the log tells them apart.
func (r Record) Event() Event {
	return Event{
		Type:    EventType(r[0]),
		Stamp:   [4]byte(r[1:5]),
		Subtype: binary.BigEndian.Uint16(r[5:7]),
		First:   binary.BigEndian.Uint32(r[7:11]),
		Second:  binary.BigEndian.Uint32(r[11:15]),
		Last:    r[15],
	}
}

// Record puts the 16 bytes of an event together.
func (e Event) Record() Record {
	var r Record
	r[0] = byte(e.Type)
	copy(r[1:5], e.Stamp[:])
	binary.BigEndian.PutUint16(r[5:7], e.Subtype)
	binary.BigEndian.PutUint32(r[7:11], e.First)
	binary.BigEndian.PutUint32(r[11:15], e.Second)
	r[15] = e.Last
	return r
}

// Seconds reads the time of new firmware: little endian, without the top hex digit.
func (e Event) Seconds() uint32 { return binary.LittleEndian.Uint32(e.Stamp[:]) & secondsMask }

// Count reads the time of new firmware with its marker digit, as RC prints its own.
func (e Event) Count() uint32 { return binary.LittleEndian.Uint32(e.Stamp[:]) }

// Date reads the time of older firmware: a packed date, big endian.
func (e Event) Date() Date { return unpackDate(binary.BigEndian.Uint32(e.Stamp[:])) }

// SecondsStamp is the time field of new firmware, with the usual marker F.
func SecondsStamp(seconds uint32) [4]byte {
	return [4]byte(binary.LittleEndian.AppendUint32(nil, marker|seconds&secondsMask))
}

// DateStamp is the time field of older firmware. Each field is cut to its bits.
func DateStamp(d Date) [4]byte { return [4]byte(binary.BigEndian.AppendUint32(nil, d.pack())) }

// High returns byte 5 and Low byte 6, for the types that use one alone.
func (e Event) High() uint8 { return uint8(e.Subtype >> 8) }

// Low returns byte 6.
func (e Event) Low() uint8 { return uint8(e.Subtype) }

// FirstFloat reads the first value as a float.
func (e Event) FirstFloat() float32 { return math.Float32frombits(e.First) }

// SecondFloat reads the second value as a float.
func (e Event) SecondFloat() float32 { return math.Float32frombits(e.Second) }

// FloatBits is the value field that holds f.
func FloatBits(f float32) uint32 { return math.Float32bits(f) }

func decodeRecord(payload []byte, at int, r *Reply) error {
	if err := length(payload, at, 40); err != nil {
		return err
	}
	index, wrong := parseHex(payload[at : at+8])
	if wrong >= 0 {
		return fail(payload, at+wrong, ErrMalformed, "a hex digit")
	}
	r.Index = index
	digits := payload[at+8:]
	for i := range r.Record {
		n, wrong := parseHex(digits[2*i : 2*i+2])
		if wrong >= 0 {
			return fail(payload, at+8+2*i+wrong, ErrMalformed, "a hex digit")
		}
		r.Record[i] = byte(n)
	}
	return nil
}
