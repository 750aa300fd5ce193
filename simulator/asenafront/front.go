package asenafront

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"infusiond/drivers/asena/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// Baud is the speed of the line, 8N1; Gap is what the pump takes until it answers.
const (
	Baud = 38400
	Gap  = 10 * time.Millisecond
)

// remoteTime is how long remote control lasts without being renewed.
const remoteTime = 2 * time.Second

// Options is how one pump presents itself.
type Options struct {
	Protocol  string  // "Asena Rev 2.1.5" when empty
	Syringe   string  // type, "BD PLASTIPAK" when empty
	SyringeML float64 // size, 50 when 0
	EndAction string  // "STOP" when empty
}

// Front is an Alaris / Asena pump as its serial line shows it.
type Front struct {
	o       Options
	m       front.Member
	scan    wire.Scanner
	queries front.Queries
	counts  front.Counts
	frozen  *view
	vtbi    bool          // a volume to be infused is set
	remote  time.Duration // until when remote control lasts
	held    bool          // remote control was taken
	reply   wire.Reply
	body    []byte
}

// view is what the pump can say at one moment.
type view struct {
	pumpmodel.View
	events uint64
}

var serialForm = regexp.MustCompile(`^[0-9A-Z]{4}-[0-9]{5}$`)

// New returns a front for one pump. The error names the option that no such pump can have.
func New(o Options, members []front.Member) (*Front, error) {
	if len(members) != 1 {
		return nil, fmt.Errorf("%d pumps on the line: this protocol carries one", len(members))
	}
	m := members[0]
	if !serialForm.MatchString(m.Serial) {
		return nil, fmt.Errorf("serial number %q: known are four capital letters or digits, a hyphen and five digits, like SIM0-00001", m.Serial)
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
	if o.EndAction == "" {
		o.EndAction = "STOP"
	}
	for name, text := range map[string]string{"protocol": o.Protocol, "syringe": o.Syringe, "end action": o.EndAction, "drug": m.Drug} {
		if strings.ContainsAny(text, "!|^\r\n\x1B") {
			return nil, fmt.Errorf("%s %q holds a character that a frame cannot carry", name, text)
		}
	}
	return &Front{o: o, m: m, vtbi: true}, nil
}

// Handle implements front.Front.
func (f *Front) Handle(in []byte) []byte {
	var out []byte
	for len(in) > 0 {
		body, used := f.scan.Next(in)
		in = in[used:]
		f.counts.BadFrames = f.scan.Bad()
		if body == nil || f.m.Pump.View().State == pumpmodel.Off {
			continue
		}
		out = f.answer(out, string(body))
	}
	return out
}

func (f *Front) answer(out []byte, body string) []byte {
	f.counts.Received++
	f.queries.Add(body)
	request := wire.RequestOf([]byte(body))
	if request == wire.NoRequest {
		return f.command(out, body)
	}
	f.reply = wire.Reply{Request: request}
	v := f.view()
	f.fill(&f.reply, &v)
	f.body = wire.AppendReply(f.body[:0], &f.reply)
	return wire.AppendFrame(out, f.body)
}

func (f *Front) view() view {
	if f.frozen != nil {
		return *f.frozen
	}
	return view{View: f.m.Pump.View(), events: f.m.Pump.EventCount()}
}

// number makes a number with a fixed count of decimals.
func number(v float64, decimals int8) wire.Number {
	return wire.Number{Mantissa: int64(math.Round(v * math.Pow10(int(decimals)))), Decimals: decimals, Valid: true}
}

func (f *Front) fill(r *wire.Reply, v *view) {
	switch r.Request {
	case wire.SerialNumber:
		r.Text = []byte(f.m.Serial)
	case wire.Protocol:
		r.Text = []byte(f.o.Protocol)
	case wire.ResponseMax:
		r.Value, r.Unit = number(4000, 0), []byte("ms")
	case wire.Status:
		f.fillStatus(&r.Infusion, v)
	case wire.VolumeInfused:
		r.Value, r.Unit = number(v.InfusedML, 3), []byte("ml")
	case wire.VTBI:
		r.Text, r.Unit, r.Detail = []byte("DEACT"), []byte("ml"), []byte(f.o.EndAction)
		if f.vtbi {
			r.Text, r.Value = []byte("ACTIV"), number(v.Program.VTBIML, 1)
		}
	case wire.Rate:
		r.Value, r.Unit = number(v.Program.Rate, 2), []byte("ml/h")
	case wire.MaxRate:
		r.Value, r.Unit = number(Physics().MaxRate, 2), []byte("ml/h")
	case wire.Syringe:
		r.Text, r.Value, r.Detail = []byte(f.o.Syringe), number(f.o.SyringeML, 0), []byte("CONF")
	case wire.Alarm:
		r.Code = []byte(shown(v))
	case wire.NoRequest:
	}
}

// mmHgPerMbar converts the model's pressure (1 mmHg is 1.33322 mbar).
const mmHgPerMbar = 1 / 1.33322

func (f *Front) fillStatus(i *wire.Infusion, v *view) {
	i.Serial, i.Alarm, i.Drug = []byte(f.m.Serial), shown(v) != noAlarm, []byte(f.m.Drug)
	i.Mode = []byte("HLD")
	if v.State.Moving() {
		i.Mode = []byte("SET")
	}
	i.Rate, i.RateUnit = number(v.Rate, 2), []byte("ml/h")
	i.Volume, i.VolumeUnit = number(v.InfusedML, 3), []byte("ml")
	i.Pressure, i.PressureUnit = number(v.DownstreamMbar*mmHgPerMbar, 2), []byte("mmHg")
	if left := v.Program.VTBIML - v.InfusedML; v.Rate > 0 && left >= 0 && f.vtbi {
		i.Remaining, i.RemainingS = true, int64(left/v.Rate*3600)
		if i.RemainingS > 24*3600 {
			i.AtLeast = true
		}
	}
	i.LogType, i.LogID = []byte("EVENT"), strconv.AppendUint(nil, 100_000+v.events, 10)
}

const noAlarm = "AL_NOALM"

// codes are the words that this pump has for the model's alarms.
var codes = map[pumpmodel.Alarm]string{
	pumpmodel.AlarmPumpFault: "AL_FAULT", pumpmodel.AlarmOcclusionDownstream: "AL_OCCLU", pumpmodel.AlarmNoDisposable: "AL_DRDIS",
	pumpmodel.AlarmBatteryDepleted: "AL_EMBAT", pumpmodel.AlarmBatteryLow: "AL_LWBAT", pumpmodel.AlarmComplete: "AL_VTBIS",
	pumpmodel.AlarmReservoirEmpty: "AL_EOIST", pumpmodel.AlarmUnattended: "AL_CALLB",
}

// shown is the one alarm that the pump shows: the most urgent.
func shown(v *view) string {
	for _, a := range v.Alarms { // most urgent first
		code, known := codes[a]
		if !known {
			continue
		}
		if v.State == pumpmodel.KVO && a == pumpmodel.AlarmComplete {
			return "AL_VTBIK"
		}
		if v.State == pumpmodel.KVO && a == pumpmodel.AlarmReservoirEmpty {
			return "AL_EOIKV"
		}
		return code
	}
	return noAlarm
}

// Unsolicited implements front.Front: this pump sends nothing by itself.
func (f *Front) Unsolicited() []byte { return nil }

// Freeze implements front.Front.
func (f *Front) Freeze(_ string, on bool) {
	f.frozen = nil
	if on {
		v := f.view()
		f.frozen = &v
	}
}

// Received implements front.Front.
func (f *Front) Received() []string { return f.queries.List() }

// Counts implements front.Front.
func (f *Front) Counts() front.Counts { return f.counts }

var _ front.Front = (*Front)(nil)

// errNoControl says that a command came without remote control.
var errNoControl = errors.New("no remote control")
