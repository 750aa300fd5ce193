package wire

// Request is one of the read-only requests of section 5.
type Request uint8

// The requests. NoRequest is the zero value.
const (
	NoRequest Request = iota
	SerialNumber
	Protocol
	ResponseMax
	Status // INF
	VolumeInfused
	VTBI
	Rate
	MaxRate
	Syringe
	Alarm
	requestCount
)

var requests = [requestCount]string{
	SerialNumber: "INST_SERIALNO", Protocol: "COMMS_PROTOCOL", ResponseMax: "COMMS_RESPONSE_MAX", Status: "INF",
	VolumeInfused: "INF_VI", VTBI: "INF_VTBI", Rate: "INF_RATE", MaxRate: "INF_RATE_MAX_SYRINGE", Syringe: "SYRINGE_STATUS", Alarm: "ALARM",
}

// String returns the body of the request; empty when there is no such request.
func (r Request) String() string {
	if r >= requestCount {
		return ""
	}
	return requests[r]
}

// Requests returns all read-only requests.
func Requests() []Request {
	all := make([]Request, 0, requestCount-1)
	for r := NoRequest + 1; r < requestCount; r++ {
		all = append(all, r)
	}
	return all
}

// RequestOf returns the read-only request that a body is; NoRequest for anything else.
func RequestOf(body []byte) Request {
	for r := NoRequest + 1; r < requestCount; r++ {
		if requests[r] == string(body) {
			return r
		}
	}
	return NoRequest
}
