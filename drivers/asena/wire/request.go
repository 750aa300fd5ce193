package wire

import "bytes"

// Request is one of the ten read-only requests of section 5.
type Request uint8

// The read-only requests, in the order of the protocol document. Each is a body without argument.
const (
	NoRequest   Request = iota
	SerialNo            // serial number
	Protocol            // name of the protocol
	ResponseMax         // the longest time that the pump takes to answer
	Status              // serial number, alarm flag, mode, rate, volume, pressure, time, log entry
	VolumeInfused
	VTBI        // volume to be infused
	Rate        // the rate that INF_RATE with an argument sets
	RateMax     // the greatest rate with this syringe
	Syringe     // type, size and whether it was confirmed
	Alarm       // the alarm that is shown
	endRequests // not a request
)

var requestNames = [...]string{
	SerialNo: "INST_SERIALNO", Protocol: "COMMS_PROTOCOL", ResponseMax: "COMMS_RESPONSE_MAX", Status: "INF",
	VolumeInfused: "INF_VI", VTBI: "INF_VTBI", Rate: "INF_RATE", RateMax: "INF_RATE_MAX_SYRINGE",
	Syringe: "SYRINGE_STATUS", Alarm: "ALARM",
}

// String gives the request's body.
func (q Request) String() string {
	if q > NoRequest && q < endRequests {
		return requestNames[q]
	}
	return "none"
}

// Requests lists the ten.
func Requests() []Request {
	list := make([]Request, 0, endRequests-1)
	for q := NoRequest + 1; q < endRequests; q++ {
		list = append(list, q)
	}
	return list
}

// AppendRequest appends the complete frame of a request.
func AppendRequest(dst []byte, q Request) []byte {
	return AppendFrame(dst, []byte(q.String()))
}

// requestOf names the request that a first field belongs to.
func requestOf(word []byte) Request {
	for q := NoRequest + 1; q < endRequests; q++ {
		if string(word) == requestNames[q] {
			return q
		}
	}
	return NoRequest
}

// HostKind says what a host asks of the pump.
type HostKind uint8

// The kinds of bodies from a host. A control body changes the pump (section 9).
const (
	HostUnknown HostKind = iota
	HostRead
	HostControl
)

// Command is a control body's first field.
type Command uint8

// The control commands of section 9.
const (
	NoCommand Command = iota
	RemoteControl
	RemoteConfig
	StartInfusion
	StopInfusion
	SetRate
	SetVTBI
	Bolus
	ClearVolume
	RemoteQuery
	endCommands // not a command
)

var commandNames = [...]string{
	RemoteControl: "REMOTE_CTRL", RemoteConfig: "REMOTE_CFG", StartInfusion: "INF_START", StopInfusion: "INF_STOP",
	SetRate: "INF_RATE", SetVTBI: "INF_VTBI", Bolus: "INF_BOLUS", ClearVolume: "INF_VI_CLEAR", RemoteQuery: "REMQUERY",
}

// String gives the command's first field.
func (c Command) String() string {
	if c > NoCommand && c < endCommands {
		return commandNames[c]
	}
	return "none"
}

// HostBody is what a body from the host means.
type HostBody struct {
	Kind    HostKind
	Request Request // for HostRead
	Command Command // for HostControl
	Args    []byte  // for HostControl: what stands behind the first field, carets between; nil for none
}

// ParseRequest classifies a body from the host, as a pump does. It never fails: what it does not know
// is HostUnknown. INF_RATE and INF_VTBI read without an argument and set with one.
func ParseRequest(body []byte) HostBody {
	word, args, hasArgs := bytes.Cut(body, []byte{'^'})
	if q := requestOf(word); q != NoRequest && !hasArgs {
		return HostBody{Kind: HostRead, Request: q}
	}
	for c := NoCommand + 1; c < endCommands; c++ {
		if string(word) != commandNames[c] {
			continue
		}
		if !hasArgs {
			args = nil
		}
		return HostBody{Kind: HostControl, Command: c, Args: args}
	}
	return HostBody{}
}
