package wire

import "fmt"

// maxFields is the number of fields of the longest reply, INF.
const maxFields = 14

// The places of fields in their replies; 0 is always the request's name.
const (
	SerialField = 1 // SerialNo, Status
	NameField   = 1 // Protocol
	DelayField  = 1 // ResponseMax; its unit is the next
	AmountField = 1 // VolumeInfused, Rate, RateMax; its unit is the next

	FlagField         = 2 // Status, from here on
	ModeField         = 3
	RateField         = 4
	RateUnitField     = 5
	DrugField         = 6
	VolumeField       = 7
	VolumeUnitField   = 8
	PressureField     = 9
	PressureUnitField = 10
	RemainingField    = 11
	LogTypeField      = 12
	LogEntryField     = 13

	VTBIStateField  = 1 // VTBI
	VTBIVolumeField = 2
	VTBIUnitField   = 3
	VTBIEndField    = 4

	SyringeTypeField = 1 // Syringe
	SyringeSizeField = 2
	ConfirmedField   = 3

	CodeField       = 1 // Alarm
	FirstTextField  = 2
	SecondTextField = 3
)

// Reply is one decoded reply. Its fields are views into the body; those beyond Count are nil.
type Reply struct {
	Request Request
	Count   int // of Fields, the request's name included
	Fields  [maxFields][]byte
}

// Field returns the text of a field, nil when the reply has none there.
func (r *Reply) Field(i int) []byte {
	if i < 0 || i >= r.Count || i >= maxFields {
		return nil
	}
	return r.Fields[i]
}

// Good says whether a field has the form that the protocol document gives it: the number of
// decimals, the shape of a time. Units and free texts are always good.
func (r *Reply) Good(i int) bool {
	if r.Request == NoRequest || r.Request >= endRequests || i < 1 || i >= r.Count {
		return false
	}
	return layouts[r.Request].fields[i].form.fits(r.Fields[i])
}

// Decode splits a body as the reply to request q into r. The error is a DecodeError: ErrOther means
// that the first field is another one, ErrMalformed that the body is not the reply
// that q has (number of fields, serial number, log entry).
func Decode(body []byte, q Request, r *Reply) error {
	if q == NoRequest || q >= endRequests {
		return fail(body, 0, ErrMalformed, "no such request")
	}
	l := &layouts[q]
	before := min(r.Count, maxFields)
	r.Request, r.Count = NoRequest, 0 // what stays after an error is no reply
	n, start := 0, 0
	for i := 0; i <= len(body); i++ {
		if i < len(body) && body[i] != '^' {
			continue
		}
		if n == 0 && string(body[:i]) != requestNames[q] {
			return fail(body, 0, ErrOther, requestNames[q])
		}
		if n == len(l.fields) {
			return fail(body, start, ErrMalformed, "too many fields")
		}
		f := &l.fields[n]
		if f.key && !f.form.fits(body[start:i]) {
			return fail(body, start, ErrMalformed, f.Name)
		}
		r.Fields[n] = body[start:i]
		n++
		start = i + 1
	}
	if n < l.least {
		return fail(body, len(body), ErrMalformed, "too few fields")
	}
	if q == VTBI && n < len(l.fields) && len(r.Fields[VTBIVolumeField]) > 0 {
		return fail(body, len(body), ErrMalformed, "a volume without its unit")
	}
	for i := n; i < before; i++ {
		r.Fields[i] = nil
	}
	r.Request, r.Count = q, n
	return nil
}

// Identify names the request that a body from the pump answers, by its first field; NoRequest
// when it is none of the ten.
func Identify(body []byte) Request {
	for i, b := range body {
		if b == '^' {
			return requestOf(body[:i])
		}
	}
	return NoRequest
}

// AppendReply appends the body of a reply. The error is ErrMalformed when this package would not
// read it again; dst is then returned unchanged.
func AppendReply(dst []byte, r *Reply) ([]byte, error) {
	if r.Request == NoRequest || r.Request >= endRequests || r.Count < 2 || r.Count > maxFields {
		return dst, fmt.Errorf("encode reply %d of %d fields: %w", r.Request, r.Count, ErrMalformed)
	}
	out := append(dst, requestNames[r.Request]...)
	for _, f := range r.Fields[1:r.Count] {
		for _, b := range f {
			if !printable(b) || b == Start || b == Bar || b == '^' {
				return dst, fmt.Errorf("encode %s: byte %02X in a field: %w", r.Request, b, ErrMalformed)
			}
		}
		out = append(append(out, '^'), f...)
	}
	if len(out)-len(dst) > MaxBody {
		return dst, fmt.Errorf("encode %s: too long: %w", r.Request, ErrMalformed)
	}
	var check Reply
	if err := Decode(out[len(dst):], r.Request, &check); err != nil {
		return dst, fmt.Errorf("encode %s: %w", r.Request, err)
	}
	return out, nil
}
