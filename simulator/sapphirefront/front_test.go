package sapphirefront

import (
	"math/rand/v2"
	"testing"
	"time"

	"infusiond/drivers/sapphire/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

func newFront(t *testing.T, o Options) (*Front, *pumpmodel.Pump) {
	t.Helper()
	pump, err := pumpmodel.New(Physics(), pumpmodel.Setup{Program: pumpmodel.Program{Rate: 5, VTBIML: 100}}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(o, []front.Member{{Pump: pump, Serial: "4290000001"}})
	if err != nil {
		t.Fatal(err)
	}
	return f, pump
}

// pushed lets time pass and returns the batches that come.
func pushed(t *testing.T, f *Front, pump *pumpmodel.Pump, d time.Duration) []wire.Batch {
	t.Helper()
	pump.Advance(d)
	s := wire.NewScanner(true)
	var all []wire.Batch
	in := f.Unsolicited()
	for {
		var m wire.Message
		found, used := s.Next(in, &m)
		in = in[used:]
		if !found {
			return all
		}
		var b wire.Batch
		if err := b.Decode(&m); err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
}

func TestPushesWhileItHearsAPC(t *testing.T) {
	f, pump := newFront(t, Options{Heartbeats: 2})
	if got := pushed(t, f, pump, time.Second); len(got) != 0 || f.PushEvery() != 0 {
		t.Errorf("%d batches before a heartbeat", len(got))
	}
	f.Handle(wire.Heartbeat(nil, 0))
	if got := pushed(t, f, pump, time.Second); len(got) != 0 {
		t.Errorf("%d batches after one heartbeat of two", len(got))
	}
	f.Handle(wire.Heartbeat(nil, 1))
	if err := pump.Run(); err != nil {
		t.Fatal(err)
	}
	got := pushed(t, f, pump, time.Minute/2)
	if len(got) == 0 || len(got) > mostAtOnce+1 {
		t.Fatalf("%d batches", len(got))
	}
	if b := got[len(got)-1]; b.Serial != 4290000001 || b.Rate != 50 || b.Remaining+b.Delivered != 10000 || b.Delivered == 0 {
		t.Errorf("batch %+v", b)
	}
	if got := pushed(t, f, pump, time.Second); len(got) != 0 {
		t.Errorf("%d batches after 31 s without a heartbeat", len(got))
	}
	if c := f.Counts(); c.Control != 0 || c.Received != 2 {
		t.Errorf("counts %+v", c)
	}
}

// Vectors Q6 to Q8 of the protocol document, and what a known client sends.
func TestControlMessagesActAndAreCounted(t *testing.T) {
	f, pump := newFront(t, Options{})
	send := func(kind byte, data ...byte) {
		m := wire.Message{Target: wire.Pump, Sender: wire.PC, Type: kind, Data: data}
		f.Handle(m.Append(nil))
	}
	send(wire.TypeWriteEEPROM, 0, 0x90, 0, 2, 0x7B, 0)
	send(wire.TypeEvent, eventRun)
	if v := pump.View(); v.State != pumpmodel.Running || v.Rate != 12.3 {
		t.Errorf("state %v, rate %v", v.State, v.Rate)
	}
	send(wire.TypeEvent, eventPause)
	if s := pump.View().State; s != pumpmodel.Paused {
		t.Errorf("state %v after pause", s)
	}
	send(wire.TypeCommand, 99)
	if c := f.Counts(); c.Control != 4 || c.Unknown != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestFrozenPumpRepeatsOneMessage(t *testing.T) {
	f, pump := newFront(t, Options{Noise: true, Length: 200})
	f.Handle(wire.Heartbeat(nil, 0))
	f.Freeze("", true)
	pump.Advance(2 * time.Second)
	out := f.Unsolicited()
	n := len(out) / 2
	if n == 0 || string(out[:209]) != string(out[209:418]) {
		t.Errorf("%d bytes that do not repeat", len(out))
	}
}
