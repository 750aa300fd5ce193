package newerafront

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"infusiond/drivers/newera/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// Baud is the usual speed of the line, 8N1; Gap is what a pump takes until it answers.
const (
	Baud = 19200
	Gap  = 10 * time.Millisecond
)

// Options is how the pumps of one line present themselves.
type Options struct {
	Version    string // "NE1000V3.928" when empty
	ResetAlarm bool   // the pumps were just powered: alarm R waits
	Now        func() time.Duration
}

// Front is a line of pumps.
type Front struct {
	o       Options
	pumps   []*pump
	input   []byte
	queries front.Queries
	counts  front.Counts
}

// pump is one pump and its protocol's state.
type pump struct {
	front.Member
	address  int
	alarms   []byte                   // letters that wait to be told
	known    map[pumpmodel.Alarm]bool // of the model, told or waiting
	timeout  time.Duration            // of safe mode; 0: basic mode
	heardAt  time.Duration
	withdraw bool
	purging  bool
	diameter float64
	cleared  float64 // volume at the last CLD
	rate     wire.Unit
	buzzer   int
	frozen   *pumpmodel.View
}

// New returns a front for the pumps of one line. The error names what no such line can have.
func New(o Options, members []front.Member) (*Front, error) {
	if o.Version == "" {
		o.Version = "NE1000V3.928"
	}
	if len(members) == 0 || len(members) > 100 {
		return nil, fmt.Errorf("%d pumps on the line: known 1 to 100", len(members))
	}
	f := &Front{o: o}
	if f.o.Now == nil {
		f.o.Now = members[0].Pump.Elapsed
	}
	for _, m := range members {
		n, err := strconv.Atoi(m.Address)
		if m.Address == "" && len(members) == 1 {
			n, err = 0, nil
		}
		if err != nil || n < 0 || n > 99 {
			return nil, fmt.Errorf("address %q: known are 00 to 99", m.Address)
		}
		for _, other := range f.pumps {
			if other.address == n {
				return nil, fmt.Errorf("address %02d: two pumps of one line have it", n)
			}
		}
		p := &pump{Member: m, address: n, known: map[pumpmodel.Alarm]bool{}, diameter: 26.59, rate: wire.MilliliterPerHour}
		if o.ResetAlarm {
			p.alarms = []byte{'R'}
		}
		f.pumps = append(f.pumps, p)
	}
	return f, nil
}

// Handle implements front.Front.
func (f *Front) Handle(in []byte) []byte {
	var out []byte
	for _, b := range in {
		f.input = append(f.input, b)
		if f.input[0] == wire.STX { // a packet in the safe framing
			data, framing, err := wire.DecodeFrame(f.input)
			switch {
			case err == nil && framing == wire.Safe:
				out = f.command(out, string(data), wire.Safe)
				f.input = f.input[:0]
			case len(f.input) >= wire.MaxFrame || len(f.input) > 1 && len(f.input) > int(f.input[1]):
				f.counts.BadFrames++
				f.input = f.input[:0]
			}
			continue
		}
		switch {
		case b == wire.CR:
			text := string(f.input[:len(f.input)-1])
			f.input = f.input[:0]
			out = f.command(out, text, wire.Basic)
		case len(f.input) > 256:
			f.counts.BadFrames++
			f.input = f.input[:0]
		}
	}
	return out
}

// clean removes what a pump ignores, and separates the address.
func clean(text string) (address int, body string) {
	text = strings.ToUpper(strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text))
	n := 0
	for n < len(text) && n < 2 && text[n] >= '0' && text[n] <= '9' {
		address = address*10 + int(text[n]-'0')
		n++
	}
	return address, text[n:]
}

// command takes one command in a framing and appends the answer.
func (f *Front) command(out []byte, text string, framing wire.Framing) []byte {
	address, body := clean(text)
	f.counts.Received++
	f.queries.Add(fmt.Sprintf("%02d%s", address, body))
	for _, p := range f.pumps {
		if p.address != address || p.Pump.View().State == pumpmodel.Off {
			continue
		}
		if (p.timeout > 0) != (framing == wire.Safe) && !strings.HasPrefix(body, "SAF") {
			f.counts.BadFrames++ // the other framing is noise to it
			return out
		}
		p.heardAt = f.o.Now()
		before := p.framing()
		data := f.answer(p, body)
		if before == wire.Safe || framing == wire.Safe {
			before = framing
		}
		r := wire.Reply{Address: p.address, Status: p.status(), Data: data}
		if letter, alarm := f.alarm(p); alarm {
			r.Status, r.Alarm = 'A', letter
		}
		return wire.AppendReplyFrame(out, wire.AppendReply(nil, &r), before)
	}
	return out
}

func (p *pump) framing() wire.Framing {
	if p.timeout > 0 {
		return wire.Safe
	}
	return wire.Basic
}

// alarm takes the alarm that waits; telling it acknowledges it.
func (f *Front) alarm(p *pump) (byte, bool) {
	p.watch()
	if len(p.alarms) == 0 {
		return 0, false
	}
	letter := p.alarms[0]
	p.alarms = p.alarms[1:]
	return letter, true
}

// watch turns alarms of the model into those that this pump has.
func (p *pump) watch() {
	now := map[pumpmodel.Alarm]bool{}
	for _, a := range p.view().Alarms {
		now[a] = true
		letter, has := letters[a]
		if has && !p.known[a] {
			p.alarms = append(p.alarms, letter)
		}
	}
	p.known = now
}

// letters are the words that this pump has for the model's alarms: a motor that stalls is what an occlusion gives.
var letters = map[pumpmodel.Alarm]byte{
	pumpmodel.AlarmOcclusionDownstream: 'S', pumpmodel.AlarmPumpFault: 'E', pumpmodel.AlarmLimitReached: 'O',
}

func (p *pump) view() pumpmodel.View {
	if p.frozen != nil {
		return *p.frozen
	}
	return p.Pump.View()
}

func (p *pump) status() byte {
	v := p.view()
	switch {
	case p.purging:
		return 'X'
	case v.State.Moving() && p.withdraw:
		return 'W'
	case v.State.Moving():
		return 'I'
	case v.State == pumpmodel.Paused:
		return 'P'
	}
	return 'S'
}

// float prints at most four digits and at most three decimals, as this pump does.
func float(v float64) wire.Number {
	decimals := int8(3)
	for limit := 10.0; decimals > 0 && math.Round(v*math.Pow10(int(decimals))) >= limit*math.Pow10(int(decimals)); limit *= 10 {
		decimals--
	}
	return wire.Number{Mantissa: int32(math.Round(v * math.Pow10(int(decimals)))), Decimals: decimals, Valid: true}
}

// answer does a command and returns the data of its reply.
func (f *Front) answer(p *pump, body string) []byte {
	v := p.view()
	var value wire.Value
	for _, q := range wire.Queries() {
		if q.Word() != body {
			continue
		}
		switch q {
		case wire.Status:
			return nil
		case wire.Version:
			value.Text = []byte(f.o.Version)
		case wire.Rate:
			value.Infused, value.Unit = float(fromMLPerH(v.Program.Rate, p.rate)), p.rate
		case wire.Dispensed:
			value.Infused, value.Withdrawn, value.Unit = float(math.Max(0, v.InfusedML-p.cleared)), float(0), wire.Milliliter
		case wire.Volume:
			value.Infused, value.Unit = float(v.Program.VTBIML), wire.Milliliter
		case wire.Direction:
			value.Text = []byte("INF")
			if p.withdraw {
				value.Text = []byte("WDR")
			}
		case wire.Diameter:
			value.Infused = float(p.diameter)
		case wire.Phase:
			value.Infused = wire.Number{Mantissa: 1, Valid: true}
		case wire.Function:
			value.Text = []byte("RAT")
		case wire.Buzzer:
			value.Infused = wire.Number{Mantissa: int32(p.buzzer), Valid: true}
		case wire.NoQuery:
		}
		return value.AppendValue(nil, q)
	}
	return []byte(f.control(p, body))
}

// Unsolicited implements front.Front: in safe mode a pump sends alarms by itself, and stops when the host is silent.
func (f *Front) Unsolicited() []byte {
	var out []byte
	for _, p := range f.pumps {
		if p.timeout == 0 || p.Pump.View().State == pumpmodel.Off {
			continue
		}
		if f.o.Now()-p.heardAt >= p.timeout && p.Pump.View().State.Moving() {
			_ = p.Pump.Stop() // it moves: this cannot fail
			p.alarms = append(p.alarms, 'T')
		}
		if letter, alarm := f.alarm(p); alarm {
			r := wire.Reply{Address: p.address, Status: 'A', Alarm: letter}
			out = wire.AppendReplyFrame(out, wire.AppendReply(nil, &r), wire.Safe)
		}
	}
	return out
}

// PushEvery says how often safe mode has to be looked after.
func (f *Front) PushEvery() time.Duration {
	for _, p := range f.pumps {
		if p.timeout > 0 {
			return 500 * time.Millisecond
		}
	}
	return 0
}

// Freeze implements front.Front.
func (f *Front) Freeze(address string, on bool) {
	for _, p := range f.pumps {
		if p.Address != address {
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
