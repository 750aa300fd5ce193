package mivafront

import (
	"fmt"
	"time"

	"infusiond/drivers/miva/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// Baud is the speed of the line, 8N1; Gap is what the pump takes until it answers.
const (
	Baud = 9600
	Gap  = 5 * time.Millisecond
)

// Options is how one pump presents itself.
type Options struct {
	Serial   string // exactly 8 letters and digits
	Checksum wire.Checksum
	Firmware string // "4.1.3" when empty
	Platform string // "00" or "01"; empty is a C type (MIVA), which does not answer RM
	// OldFirmware answers Q1 and Q2 in place of the :INFU texts and tells dates in place of seconds.
	OldFirmware bool
	// LongProgram logs programs in 16 records, with the drug, as CAPS pumps do.
	LongProgram bool
	Drug        string // shown in the 16-record form only, first ten characters
	// LogStart is the ring index of the first record, 0 to wire.RingSize-1.
	LogStart uint32
	// LogFill is how many older records the log holds before the first event.
	LogFill int
	// Epoch is the wall time at the pump clock's zero, for old firmware; 2026-01-01 UTC when zero.
	Epoch time.Time
}

// Front is a MIVA pump as its serial line shows it.
type Front struct {
	o       Options
	pump    *pumpmodel.Pump
	scanner *wire.Scanner
	log     ring
	nextSeq uint64 // of the model's events

	frozen      *pumpmodel.View // set while the pump repeats itself
	unsolicited bool
	nextSensors time.Duration // model time of the next S9 frame

	queries  front.Queries
	received int
	control  int
	unknown  int
	payload  []byte // reused
}

// New returns a front for pump. The error names the option that no such pump can have.
func New(pump *pumpmodel.Pump, o Options) (*Front, error) {
	if o.Firmware == "" {
		o.Firmware = "4.1.3"
	}
	if o.Epoch.IsZero() {
		o.Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if o.LogStart >= wire.RingSize || o.LogFill < 0 || o.LogFill > wire.RingSize {
		return nil, fmt.Errorf("log start %d, fill %d: known 0 to %d", o.LogStart, o.LogFill, wire.RingSize-1)
	}
	f := &Front{o: o, pump: pump, scanner: wire.NewScanner(o.Checksum)}
	for _, r := range []wire.Reply{
		{Query: wire.Serial, Text: []byte(o.Serial)},
		{Query: wire.Firmware, Text: []byte(o.Firmware)},
		{Query: wire.Platform, Text: []byte(o.Platform)},
	} {
		if r.Query == wire.Platform && o.Platform == "" {
			continue
		}
		if _, err := wire.AppendReply(nil, &r); err != nil {
			return nil, fmt.Errorf("%s %q: %w", r.Query, r.Text, err)
		}
	}
	f.log.next = o.LogStart
	for range o.LogFill {
		f.log.add(f.event(wire.EventTimeStamp, 0, 0, 0, 0))
	}
	f.sync()
	return f, nil
}

// Handle takes bytes from the host, which may be part of a frame or several
// frames, and returns the frames with which the pump answers, often none.
func (f *Front) Handle(in []byte) []byte {
	var out []byte
	for len(in) > 0 {
		payload, used := f.scanner.Next(in)
		in = in[used:]
		if payload == nil {
			continue
		}
		if v := f.pump.View(); v.State != pumpmodel.Off {
			out = f.answer(out, payload, &v)
		}
	}
	return out
}

// answer answers one request to a pump that looks like v now.
func (f *Front) answer(out, payload []byte, v *pumpmodel.View) []byte {
	f.remember(payload)
	request := wire.ParseRequest(payload)
	switch request.Kind {
	case wire.RequestControl:
		f.control++
		f.obey(string(payload))
		return out
	case wire.RequestUnknown:
		f.unknown++
		return out
	case wire.RequestRead:
	}
	if f.frozen == nil {
		f.sync()
	} else {
		v = f.frozen
	}
	reply := wire.Reply{Query: request.Query, Index: request.Index}
	if request.Query == wire.AutomaticBolus || request.Query == wire.DemandBolus {
		return f.frame(out, append(f.payload[:0], request.Query.String()+"ERROR"...)) // the program has none
	}
	if !f.fill(&reply, v) {
		return out
	}
	encoded, err := wire.AppendReply(f.payload[:0], &reply)
	if err != nil { // a value too large for its field: the pump has no words for it
		return out
	}
	return f.frame(out, encoded)
}

func (f *Front) frame(out, payload []byte) []byte {
	f.payload = payload
	return wire.AppendFrame(out, payload, f.o.Checksum)
}

func (f *Front) view() pumpmodel.View {
	if f.frozen != nil {
		return *f.frozen
	}
	return f.pump.View()
}

// obey does what a control command says, as a real pump would. The gateway must never send one.
func (f *Front) obey(command string) {
	var err error
	switch command {
	case "WT00":
		err = f.pump.PowerOff()
	case "WT01":
		err = f.pump.Run()
	case "WT02":
		err = f.pump.Stop()
	case "W00":
		f.SendSensors(false)
	case "W01":
		f.SendSensors(true)
	}
	if err != nil {
		f.unknown++ // refused, as by the pump: without a word
	}
}

// SendSensors switches the unsolicited S9 frames on or off, one per second.
func (f *Front) SendSensors(on bool) {
	f.unsolicited = on
	f.nextSensors = f.pump.Elapsed() + time.Second
}

// PushEvery implements front.Pusher.
func (f *Front) PushEvery() time.Duration {
	if f.unsolicited {
		return 250 * time.Millisecond
	}
	return 0
}

// Unsolicited returns the frames that the pump sends by itself now; usually nil.
func (f *Front) Unsolicited() []byte {
	if !f.unsolicited || f.pump.Elapsed() < f.nextSensors || f.pump.View().State == pumpmodel.Off {
		return nil
	}
	f.nextSensors = f.pump.Elapsed() + time.Second
	v := f.view()
	reply := wire.Reply{Query: wire.CombinedSensors}
	f.fill(&reply, &v)
	encoded, err := wire.AppendReply(f.payload[:0], &reply)
	if err != nil {
		return nil
	}
	return f.frame(nil, encoded)
}

// Freeze makes the pump answer everything with the values of this moment, with good
// checksums, until it is called with false: a hung program behind a living line.
func (f *Front) Freeze(_ string, on bool) {
	f.frozen = nil
	if on {
		f.sync()
		v := f.pump.View()
		f.frozen = &v
	}
}

func (f *Front) remember(payload []byte) {
	f.received++
	f.queries.Add(string(payload))
}

// Received returns the newest queries, oldest first, at least the last 500.
func (f *Front) Received() []string { return f.queries.List() }

// Counts returns what the host sent so far.
func (f *Front) Counts() front.Counts {
	return front.Counts{Received: f.received, Control: f.control, Unknown: f.unknown, BadFrames: f.scanner.Bad()}
}

var (
	_ front.Front  = (*Front)(nil)
	_ front.Pusher = (*Front)(nil)
)
