package miva

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// Explain implements drivers.Explainer. A code that was entered at the pump is not shown: where a log record holds one its
// characters are replaced by stars, in the bytes, too. Program data are told from events when the markers around them
// stand in the same bytes.
func (d *Driver) Explain(direction drivers.Direction, b []byte) []drivers.Explained {
	x := explainer{rule: d.rule}
	if direction == drivers.FromPump {
		x.program = programData(b, d.rule)
	}
	var list []drivers.Explained
	for at := 0; at < len(b); {
		n := stretch(b[at:])
		e := x.explain(direction, bytes.Clone(b[at:at+n]))
		e.Offset = at
		list = append(list, e)
		at += n
	}
	return list
}

type explainer struct {
	rule    wire.Checksum
	program map[uint32]programPart
}

// stretch returns the length of what the receiver's rules take for one piece: bytes outside a frame, or a frame up
// to its end, up to what breaks it off, or up to the next STX.
func stretch(b []byte) int {
	if b[0] != wire.STX {
		if next := bytes.IndexByte(b, wire.STX); next > 0 {
			return next
		}
		return len(b)
	}
	for i, c := range b[1:] {
		switch {
		case c == wire.STX:
			return i + 1
		case c < 0x20 || c > 0x7E:
			return i + 2
		}
	}
	return len(b)
}

func (x *explainer) explain(direction drivers.Direction, piece []byte) drivers.Explained {
	e := drivers.Explained{Bytes: piece, Name: "outside a frame"}
	if piece[0] != wire.STX {
		e.Err = &drivers.DecodeError{Cause: drivers.ErrMalformed, Raw: piece, Detail: "no STX"}
		return e
	}
	payload, err := wire.DecodeFrame(piece, x.rule)
	if err != nil {
		hideCode(piece)
		e.Name, e.Err = "broken frame", translate(err)
		if told, is := errors.AsType[*drivers.DecodeError](e.Err); is {
			told.Raw = piece
		}
		return e
	}
	request := wire.ParseRequest(payload)
	switch {
	case direction == drivers.ToPump:
		explainRequest(&e, payload, request)
	case request.Kind == wire.RequestRead:
		explainRequest(&e, payload, request)
		e.Name = "returned by the line: " + e.Name
	default:
		x.reply(&e, payload)
	}
	add(&e, 1+len(payload), 2, "checksum", string(piece[1+len(payload):3+len(payload)]), x.rule.String()+" over the payload")
	return e
}

func add(e *drivers.Explained, offset, length int, name, value, note string) {
	e.Fields = append(e.Fields, drivers.ExplainedField{Offset: offset, Length: length, Name: name, Value: value, Note: note})
}

func explainRequest(e *drivers.Explained, payload []byte, r wire.Request) {
	switch r.Kind {
	case wire.RequestRead:
		letters := len(r.Query.String())
		if r.Query != wire.LogRecord {
			letters = len(payload) // text queries have a long and a short form
		}
		e.Name = "query " + r.Query.String() + ": " + meanings[r.Query].name
		add(e, 1, letters, "query", string(payload[:letters]), "")
		if r.Query == wire.LogRecord {
			add(e, 1+letters, 8, "index", string(payload[letters:]), "")
		}
		return
	case wire.RequestControl:
		e.Name = "control command, which infusiond never sends"
	case wire.RequestUnknown:
		e.Name = "unknown request"
	}
	add(e, 1, len(payload), "payload", string(payload), "")
}

// reply explains what a pump sent. Replies to text queries repeat nothing, so what they answer is not known.
func (x *explainer) reply(e *drivers.Explained, payload []byte) {
	var r wire.Reply
	for _, q := range wire.Queries() {
		if !q.Echoed() || !bytes.HasPrefix(payload, []byte(q.String())) {
			continue
		}
		err := wire.Decode(payload, q, &r)
		e.Name = "reply " + q.String() + ": " + meanings[q].name
		add(e, 1, 2, "query", q.String(), "")
		switch {
		case err != nil:
			e.Err = translate(err)
			add(e, 3, len(payload)-2, "payload", string(payload[2:]), "not of the form that this reply has: the value is not used")
		case q == wire.LogRecord:
			x.record(e, &r)
		default:
			explainValue(e, payload, q, &r)
		}
		return
	}
	e.Name = "reply to a text query"
	note := "text"
	switch {
	case wire.Decode(payload, wire.TextRunning, &r) == nil:
		note = ":INFU:RUN?: whether the infusion runs"
	case wire.Decode(payload, wire.TextRate, &r) == nil:
		note = "a rate, or hex digits of a time: the query before tells"
	}
	add(e, 1, len(payload), "value", string(payload), note)
}

// meaning is what the value of a reply is, for people.
type meaning struct {
	name   string
	fields []numberField // of numbers
	note   string
}

type numberField struct {
	name   string
	digits int // hex digits; 0: the rest
	unit   drivers.Unit
	places int8
}

func one(name string, unit drivers.Unit, places int8) []numberField {
	return []numberField{{name: name, unit: unit, places: places}}
}

var meanings = map[wire.Query]meaning{
	wire.Serial: {name: "serial number"}, wire.Firmware: {name: "firmware"}, wire.Library: {name: "library"}, wire.Platform: {name: "platform"},
	wire.BaseYear:            {name: "base year", fields: one("base_year", drivers.UnitNone, 0)},
	wire.TotalVolume:         {name: "total volume", fields: one("total_volume_ml", drivers.Milliliter, 1)},
	wire.Battery:             {name: "battery", fields: one("battery_v", drivers.Volt, 2)},
	wire.MotorLife:           {name: "motor life", fields: []numberField{{name: "motor_calibration", digits: 4}, {name: "motor_rotations"}}},
	wire.PowerOnTime:         {name: "power-on time", fields: one("power_on_time_s", drivers.Second, 0)},
	wire.BatteryCalibration:  {name: "battery calibration", fields: []numberField{{name: "battery_calibration", digits: 4, places: 3}, {name: "battery_offset_v", places: 2}}},
	wire.PumpClock:           {name: "clock"},
	wire.OcclusionSensors:    {name: "occlusion sensors", fields: sides, note: "raw count: the unit is not known"},
	wire.OcclusionThresholds: {name: "occlusion thresholds", fields: sides, note: "raw count: the unit is not known"},
	wire.MotorCalibration:    {name: "motor calibration", fields: one("motor_calibration", drivers.UnitNone, 0)},
	wire.SensorCalibration:   {name: "sensor calibration"}, wire.CombinedSensors: {name: "combined sensors"}, wire.Mode: {name: "mode"},
	wire.InfusionTime: {name: "infusion time", fields: one("infusion_time_s", drivers.Second, 0)},
	wire.RateUnit:     {name: "unit of the rate"}, wire.BolusRunning: {name: "bolus running (1 is yes)"}, wire.OldRunning: {name: "infusion running (1 is yes)"},
	wire.VolumeInfused:      {name: "volume infused", fields: one("volume_infused_ml", drivers.Milliliter, 2)},
	wire.VTBI:               {name: "volume to be infused", fields: one("vtbi_ml", drivers.Milliliter, 2)},
	wire.BolusRate:          {name: "bolus rate", fields: one("bolus_rate_ml_per_h", drivers.MilliliterPerHour, 2)},
	wire.BolusInfused:       {name: "bolus infused", fields: one("bolus_infused_ml", drivers.Milliliter, 2)},
	wire.BolusVTBI:          {name: "bolus volume to be infused", fields: one("bolus_vtbi_ml", drivers.Milliliter, 2)},
	wire.ProgrammedRateUnit: {name: "unit of the programmed rate"}, wire.ProgrammedTimeUnit: {name: "unit of the programmed time"},
	wire.ProgrammedVTBI:      {name: "programmed volume", fields: one("programmed_vtbi_ml", drivers.Milliliter, 2)},
	wire.ProgrammedTime:      {name: "programmed time", fields: one("programmed_time_s", drivers.Second, 0)},
	wire.ProgrammedBolusRate: {name: "programmed bolus rate", fields: one("programmed_bolus_rate", drivers.UnitNone, 2)},
	wire.AutomaticBolus:      {name: "automatic bolus", fields: one("automatic_bolus_ml", drivers.Milliliter, 2)},
	wire.DemandBolus:         {name: "demand bolus", fields: one("demand_bolus_ml", drivers.Milliliter, 2)},
	wire.OldRate:             {name: "rate", fields: one("rate", drivers.UnitNone, 2), note: "in the unit of Q4"},
	wire.LogIndices:          {name: "place of the log", fields: []numberField{{name: "tail", digits: 8}, {name: "head", digits: 8}}},
	wire.LogRecord:           {name: "log record"}, wire.TextIdentity: {name: "identification"}, wire.TextSerial: {name: "serial number"},
	wire.TextRunning: {name: "infusion running"}, wire.TextRate: {name: "rate"}, wire.TextProgram: {name: "name of the program"},
	wire.TextProgrammedRate: {name: "programmed rate"}, wire.TextTotalTime: {name: "total time"}, wire.TextServiceTime: {name: "service time"},
}

var sides = []numberField{{name: "upstream_count", digits: 4}, {name: "downstream_count", digits: 4}}

// explainValue explains everything but a log record.
func explainValue(e *drivers.Explained, payload []byte, q wire.Query, r *wire.Reply) {
	m := meanings[q]
	rest := len(payload) - 2
	switch {
	case q == wire.PumpClock && r.Clock.Old:
		d := r.Clock.Date
		add(e, 3, rest, "clock", fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", 2000+int(d.Year), d.Month, d.Day, d.Hour, d.Minute, d.Second), "older firmware: day, month, year, hour, minute, second")
	case q == wire.PumpClock:
		add(e, 3, rest, "clock_s", fmt.Sprint(r.Clock.Seconds()), "since the firmware was loaded; the first digit is a marker")
	case q == wire.CombinedSensors:
		add(e, 3, 3, "upstream_count", fmt.Sprint(r.Sensors.Upstream), fmt.Sprintf("hall sensor %v, motor running %v", r.Sensors.Hall, r.Sensors.MotorRunning))
		add(e, 6, 3, "downstream_count", fmt.Sprint(r.Sensors.Downstream), "uncertain: RD is preferred")
		add(e, 9, 3, "battery_v", drivers.Number(int64(r.Sensors.Battery), -2, drivers.Volt).Decimal(), "")
	case q == wire.SensorCalibration:
		for i, name := range []string{"upstream_k", "upstream_b", "downstream_k", "downstream_b"} {
			add(e, 3+8*i, 8, name, fmt.Sprint(r.Float(i)), "")
		}
	case m.fields != nil:
		at := 3
		for i, f := range m.fields {
			n := f.digits
			if n == 0 {
				n = 1 + len(payload) - at
			}
			add(e, at, n, f.name, drivers.Number(int64(r.N[i]), -f.places, f.unit).Decimal(), m.note)
			at += n
		}
	default:
		add(e, 3, rest, strings.ReplaceAll(strings.TrimSuffix(m.name, " (1 is yes)"), " ", "_"), strings.TrimSpace(string(r.Text)), "")
	}
}

var _ drivers.Explainer = (*Driver)(nil)
