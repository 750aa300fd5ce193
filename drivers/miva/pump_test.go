package miva

import (
	"bytes"
	"testing"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/miva/wire"
)

// pump is a scripted pump on top of the codec's encoders. Fields that are
// empty are queries that it does not answer.
type pump struct {
	t       testing.TB
	rule    wire.Checksum
	text    map[wire.Query]string
	numbers map[wire.Query][2]uint32
	running string // TRUE, FALSE or nothing
	clock   *wire.Clock
	tail    uint32
	log     map[uint32]wire.Record
	head    uint32
	raw     map[wire.Query]string // a payload instead of the encoder's
	asked   []wire.Query
}

func (p *pump) respond(query []byte) []byte {
	payload, err := wire.DecodeFrame(query, p.rule)
	if err != nil {
		p.t.Fatalf("the pump received % X: %v", query, err)
	}
	request := wire.ParseRequest(payload)
	if request.Kind != wire.RequestRead {
		p.t.Fatalf("the pump received %q, which is no read query", payload)
	}
	p.asked = append(p.asked, request.Query)
	if raw, ok := p.raw[request.Query]; ok {
		return wire.AppendFrame(nil, []byte(raw), p.rule)
	}
	reply := wire.Reply{Query: request.Query}
	if !p.fill(&reply, request.Index) {
		return nil
	}
	answer, err := wire.AppendReply(nil, &reply)
	if err != nil {
		p.t.Fatalf("the pump cannot answer %s: %v", request.Query, err)
	}
	return wire.AppendFrame(nil, answer, p.rule)
}

// fill puts the answer into the reply; false when the pump does not know the query.
func (p *pump) fill(reply *wire.Reply, index uint32) bool {
	if q := reply.Query; q == wire.TextRunning {
		reply.True = p.running == "TRUE"
		return p.running != ""
	} else if q == wire.PumpClock && p.clock != nil {
		reply.Clock = *p.clock
		return true
	} else if q == wire.LogIndices {
		reply.N = [2]uint32{p.tail, p.head}
		return p.log != nil
	} else if q == wire.LogRecord {
		written := false
		if reply.Record, written = p.log[index]; !written {
			reply.Record = wire.Record(bytes.Repeat([]byte{0xFF}, 16))
		}
		reply.Index = index
		return p.log != nil
	}
	text, isText := p.text[reply.Query]
	n, isNumber := p.numbers[reply.Query]
	reply.Text, reply.N = []byte(text), n
	return isText || isNumber
}

// add writes records to the log, around the ring.
func (p *pump) add(records ...wire.Record) {
	for _, r := range records {
		if len(p.log) > 0 {
			p.head = (p.head + 1) % wire.RingSize
		}
		p.log[p.head] = r
	}
}

// rec makes a record of new firmware.
func rec(kind wire.EventType, seconds uint32, subtype uint16) wire.Record {
	return wire.Event{Type: kind, Stamp: wire.SecondsStamp(seconds), Subtype: subtype}.Record()
}

// newPump is a pump of new firmware that infuses. No two of its values are equal.
func newPump(t testing.TB) *pump {
	clock := wire.NewClock(74752)
	p := &pump{
		t: t,
		text: map[wire.Query]string{
			wire.Serial: "SIM00001", wire.Firmware: "2.17", wire.Platform: "00", wire.RateUnit: "ML/HR", wire.ProgrammedRateUnit: "ML/HR",
			wire.BolusRunning: "0", wire.Mode: "CONT", wire.TextRate: "1.11", wire.TextProgrammedRate: "1.12", wire.TextProgram: "DAILY 1",
		},
		numbers: map[wire.Query][2]uint32{
			wire.VolumeInfused: {1234}, wire.VTBI: {10000}, wire.BolusRate: {700}, wire.BolusInfused: {33}, wire.BolusVTBI: {55},
			wire.Battery: {285}, wire.OcclusionSensors: {500, 520}, wire.OcclusionThresholds: {800, 810},
		},
		running: "TRUE",
		clock:   &clock,
		log:     map[uint32]wire.Record{},
	}
	p.add(rec(wire.EventPowerOn, 100, 1), rec(wire.EventRun, 200, 0), rec(wire.EventPaused, 300, 0),
		rec(wire.EventRun, 400, 0), rec(wire.EventDoseGranted, 500, 0x0100), rec(wire.EventBatteryLow, 600, 0))
	return p
}

func otherPump(t testing.TB) *pump {
	clock := wire.NewClock(9000)
	p := newPump(t)
	p.text[wire.Serial] = "SIM00002"
	p.text[wire.Firmware] = "3.01"
	p.text[wire.TextRate], p.text[wire.TextProgrammedRate] = "5.01", "5.02"
	p.text[wire.TextProgram], p.text[wire.Mode] = "NIGHTLY", "INT"
	p.numbers = map[wire.Query][2]uint32{
		wire.VolumeInfused: {77}, wire.VTBI: {5000}, wire.Battery: {301}, wire.OcclusionSensors: {401, 402}, wire.OcclusionThresholds: {901, 902},
	}
	p.clock, p.log, p.head = &clock, map[uint32]wire.Record{}, 0
	p.add(rec(wire.EventPowerOn, 1000, 2), rec(wire.EventRun, 1001, 0))
	return p
}

func driver(t testing.TB, settings map[string]string) drivers.Driver {
	t.Helper()
	d, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// talk is a conversation with a scripted pump.
type talk struct {
	t    testing.TB
	port *drivertest.Port
	conn drivers.Conn
}

func open(t testing.TB, p *pump, anchors map[string]string, settings map[string]string) *talk {
	t.Helper()
	d := driver(t, settings)
	port := drivertest.NewPort(d.Profile(), p.respond)
	conn, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now, Anchors: anchors})
	if err != nil {
		t.Fatal(err)
	}
	return &talk{t: t, port: port, conn: conn}
}

// poll makes one cycle that must succeed.
func (k *talk) poll() drivers.Report {
	k.t.Helper()
	k.port.Advance(1e9)
	reports, err := drivers.Collect(k.t.Context(), k.conn)
	if err != nil || len(reports) != 1 {
		k.t.Fatalf("Poll: %d reports, %v", len(reports), err)
	}
	return reports[0]
}
