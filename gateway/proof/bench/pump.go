package main

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"infusiond/drivers/miva/wire"
	"infusiond/gateway/proof/parts"
	"infusiond/simulator/line"
	"infusiond/simulator/mivafront"
	"infusiond/simulator/pumpmodel"
)

const serial = "SIM00001"

// pump is a simulated MIVA on a pseudo-terminal. It notes when the log record of an alarm leaves,
// and when the cycle that read it ends: with the next serial number.
type pump struct {
	address string

	mu       sync.Mutex // guards what follows
	model    *pumpmodel.Pump
	front    *mivafront.Front
	began    time.Time
	advanced time.Duration
	sending  wire.Query // the answer on its way, if it counts here
	alarm    time.Time  // last byte of the newest alarm record
	cycle    time.Time  // last byte of the serial number after it
}

// startPump starts a running pump whose line is a pseudo-terminal of 9600 baud.
func startPump(t parts.TB, link string, seed uint64) *pump {
	t.Helper()
	physics := pumpmodel.Default()
	physics.StrokeML, physics.CounterStepML = 0.01, 0.01
	model, err := pumpmodel.New(physics, pumpmodel.Setup{Program: pumpmodel.Program{Name: "DAILY 1", Rate: 1.11, VTBIML: 100}},
		rand.New(rand.NewPCG(seed, 1)))
	if err == nil {
		err = model.Run()
	}
	if err != nil {
		t.Fatalf("make the pump: %v", err)
	}
	front, err := mivafront.New(model, mivafront.Options{Serial: serial})
	if err != nil {
		t.Fatalf("make the pump: %v", err)
	}
	p := &pump{model: model, front: front, began: time.Now()}
	pty, err := line.OpenPty(link, line.Pace{Baud: mivafront.Baud, Gap: mivafront.Gap})
	if err != nil {
		t.Fatalf("make the pump's line: %v", err)
	}
	p.address = pty.Address()
	ended := make(chan error, 1)
	go func() { ended <- pty.Run(t.Context(), p) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil { // its context ended before
			t.Errorf("pump: %v", err)
		}
	})
	return p
}

// Exchange implements line.Pump.
func (p *pump) Exchange(in []byte) ([]byte, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.catchUp()
	out := p.front.Handle(in)
	p.sending = kind(out)
	return out, 0
}

// Unsolicited implements line.Pump.
func (p *pump) Unsolicited() []byte { return nil }

// Leaves implements line.Witness.
func (p *pump) Leaves(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.sending == wire.LogRecord:
		p.alarm, p.cycle = at, time.Time{}
	case p.sending == wire.Serial && p.cycle.IsZero():
		p.cycle = at
	}
}

// kind is LogRecord for the record of an occlusion, Serial for a serial number, otherwise NoQuery.
func kind(frame []byte) wire.Query {
	payload, err := wire.DecodeFrame(frame, wire.Sum)
	if err != nil {
		return wire.NoQuery
	}
	var r wire.Reply
	if wire.Decode(payload, wire.Serial, &r) == nil {
		return wire.Serial
	}
	if wire.Decode(payload, wire.LogRecord, &r) == nil {
		if e := r.Record.Event(); e.Type == wire.EventOcclusion && e.Low() == 2 {
			return wire.LogRecord
		}
	}
	return wire.NoQuery
}

func (p *pump) catchUp() {
	now := time.Since(p.began)
	p.model.Advance(now - p.advanced)
	p.advanced = now
}

// occlude makes the pump alarm.
func (p *pump) occlude() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.catchUp()
	return p.model.Inject(pumpmodel.AlarmOcclusionDownstream, 0)
}

// restart acknowledges at the pump and starts it again, which ends the alarm.
func (p *pump) restart() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.catchUp()
	return errors.Join(p.model.Acknowledge(), p.model.Run())
}

// marks are the moments of the newest alarm.
func (p *pump) marks() (alarm, cycle time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alarm, p.cycle
}
