package miva

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

func marker(which uint8) wire.Record {
	return wire.Event{Type: wire.EventInfusionData, Stamp: wire.SecondsStamp(50), Subtype: uint16(which) << 8}.Record()
}

func shortData() []wire.Record {
	data := wire.Program{Number: 2, Rate: 1.11, VTBI: 100, ExtraDose: 0.25, Lockout: 600}.Records()
	return []wire.Record{marker(wire.DataBegin), data[0], data[1], marker(wire.DataEnd)}
}

// longData is a block whose data would read as alarms, were it read as events.
func longData() []wire.Record {
	var p wire.LongProgram
	for i := range p.Raw {
		p.Raw[i] = 9
	}
	p.Raw[93], p.Raw[97] = 0, 0
	p.SetName("HOME")
	p.SetDrug("MILRINONE")
	p.SetValue(wire.SwitchRate, 1.11)
	data := p.Records()
	return append(append([]wire.Record{marker(wire.DataBegin)}, data[:]...), marker(wire.DataEnd))
}

func TestProgramDataIsNeverAnEvent(t *testing.T) {
	run := rec(wire.EventRun, 1, 0)
	rows := []struct {
		name    string
		log     []wire.Record
		records int
		drug    string
		text    string
	}{
		{"two records", append([]wire.Record{run}, shortData()...), 5, "", "Daily 1"},
		{"sixteen records", append([]wire.Record{run}, longData()...), 19, "MILRINONE", `"HOME"`},
		{"both, and more behind", append(append(append([]wire.Record{run}, longData()...), shortData()...), rec(wire.EventDebug, 60, 0)), 24, "MILRINONE", "Daily 1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for _, live := range []bool{false, true} {
				p := withLog(t, wire.RingSize-7, run)
				k := open(t, p, nil, nil)
				var got []drivers.LogRecord
				drug := ""
				if live { // the block is written while the session stands
					r := k.poll()
					got = append(got, r.Log...)
				}
				p.add(row.log[1:]...)
				r := k.poll()
				got = append(got, r.Log...)
				drug = r.DrugName
				if len(got) != row.records || len(r.Alarms) != 0 || !r.AlarmsKnown || drug != row.drug {
					t.Errorf("live %v: log %q, alarms %v (known %v), drug %q", live, codes(got), r.Alarms, r.AlarmsKnown, drug)
				}
				texts := fmt.Sprintf("%+v", got)
				if !strings.Contains(texts, row.text) {
					t.Errorf("live %v: no text holds %s", live, row.text)
				}
				for _, record := range got {
					if record.Name == "infusion_data_begin" && record.Values["rate_ml_per_h"] != drivers.Number(111, -2, drivers.MilliliterPerHour) {
						t.Errorf("live %v: values %+v", live, record.Values)
					}
				}
			}
		})
	}
}

func TestUnfinishedProgramDataWaits(t *testing.T) {
	for _, block := range [][]wire.Record{shortData(), longData()} {
		p := withLog(t, 0, rec(wire.EventRun, 1, 0))
		k := open(t, p, nil, nil)
		k.poll()
		for i, record := range block {
			p.add(record)
			r := k.poll()
			complete := i == len(block)-1
			if r.LogSeen != complete || r.AlarmsKnown != complete || len(r.Alarms) != 0 || (len(r.Log) > 0) != complete {
				t.Fatalf("after record %d of %d: seen %v, log %q", i, len(block), r.LogSeen, codes(r.Log))
			}
			// A session that starts in the middle waits as well.
			fresh := open(t, p, nil, nil).poll()
			if fresh.LogSeen != complete || len(fresh.Alarms) != 0 {
				t.Fatalf("new session after record %d of %d: seen %v, alarms %v", i, len(block), fresh.LogSeen, fresh.Alarms)
			}
		}
	}
}

// Covers GW-19.
func TestProgramDataWithoutAnEndLeavesAlarmsUnknown(t *testing.T) {
	block := longData()[:10] // the pump lost power while it wrote
	p := withLog(t, 0, append([]wire.Record{rec(wire.EventRun, 1, 0)}, block...)...)
	for i := range 20 {
		p.add(rec(wire.EventDebug, uint32(100+i), 0))
	}
	k := open(t, p, nil, nil)
	r := k.poll()
	if r.AlarmsKnown || len(r.Alarms) != 0 || len(r.Log) != 31 {
		t.Errorf("alarms known %v: %v, %d records", r.AlarmsKnown, r.Alarms, len(r.Log))
	}
	p.add(rec(wire.EventPaused, 200, 0))
	if r = k.poll(); !r.AlarmsKnown || len(r.Alarms) != 0 {
		t.Errorf("a pause settles: known %v, alarms %v", r.AlarmsKnown, r.Alarms)
	}
}

// Random logs of events and blocks, read from any start and in any portions, give the
// same records as were written, each once, and the alarms of the last run on.
// Covers GW-18.
func TestRandomLogsAreReadOnceAndInOrder(t *testing.T) {
	const seed = 20260314
	for round := range 60 {
		rng := rand.New(rand.NewPCG(seed, uint64(round)))
		p := withLog(t, uint32(rng.IntN(wire.RingSize)), rec(wire.EventRun, 1, 0))
		k := open(t, p, nil, map[string]string{"log_readback": "18"})
		written, got, stored := 1, 0, ""
		count := func(r drivers.Report) {
			got += len(r.Log)
			stored = r.Anchor
			if len(r.LogGaps) > 0 {
				t.Fatalf("seed %d round %d: gaps %+v", seed, round, r.LogGaps)
			}
		}
		count(k.poll())
		for range 30 {
			var batch []wire.Record
			switch rng.IntN(4) {
			case 0:
				batch = shortData()
			case 1:
				batch = longData()
			case 2:
				batch = []wire.Record{rec(wire.EventRun, 5, 0)}
			case 3:
				for range rng.IntN(60) {
					batch = append(batch, rec(wire.EventDebug, rng.Uint32N(1000), 0))
				}
			}
			p.add(batch...)
			written += len(batch)
			if rng.IntN(3) == 0 {
				k = open(t, p, map[string]string{"SIM00001": stored}, nil)
			}
			count(k.poll())
		}
		for range 40 {
			count(k.poll())
		}
		r := k.poll()
		if got != written || !r.LogSeen || len(r.Alarms) != 0 || !r.AlarmsKnown {
			t.Errorf("seed %d round %d: %d records of %d, seen %v, alarms %v", seed, round, got, written, r.LogSeen, r.Alarms)
		}
	}
}
