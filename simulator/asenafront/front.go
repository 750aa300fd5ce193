package asenafront

import (
	"errors"
	"fmt"
	"math"
	"time"

	"infusiond/drivers/asena/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// Baud is the speed of the line, 8N1; Gap is what the pump takes until it answers.
const (
	Baud = 38400
	Gap  = 5 * time.Millisecond
)

// Options is how the pump presents itself. The zero value is a GH with a 50 mL syringe.
type Options struct {
	// Now is the monotonic time on the wire, by which remote control lapses; nil is the model's time.
	Now       func() time.Duration
	Protocol  string  // "Asena Rev 2.1.5" when empty
	Syringe   string  // its type, "BD PLASTIPAK" when empty
	SyringeML float64 // whole, 50 when zero
	// FirstEntry is the number of the log's entry before the model's first event; 100000 when zero.
	FirstEntry uint64
}

// Front is an Alaris / Asena pump as its serial line shows it.
type Front struct {
	o       Options
	member  front.Member
	pump    *pumpmodel.Pump
	scanner wire.Scanner

	frozen      *shown        // set while the pump repeats itself
	clearedML   float64       // of the infusion's volume, taken off what is shown
	remoteUntil time.Duration // of Now; remote control is taken before it

	queries                    front.Queries
	received, control, unknown int
}

// shown is what the pump tells at one moment.
type shown struct {
	pumpmodel.View
	entry     uint64
	clearedML float64
}

// New returns a front for the one pump of a line. The error names what no such pump can have.
func New(o Options, members []front.Member) (*Front, error) {
	if len(members) != 1 {
		return nil, fmt.Errorf("%d pumps on the line: this protocol has one", len(members))
	}
	m := members[0]
	if m.Pump == nil {
		return nil, errors.New("no pump")
	}
	if m.Address != "" {
		return nil, fmt.Errorf("address %q: this protocol has none", m.Address)
	}
	if o.Now == nil {
		o.Now = m.Pump.Elapsed
	}
	if o.Protocol == "" {
		o.Protocol = "Asena Rev 2.1.5"
	}
	if o.Syringe == "" {
		o.Syringe = "BD PLASTIPAK"
	}
	if o.SyringeML == 0 {
		o.SyringeML = 50
	}
	if o.FirstEntry == 0 {
		o.FirstEntry = 100000
	}
	if !(o.SyringeML > 0 && o.SyringeML <= 100) || o.SyringeML != math.Trunc(o.SyringeML) {
		return nil, fmt.Errorf("syringe of %v mL: known are whole numbers up to 100", o.SyringeML)
	}
	f := &Front{o: o, member: m, pump: m.Pump}
	now := f.look()
	for _, q := range wire.Requests() {
		if _, err := encode(nil, q, f.fields(q, &now)); err != nil {
			return nil, fmt.Errorf("serial %q, drug %q, %+v: %w", m.Serial, m.Drug, o, err)
		}
	}
	return f, nil
}

// Handle takes bytes from the host, which may be part of a frame or several frames, and returns
// the frames with which the pump answers, often none.
func (f *Front) Handle(in []byte) []byte {
	var out []byte
	for len(in) > 0 {
		body, used := f.scanner.Next(in)
		in = in[used:]
		if body == nil || f.pump.View().State == pumpmodel.Off {
			continue
		}
		f.received++
		f.queries.Add(string(body))
		out = f.answer(out, body)
	}
	return out
}

func (f *Front) answer(out, body []byte) []byte {
	h := wire.ParseRequest(body)
	switch h.Kind {
	case wire.HostControl:
		f.control++
		answer, ok := f.obey(h)
		if !ok {
			f.unknown++ // refused; the form of a refusal is not known
			return out
		}
		return wire.AppendFrame(out, []byte(answer))
	case wire.HostRead:
		now := f.look()
		encoded, err := encode(nil, h.Request, f.fields(h.Request, &now))
		if err != nil { // a value too large for its field: the pump has no words for it
			return out
		}
		return wire.AppendFrame(out, encoded)
	case wire.HostUnknown:
	}
	f.unknown++
	return out
}

// look returns what the pump tells now, or told when it froze.
func (f *Front) look() shown {
	if f.frozen != nil {
		return *f.frozen
	}
	v := f.pump.View()
	if v.InfusedML < f.clearedML { // a new infusion counts from zero
		f.clearedML = 0
	}
	return shown{View: v, entry: f.o.FirstEntry + f.pump.EventCount(), clearedML: f.clearedML}
}

// Unsolicited returns nil: these pumps send nothing by themselves.
func (f *Front) Unsolicited() []byte { return nil }

// Freeze makes the pump answer everything with the values of this moment, with good checksums, until it
// is called with false: a hung program behind a living line.
func (f *Front) Freeze(_ string, on bool) {
	f.frozen = nil
	if on {
		now := f.look()
		f.frozen = &now
	}
}

// Received returns the newest bodies from the host, oldest first, at least the last 500.
func (f *Front) Received() []string { return f.queries.List() }

// Counts returns what the host sent so far.
func (f *Front) Counts() front.Counts {
	return front.Counts{Received: f.received, Control: f.control, Unknown: f.unknown, BadFrames: f.scanner.Bad()}
}

var _ front.Front = (*Front)(nil)
