package wire

import (
	"bytes"
	"strings"
)

// RequestKind says what a host asks of the pump.
type RequestKind uint8

// The kinds of requests. A control command changes the pump (section 9).
const (
	RequestUnknown RequestKind = iota
	RequestRead
	RequestControl
)

// Request is what a payload from the host means.
type Request struct {
	Kind  RequestKind
	Query Query  // for RequestRead
	Index uint32 // for LogRecord
}

// ParseRequest classifies the payload of a host's frame, as a pump does. Text
// queries may be written with INFUSION and PROT. It never fails: what it does not know is RequestUnknown.
func ParseRequest(payload []byte) Request {
	if control(payload) {
		return Request{Kind: RequestControl}
	}
	if len(payload) == 10 && string(payload[:2]) == layouts[LogRecord].letters {
		index, wrong := parseHex(payload[2:])
		if wrong >= 0 {
			return Request{}
		}
		return Request{Kind: RequestRead, Query: LogRecord, Index: index}
	}
	text := string(payload)
	if strings.HasPrefix(text, ":") {
		text = strings.Replace(text, ":INFUSION:", ":INFU:", 1)
		text = strings.Replace(text, ":PROT:", ":PROTOCOL:", 1)
	}
	for q := NoQuery + 1; q < queryCount; q++ {
		if q != LogRecord && layouts[q].letters == text {
			return Request{Kind: RequestRead, Query: q}
		}
	}
	return Request{}
}

// control recognises the commands that change a pump: W.., K.., L.., every text
// command without a question mark and everything that begins with :POWER.
func control(payload []byte) bool {
	if len(payload) == 0 {
		return false
	}
	switch payload[0] {
	case 'W', 'K', 'L':
		return true
	case ':', '*':
		return payload[len(payload)-1] != '?' || bytes.HasPrefix(payload, []byte(":POWER"))
	}
	return false
}
