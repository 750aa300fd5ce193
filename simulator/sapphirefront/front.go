package sapphirefront

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"infusiond/drivers/sapphire/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// Baud is the speed of the line, 8N1; Gap is what the pump takes until it begins to push.
const (
	Baud = 9600
	Gap  = 20 * time.Millisecond
)

// listenTime is how long the pump pushes after it heard a PC.
const listenTime = 30 * time.Second

// mostAtOnce bounds what Unsolicited returns: what would have been sent longer ago is gone.
const mostAtOnce = 3

// Options is how one pump presents itself.
type Options struct {
	Every      time.Duration // between batches; 200 ms when 0
	Length     int           // of a batch's data, 171 to 2048; 171 when 0
	Noise      bool          // unknown bytes hold anything
	Heartbeats int           // how many the pump needs to begin; 1 when 0
	Software   uint32        // 0x0D010203 when 0
	Now        func() time.Duration
}

// Front is a Sapphire as its serial line shows it.
type Front struct {
	o       Options
	m       front.Member
	serial  uint32
	scan    *wire.Scanner
	queries front.Queries
	counts  front.Counts
	rng     *rand.Rand
	frozen  []byte // the message that is repeated

	heard    int // heartbeats in a row
	heardAt  time.Duration
	next     time.Duration
	sequence byte
	locked   bool
	data     []byte
}

// New returns a front for one pump. The error names the option that no such pump can have.
func New(o Options, members []front.Member) (*Front, error) {
	if len(members) != 1 {
		return nil, fmt.Errorf("%d pumps on the line: this protocol carries one", len(members))
	}
	m := members[0]
	serial, err := strconv.ParseUint(m.Serial, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("serial number %q: known are whole numbers to 4294967295; simulators have 4290000000 to 4290099999", m.Serial)
	}
	if o.Every == 0 {
		o.Every = 200 * time.Millisecond
	}
	if o.Length == 0 {
		o.Length = wire.MinBatch
	}
	if o.Length < wire.MinBatch || o.Length > wire.MaxData || o.Every < 10*time.Millisecond {
		return nil, fmt.Errorf("a batch of %d bytes every %v: known %d to %d bytes, at least every 10ms", o.Length, o.Every, wire.MinBatch, wire.MaxData)
	}
	if o.Heartbeats == 0 {
		o.Heartbeats = 1
	}
	if o.Software == 0 {
		o.Software = 0x0D010203
	}
	if o.Now == nil {
		o.Now = m.Pump.Elapsed
	}
	return &Front{
		o: o, m: m, serial: uint32(serial), scan: wire.NewScanner(true), data: make([]byte, o.Length), heardAt: -listenTime,
		rng: rand.New(rand.NewPCG(serial, 1)),
	}, nil
}

// Handle implements front.Front: this pump answers nothing, it pushes.
func (f *Front) Handle(in []byte) []byte {
	for {
		var m wire.Message
		found, used := f.scan.Next(in, &m)
		in = in[used:]
		f.counts.BadFrames = f.scan.Bad()
		if found {
			f.take(&m)
			continue
		}
		if len(in) == 0 {
			return nil
		}
	}
}

func (f *Front) off() bool { return f.m.Pump.View().State == pumpmodel.Off }

func (f *Front) take(m *wire.Message) {
	f.counts.Received++
	f.queries.Add(fmt.Sprintf("type %d % X", m.Type, m.Data))
	if f.off() {
		return
	}
	if m.Type == wire.TypeCommand && len(m.Data) == 1 && m.Data[0] == wire.ThisIsPC {
		now := f.o.Now()
		if now-f.heardAt > listenTime {
			f.heard = 0
		}
		f.heardAt = now
		if f.heard++; f.heard == f.o.Heartbeats {
			f.next = now + Gap
		}
		return
	}
	f.command(m)
}

// Unsolicited implements front.Front: the batches that are due.
func (f *Front) Unsolicited() []byte {
	now := f.o.Now()
	if now-f.heardAt > listenTime && f.locked { // the client that locked it is gone
		f.locked = false
		_ = f.m.Pump.Stop() // a pump that stands still stays so
	}
	if f.heard < f.o.Heartbeats || now-f.heardAt > listenTime || f.off() {
		return nil
	}
	var out []byte
	if late := now - f.next - mostAtOnce*f.o.Every; late > 0 {
		skipped := int64(late/f.o.Every) + 1
		f.next += time.Duration(skipped * int64(f.o.Every))
		f.sequence += byte(skipped)
	}
	for ; f.next <= now; f.next += f.o.Every {
		out = append(out, f.message()...)
	}
	return out
}

// PushEvery says how often batches are due at present.
func (f *Front) PushEvery() time.Duration {
	if f.heard < f.o.Heartbeats || f.o.Now()-f.heardAt > listenTime {
		return 0
	}
	return f.o.Every
}

func (f *Front) message() []byte {
	if f.frozen != nil {
		return f.frozen
	}
	v := f.m.Pump.View()
	if f.o.Noise {
		for i := range f.data {
			f.data[i] = byte(f.rng.Uint32())
		}
	}
	b := wire.Batch{
		Software: f.o.Software, Serial: f.serial, DropSize: 250, Rate: uint16(math.Round(v.Rate * 10)),
		Delivered: uint32(math.Round(v.InfusedML * 100)), Remaining: uint32(math.Round(math.Max(0, v.Program.VTBIML-v.InfusedML) * 100)),
	}
	b.Put(f.data)
	m := wire.Message{Target: wire.PC, Sender: wire.Pump, Type: wire.TypeBatch, Sequence: f.sequence, Data: f.data}
	f.sequence++
	return m.Append(nil)
}

// Freeze implements front.Front: the pump repeats one message, its sequence number included.
func (f *Front) Freeze(_ string, on bool) {
	f.frozen = nil
	if on {
		f.frozen = f.message()
	}
}

// Received implements front.Front.
func (f *Front) Received() []string { return f.queries.List() }

// Counts implements front.Front.
func (f *Front) Counts() front.Counts { return f.counts }

var _ front.Front = (*Front)(nil)

// The commands, events and EEPROM places of known clients.
const (
	commandReset, commandAlarmsOff, commandBoot, commandBolus = 5, 19, 23, 24
	commandAlarmStatus, commandLock, commandRelease           = 44, 55, 56

	eventRun, eventBolus, eventPause, eventEnd, eventShutDown = 3, 8, 12, 16, 21

	placeMode, placeVTBI, placeRate = 22, 128, 144
)

// command does what a client asks beside its heartbeat. A real pump's answer is not known: there is none.
func (f *Front) command(m *wire.Message) {
	p := f.m.Pump
	var act func() error
	switch m.Type {
	case wire.TypeCommand:
		if len(m.Data) == 1 {
			act = map[byte]func() error{
				commandReset: p.Reboot, commandBoot: p.Reboot, commandAlarmsOff: p.Acknowledge, commandBolus: f.bolus,
				commandLock: func() error { f.locked = true; return nil }, commandRelease: func() error { f.locked = false; return nil },
			}[m.Data[0]]
		}
		if len(m.Data) == 1 && m.Data[0] == commandAlarmStatus { // a question, with an answer that nobody outside knows
			f.counts.Unknown++
			return
		}
	case wire.TypeEvent:
		if len(m.Data) == 1 {
			act = map[byte]func() error{eventRun: p.Run, eventPause: p.Pause, eventBolus: f.bolus, eventEnd: p.Stop, eventShutDown: p.PowerOff}[m.Data[0]]
		}
	case wire.TypeWriteEEPROM:
		act = f.write(m.Data)
	case wire.TypeReadEEPROM:
		f.counts.Unknown++
		return
	}
	f.counts.Control++
	if act == nil || act() != nil {
		f.counts.Unknown++
	}
}

func (f *Front) bolus() error { return f.m.Pump.GiveBolus(1, 125) }

// write is an EEPROM write: place and length big endian, then the value little endian.
func (f *Front) write(d []byte) func() error {
	if len(d) < 5 {
		return nil
	}
	n := int(binary.BigEndian.Uint16(d[2:]))
	if n < 1 || n > 4 || len(d) != 4+n {
		return nil
	}
	var value uint32
	for i, b := range d[4:] {
		value |= uint32(b) << (8 * i)
	}
	switch binary.BigEndian.Uint16(d) {
	case placeRate:
		return func() error { return f.m.Pump.SetRate(float64(value) / 10) }
	case placeVTBI:
		return func() error { return f.m.Pump.SetVTBI(float64(value) / 100) }
	case placeMode:
		return func() error { return nil }
	}
	return nil
}

// Physics returns the limits and resolutions of a Sapphire: 0.1 to 999 mL/h within 2.5 %.
func Physics() pumpmodel.Config {
	c := pumpmodel.Default()
	c.StrokeML, c.CounterStepML, c.RateStep, c.MaxRate = 0.01, 0.01, 0.1, 999
	c.SetSigma, c.SetCut = 0.0125, 0.025
	c.AirDetector = true
	c.BatteryMAH, c.IdleMA, c.MotorMAHPerML = 2200, 20, 0.55 // about a day at 125 mL/h
	return c
}

// Describe declares what a Sapphire is like.
func Describe() front.Info {
	return front.Info{
		Protocol: "sapphire", Models: "Q Core Sapphire (basic telemetry)", Baud: Baud, Gap: Gap, Serial: "4290000001",
		Announces: func(pumpmodel.Alarm) bool { return false },
		Physics:   Physics,
		CannotSay: []string{
			"any alarm", "whether it runs, apart from its flow rate", "the programmed rate while it stands still", "battery", "line pressure", "the drug", "anything that happened while nobody listened",
		},
	}
}
