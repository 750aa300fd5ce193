package sapphire

import (
	"errors"
	"slices"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/sapphire/wire"
)

// A short batch of an earlier cycle is not the reason of today's silence.
func TestSilenceAfterAShortBatchIsSilence(t *testing.T) {
	p := newPump(t)
	k := open(t, p, nil)
	k.port.SetPump(func([]byte) []byte {
		m := wire.Message{Target: wire.PC, Sender: wire.Pump, Type: wire.TypeBatch, Data: make([]byte, 170)}
		return m.Append(nil)
	})
	k.port.Advance(time.Minute)
	if _, err := k.poll(); !errors.Is(err, drivers.ErrUnsupported) {
		t.Fatalf("short batches: %v", err)
	}
	k.port.SetPump(func([]byte) []byte { return nil })
	if _, err := k.poll(); !errors.Is(err, drivers.ErrSilent) || errors.Is(err, drivers.ErrUnsupported) {
		t.Errorf("silence: %v", err)
	}
}

// What is left and what was delivered make the VTBI: it has the same greatest value.
func TestATotalBeyondThePumpIsAbsent(t *testing.T) {
	p := newPump(t)
	p.batch.Remaining, p.batch.Delivered = 999_999, 1
	if r := open(t, p, nil).one(); r.VTBI.Valid || r.VTBIRemaining.Valid || r.VolumeInfused.Valid || len(r.Unavailable) != 1 {
		t.Errorf("%+v", r)
	}
	p = newPump(t)
	p.batch.Remaining, p.batch.Delivered = 999_998, 1
	if r := open(t, p, nil).one(); r.VTBI.Decimal() != "9999.99" {
		t.Errorf("%+v", r.VTBI)
	}
}

// A message that lost bytes does not hide the good ones behind it.
func TestExplainFindsTheMessageBehindABrokenOne(t *testing.T) {
	p := newPump(t)
	for lost := 1; lost < 120; lost += 17 {
		broken := p.message()
		stream := slices.Concat(broken[:20], broken[20+lost:], p.message(), p.message())
		list := explainer(t).Explain(drivers.FromPump, stream)
		covered(t, list, stream)
		good := 0
		for _, e := range list {
			if e.Err == nil {
				good++
			}
		}
		if good != 2 {
			t.Errorf("%d bytes lost: %d good messages of 2", lost, good)
		}
	}
}
