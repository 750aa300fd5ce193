package sapphire

import (
	"slices"
	"testing"

	"infusiond/drivers"
	"infusiond/drivers/sapphire/wire"
)

// pump is a scripted pump: a heartbeat is answered by three batches.
type pump struct {
	t        testing.TB
	batch    wire.Batch
	sequence byte
	stuck    bool // it repeats one sequence number
}

func (p *pump) message() []byte {
	data := make([]byte, 180)
	for i := range data {
		data[i] = byte(i * 7)
	}
	p.batch.Put(data)
	m := wire.Message{Target: wire.PC, Sender: wire.Pump, Type: wire.TypeBatch, Sequence: p.sequence, Data: data}
	if !p.stuck {
		p.sequence++
	}
	return m.Append(nil)
}

func (p *pump) respond(query []byte) []byte {
	var m wire.Message
	if err := wire.DecodeMessage(query, true, &m); err != nil || m.Type != wire.TypeCommand || !slices.Equal(m.Data, []byte{wire.ThisIsPC}) {
		p.t.Fatalf("the pump received % X: %v", query, err)
	}
	return slices.Concat(p.message(), p.message(), p.message())
}

func newPump(t testing.TB) *pump {
	return &pump{t: t, batch: wire.Batch{Software: 0x0D010203, Serial: 4290012345, DropSize: 250, Rate: 50, Remaining: 9877, Delivered: 123}, sequence: 250}
}

func otherPump(t testing.TB) *pump {
	return &pump{t: t, batch: wire.Batch{Software: 0x0D010204, Serial: 4290000001, DropSize: 260, Rate: 0, Remaining: 400, Delivered: 777}, sequence: 7}
}

func driver(t testing.TB, settings map[string]string) drivers.Driver {
	t.Helper()
	d, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
