package sapphire

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/sapphire/wire"
)

type talk struct {
	t    *testing.T
	port *drivertest.Port
	conn drivers.Conn
}

func open(t *testing.T, p *pump, settings map[string]string) *talk {
	t.Helper()
	d := driver(t, settings)
	port := drivertest.NewPort(d.Profile(), p.respond)
	conn, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &talk{t, port, conn}
}

func (k *talk) poll() ([]drivers.Report, error) {
	k.port.Advance(5 * time.Second)
	return drivers.Collect(k.t.Context(), k.conn)
}

func (k *talk) one() drivers.Report {
	k.t.Helper()
	reports, err := k.poll()
	if err != nil || len(reports) != 1 {
		k.t.Fatalf("%d reports, %v", len(reports), err)
	}
	return reports[0]
}

// Covers GW-22, GW-26.
func TestReportHoldsSixFieldsAndClaimsNoMore(t *testing.T) {
	want := drivers.Report{
		Identity: drivers.Identity{Serial: "4290012345", Model: "Q Core Sapphire", Firmware: "0D010203"}, State: drivers.RunInfusing,
		PumpReportedRate: drivers.Number(50, -1, drivers.MilliliterPerHour), VTBIRemaining: drivers.Number(9877, -2, drivers.Milliliter),
		VolumeInfused: drivers.Number(123, -2, drivers.Milliliter), VTBI: drivers.Number(10000, -2, drivers.Milliliter),
		Uncertain:    []string{"PumpReportedRate", "State", "VolumeInfused", "VTBI", "VTBIRemaining"},
		AlarmsReason: "this pump's alarms cannot be read with what is public of its protocol",
	}
	if diff := cmp.Diff(want, open(t, newPump(t), nil).one()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Never later than 30 s at any poll interval up to 15 s, and not more often than every 10 s while batches come.
func TestHeartbeatTiming(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 5 * time.Second, 7 * time.Second, 15 * time.Second} {
		p := newPump(t)
		var beats []time.Duration
		d := driver(t, nil)
		var port *drivertest.Port
		port = drivertest.NewPort(d.Profile(), func(query []byte) []byte {
			beats = append(beats, port.Now())
			if len(beats) > 1 {
				return nil // what the pump pushes comes by itself
			}
			return p.respond(query)
		})
		conn, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			port.Advance(interval)
			port.Inject(drivertest.Piece{After: 50 * time.Millisecond, Bytes: slices.Concat(p.message(), p.message())})
			if _, err := drivers.Collect(t.Context(), conn); err != nil {
				t.Fatalf("interval %v: %v", interval, err)
			}
		}
		for i := 1; i < len(beats); i++ {
			if gap := beats[i] - beats[i-1]; gap > 30*time.Second || gap < heartbeatEvery {
				t.Errorf("interval %v: %v between two heartbeats", interval, gap)
			}
		}
		if len(beats) < 2 {
			t.Errorf("interval %v: %d heartbeats", interval, len(beats))
		}
	}
}

// What piled up between two cycles is older than the cycle and not used.
func TestBacklogIsDropped(t *testing.T) {
	p := newPump(t)
	k := open(t, p, nil)
	k.one()
	old := p.batch
	p.batch.Delivered, p.batch.Remaining = old.Delivered-100, old.Remaining+100
	k.port.Inject(drivertest.Piece{Bytes: slices.Concat(p.message(), p.message(), p.message()[:90])})
	p.batch = old
	if r := k.one(); r.VolumeInfused.Decimal() != "1.23" {
		t.Errorf("volume %s", r.VolumeInfused.Decimal())
	}
}

// Two different batches must agree.
func TestTwoBatchesMustAgree(t *testing.T) {
	change := func(f func(b *wire.Batch)) wire.Batch {
		b := newPump(t).batch
		f(&b)
		return b
	}
	for _, row := range []struct {
		name   string
		second wire.Batch
		agree  bool
	}{
		{"the same", newPump(t).batch, true},
		{"a little delivered", change(func(b *wire.Batch) { b.Delivered, b.Remaining = b.Delivered+3, b.Remaining-3 }), true},
		{"much delivered", change(func(b *wire.Batch) { b.Delivered, b.Remaining = b.Delivered+101, b.Remaining-101 }), false},
		{"taken back", change(func(b *wire.Batch) { b.Delivered, b.Remaining = b.Delivered-1, b.Remaining+1 }), false},
		{"another total", change(func(b *wire.Batch) { b.Remaining++ }), false},
		{"another rate", change(func(b *wire.Batch) { b.Rate++ }), false},
		{"another serial number", change(func(b *wire.Batch) { b.Serial++ }), false},
		{"another software", change(func(b *wire.Batch) { b.Software++ }), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPump(t)
			k := open(t, p, nil)
			beats := 0
			k.port.SetPump(func([]byte) []byte {
				if beats++; beats > 1 {
					return nil
				}
				a := p.message()
				p.batch = row.second
				return slices.Concat(a, p.message())
			})
			k.port.Advance(time.Minute)
			reports, err := k.poll()
			if row.agree != (err == nil && len(reports) == 1) || !row.agree && !errors.Is(err, drivers.ErrMismatch) {
				t.Errorf("%d reports, %v", len(reports), err)
			}
		})
	}
}

// Frozen data: a pump that repeats one message gives no report.
func TestARepeatedSequenceNumberGivesNoReport(t *testing.T) {
	p := newPump(t)
	k := open(t, p, nil)
	k.one()
	p.stuck = true
	k.port.Advance(time.Minute)
	if reports, err := k.poll(); !errors.Is(err, drivers.ErrMismatch) || len(reports) > 0 {
		t.Errorf("%d reports, %v", len(reports), err)
	}
	p.stuck = false
	k.one()
}

func TestAnotherPumpWithinASession(t *testing.T) {
	k := open(t, newPump(t), nil)
	k.one()
	k.port.SetPump(otherPump(t).respond)
	k.port.Advance(time.Minute)
	if reports, err := k.poll(); !errors.Is(err, drivers.ErrIdentity) || len(reports) > 0 {
		t.Errorf("%d reports, %v", len(reports), err)
	}
	if r := k.one(); r.Identity.Serial != "4290000001" || r.State != drivers.RunStopped || r.PumpReportedRate.Decimal() != "0.0" {
		t.Errorf("the next cycle: %+v", r)
	}
}

func TestChecksums(t *testing.T) {
	p := newPump(t)
	spoiled := func(query []byte) []byte {
		out := p.respond(query)
		n := len(out) / 3
		for i := range 3 {
			out[(i+1)*n-1]++
		}
		return out
	}
	d := driver(t, nil)
	port := drivertest.NewPort(d.Profile(), spoiled)
	if _, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now}); !errors.Is(err, drivers.ErrChecksum) || !strings.Contains(err.Error(), "verify_checksum") {
		t.Errorf("no checksum agrees: %v", err)
	}
	d = driver(t, map[string]string{"verify_checksum": "off"})
	port = drivertest.NewPort(d.Profile(), spoiled)
	conn, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now})
	if err != nil {
		t.Fatal(err)
	}
	k := &talk{t, port, conn}
	if r := k.one(); !slices.Contains(r.Uncertain, "Identity") || r.PumpReportedRate.Decimal() != "5.0" {
		t.Errorf("unverified: %+v", r)
	}
}

func TestLengthsAndRanges(t *testing.T) {
	p := newPump(t)
	k := open(t, p, nil)
	k.port.SetPump(func([]byte) []byte {
		m := wire.Message{Target: wire.PC, Sender: wire.Pump, Type: wire.TypeBatch, Data: make([]byte, 170)}
		return slices.Concat(m.Append(nil), m.Append(nil))
	})
	k.port.Advance(time.Minute)
	if _, err := k.poll(); !errors.Is(err, drivers.ErrUnsupported) {
		t.Errorf("short batches: %v", err)
	}
	p.batch.Rate, p.batch.Remaining = 9991, 1_000_000
	k.port.SetPump(p.respond)
	if r := k.one(); r.PumpReportedRate.Valid || r.State != drivers.RunUnknown || r.VTBI.Valid || len(r.Unavailable) != 2 {
		t.Errorf("beyond the pump: %+v", r)
	}
}

func TestSettings(t *testing.T) {
	if d := driver(t, map[string]string{"baud": "115200"}); d.Profile().Line.Baud != 115200 {
		t.Errorf("baud %d", d.Profile().Line.Baud)
	}
	for _, settings := range []map[string]string{{"baud": "300"}, {"verify_checksum": "maybe"}, {"colour": "red"}} {
		if _, err := New(settings); err == nil {
			t.Errorf("%v is accepted", settings)
		}
	}
}

// Covers GW-25.
func TestExplainCoversEveryByteOnce(t *testing.T) {
	p := newPump(t)
	stream := slices.Concat([]byte{1, 2, 0xBB, 3}, p.message(), wire.Heartbeat(nil, 9), p.message()[:50])
	at := 0
	all := driver(t, nil).(drivers.Explainer).Explain(drivers.FromPump, stream)
	for _, e := range all {
		if e.Offset != at || len(e.Bytes) == 0 {
			t.Errorf("%q at %d, want %d", e.Name, e.Offset, at)
		}
		for _, f := range e.Fields {
			if f.Offset+f.Length > len(e.Bytes) {
				t.Errorf("%q: field %+v", e.Name, f)
			}
			if f.Name == "flow_rate_ml_per_h" && f.Value != "5.0" {
				t.Errorf("flow rate %s", f.Value)
			}
		}
		at += len(e.Bytes)
	}
	if at != len(stream) || len(all) != 4 {
		t.Errorf("%d of %d bytes in %d pieces", at, len(stream), len(all))
	}
}
