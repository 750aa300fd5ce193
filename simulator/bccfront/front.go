package bccfront

import (
	"fmt"
	"strings"
	"time"

	"infusiond/drivers/bcc/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// Baud is the speed of the line, 8N1; Gap is what the device takes until it answers.
const (
	Baud = 9600
	Gap  = 20 * time.Millisecond
)

// Options is how one station presents itself.
type Options struct {
	Plain  bool              // no character stuffing
	BedID  string            // "SpaceCOM" when empty
	Cyclic time.Duration     // sends by itself so often; 0: request mode
	Words  bool              // alarms as words in place of flags
	Models map[string]string // software names by address; "687L030007" (Infusomat Space P) where there is none
	Now    func() time.Duration
}

// Front is a station as its serial line shows it.
type Front struct {
	o       Options
	pumps   []*pump
	scan    *wire.Scanner
	queries front.Queries
	counts  front.Counts

	waiting [][]byte // frames that wait for an ACK of the one before
	last    []byte   // the frame that was sent last
	open    bool     // it was not acknowledged yet
	next    time.Duration
	state   string // what a cyclic device looks at for changes
}

// pump is one pump of the station.
type pump struct {
	front.Member
	model  string
	off    bool // seen switched off, and told
	seen   bool // the device told of it
	frozen *pumpmodel.View

	asked    bool // at least once, for the mean rate since then
	askedML  float64
	askedAt  time.Duration
	meanRate string
}

// New returns a front for the pumps of one station. The error names what no such station can have.
func New(o Options, members []front.Member) (*Front, error) {
	if o.BedID == "" {
		o.BedID = "SpaceCOM"
	}
	if !wire.ValidBedID(o.BedID) {
		return nil, fmt.Errorf("bed id %q: known are 1 to 15 of / 0-9 A-Z a-z [ \\ ] ^ _ and `", o.BedID)
	}
	if len(members) == 0 || len(members) > 24 {
		return nil, fmt.Errorf("%d pumps at the station: known 1 to 24", len(members))
	}
	f := &Front{o: o, scan: wire.NewScanner(!o.Plain)}
	if f.o.Now == nil {
		f.o.Now = members[0].Pump.Elapsed
	}
	for _, m := range members {
		if m.Address == "" && len(members) == 1 {
			m.Address = "11"
		}
		if !wire.ValidSlot(m.Address) {
			return nil, fmt.Errorf("address %q: known are pillar 1 to 3 and slot 1 to 9 or A to O, like 11 or 2A", m.Address)
		}
		if strings.ContainsAny(m.Serial+m.Drug, "\x01\x02\x03\x04\x17\x1e") || m.Serial == "" {
			return nil, fmt.Errorf("serial number %q, drug %q: no control characters, and a serial number is needed", m.Serial, m.Drug)
		}
		for _, other := range f.pumps {
			if other.Address == m.Address {
				return nil, fmt.Errorf("address %s: two pumps of one station have it", m.Address)
			}
		}
		model := o.Models[m.Address]
		if model == "" {
			model = "687L030007"
		}
		f.pumps = append(f.pumps, &pump{Member: m, model: model})
	}
	return f, nil
}

// Handle implements front.Front.
func (f *Front) Handle(in []byte) []byte {
	var out []byte
	for len(in) > 0 {
		var b wire.Block
		e, used := f.scan.Next(in, &b)
		in = in[used:]
		f.counts.BadFrames = f.scan.Bad()
		switch e {
		case wire.Good:
			out = append(out, f.request(&b)...)
		case wire.Broken:
			out = append(out, f.begin(f.error("50100", "68"))...)
		case wire.Positive:
			f.queries.Add("ACK")
			f.open = false
			if len(f.waiting) > 0 {
				out = append(out, f.send()...)
			}
		case wire.Negative:
			f.queries.Add("NAK")
			out = append(out, f.last...)
		case wire.Nothing:
		}
	}
	return out
}

// request answers one request with its first block.
func (f *Front) request(b *wire.Block) []byte {
	request := string(b.Information)
	f.counts.Received++
	f.queries.Add(request)
	slot, ofSlot := strings.CutPrefix(request, wire.RequestSlot)
	known := string(b.BedID()) == f.o.BedID
	switch {
	case request == wire.RequestAlive && (known || string(b.Address) == wire.LinkAddress):
		return f.begin(f.record("50100", "GNACK", "0"))
	case !known:
	case request == wire.RequestVersion:
		r := wire.Record{Time: f.seconds(), Address: []byte("50100"), Parameter: []byte("V3.30")}
		return f.begin(wire.AppendRecord(nil, &r))
	case request == wire.RequestAll:
		blocks := f.all()
		if len(blocks) == 1 {
			return f.begin(f.error("50100", "11"))
		}
		return f.begin(blocks...)
	case ofSlot:
		return f.slot(slot)
	}
	f.counts.Unknown++
	return f.begin(f.error("50100", "68"))
}

func (f *Front) slot(slot string) []byte {
	for _, p := range f.pumps {
		if p.Address != slot {
			continue
		}
		if p.Pump.View().State == pumpmodel.Off {
			return f.begin(f.error("501"+slot, "39"))
		}
		return f.begin(f.station(), f.values(p))
	}
	if wire.ValidSlot(slot) {
		return f.begin(f.error("501"+slot, "811"))
	}
	f.counts.Unknown++
	return f.begin(f.error("50100", "68"))
}

// all returns the station's block and one for each pump that is there.
func (f *Front) all() [][]byte {
	blocks := [][]byte{f.station()}
	for _, p := range f.pumps {
		off := p.Pump.View().State == pumpmodel.Off
		switch {
		case off && !p.off:
			blocks = append(blocks, f.error("501"+p.Address, "39"))
			p.seen = false
		case !off:
			blocks = append(blocks, f.values(p))
		}
		p.off = off
	}
	return blocks
}

// begin queues blocks and returns the first.
func (f *Front) begin(blocks ...[]byte) []byte {
	f.waiting = f.waiting[:0]
	for i, info := range blocks {
		b := wire.Block{Address: []byte(f.o.BedID + "/1/1"), Information: info, Last: i == len(blocks)-1}
		f.waiting = append(f.waiting, b.Append(nil, !f.o.Plain))
	}
	return f.send()
}

func (f *Front) send() []byte {
	f.last, f.waiting, f.open = f.waiting[0], f.waiting[1:], true
	return f.last
}

func (f *Front) seconds() uint64 { return 100 + uint64(f.o.Now()/time.Second) }

func (f *Front) record(address, parameter, value string) []byte {
	r := wire.Record{Time: f.seconds(), Address: []byte(address), Parameter: []byte(parameter), Value: []byte(value), HasValue: true}
	return wire.AppendRecord(nil, &r)
}

func (f *Front) error(address, code string) []byte { return f.record(address, "GNERR", code) }

// Unsolicited implements front.Front: what a cyclic device sends by itself.
func (f *Front) Unsolicited() []byte {
	if f.o.Cyclic == 0 || f.open {
		return nil
	}
	state := f.triggers()
	if f.o.Now() < f.next && state == f.state {
		return nil
	}
	f.state, f.next = state, f.o.Now()+f.o.Cyclic
	return f.begin(f.all()...)
}

// triggers is what makes a cyclic device send at once when it changes.
func (f *Front) triggers() string {
	var b strings.Builder
	for _, p := range f.pumps {
		v := p.view()
		fmt.Fprintf(&b, "%v %v %v;", v.State, v.Alarms, v.Program)
	}
	return b.String()
}

// PushEvery says how often a cyclic device looks for changes.
func (f *Front) PushEvery() time.Duration {
	if f.o.Cyclic == 0 {
		return 0
	}
	return time.Second
}

func (p *pump) view() pumpmodel.View {
	if p.frozen != nil {
		return *p.frozen
	}
	return p.Pump.View()
}

// Freeze implements front.Front.
func (f *Front) Freeze(address string, on bool) {
	for _, p := range f.pumps {
		if p.Address != address && (address != "" || len(f.pumps) > 1) {
			continue
		}
		p.frozen = nil
		if on {
			v := p.Pump.View()
			p.frozen = &v
		}
	}
}

// Received implements front.Front.
func (f *Front) Received() []string { return f.queries.List() }

// Counts implements front.Front.
func (f *Front) Counts() front.Counts { return f.counts }

var _ front.Front = (*Front)(nil)
