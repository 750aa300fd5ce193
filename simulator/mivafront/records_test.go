package mivafront

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers/miva/wire"
	"infusiond/simulator/pumpmodel"
)

// indices reads RI.
func indices(t *testing.T, f *Front) (tail, head uint32) {
	t.Helper()
	var r wire.Reply
	if err := wire.Decode([]byte(ask(t, f, "RI")), wire.LogIndices, &r); err != nil {
		t.Fatal(err)
	}
	return r.N[0], r.N[1]
}

func record(t *testing.T, f *Front, index uint32) wire.Record {
	t.Helper()
	var r wire.Reply
	query := string(wire.AppendQuery(nil, wire.LogRecord, index))
	if err := wire.Decode([]byte(ask(t, f, query)), wire.LogRecord, &r); err != nil {
		t.Fatal(err)
	}
	if r.Index != index {
		t.Fatalf("asked for %d, got %d", index, r.Index)
	}
	return r.Record
}

func TestInfusionBeginsWithProgramData(t *testing.T) {
	f, p := newFront(t, Options{})
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	tail, head := indices(t, f)
	if tail != 0 || head != 5 {
		t.Fatalf("tail %d head %d, want 0 and 5: power on, begin, two of data, end, run", tail, head)
	}
	begin, end := record(t, f, 1).Event(), record(t, f, 4).Event()
	if begin.Type != wire.EventInfusionData || begin.High() != wire.DataBegin || end.Type != wire.EventInfusionData || end.High() != wire.DataEnd {
		t.Errorf("markers %+v and %+v", begin, end)
	}
	program := wire.DecodeProgram([2]wire.Record{record(t, f, 2), record(t, f, 3)})
	if d := cmp.Diff(wire.Program{Number: 2, Rate: 1.11, VTBI: 100}, program); d != "" {
		t.Error(d)
	}
	if e := record(t, f, 5).Event(); e.Type != wire.EventRun || e.Seconds() != 74752 {
		t.Errorf("run record %+v at %d s", e, e.Seconds())
	}
	if r := record(t, f, 6); !r.Blank() {
		t.Errorf("record beyond the head: %x, want blank flash", r)
	}
}

func TestLongProgramNamesTheDrug(t *testing.T) {
	f, p := newFront(t, Options{LongProgram: true, Drug: "milrinone 200"})
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if _, head := indices(t, f); head != 19 {
		t.Fatalf("head %d, want 19: power on, begin, 16 of data, end, run", head)
	}
	var data [16]wire.Record
	for i := range data {
		data[i] = record(t, f, uint32(2+i))
	}
	program := wire.DecodeLongProgram(data)
	rate, known := program.Value(wire.SwitchRate)
	if program.Drug() != "milrinone" || program.Name() != "DAILY 1" || !known || rate != 1.11 {
		t.Errorf("drug %q, name %q, rate %v %v", program.Drug(), program.Name(), rate, known)
	}
}

// TestRingWraps fills the ring and goes on: the indices wrap, the oldest records go.
func TestRingWraps(t *testing.T) {
	f, p := newFront(t, Options{LogStart: wire.RingSize - 2, LogFill: 1})
	tail, head := indices(t, f)
	if tail != wire.RingSize-2 || head != wire.RingSize-1 {
		t.Fatalf("tail %d head %d", tail, head)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if tail, head = indices(t, f); tail != wire.RingSize-2 || head != 4 {
		t.Errorf("after the wrap: tail %d head %d, want %d and 4", tail, head, wire.RingSize-2)
	}
	full, p2 := newFront(t, Options{LogFill: wire.RingSize})
	if tail, head := indices(t, full); tail != 1 || head != 0 {
		t.Errorf("full ring: tail %d head %d, want 1 and 0 (the power-on record)", tail, head)
	}
	if err := p2.Run(); err != nil {
		t.Fatal(err)
	}
	if tail, head := indices(t, full); tail != 6 || head != 5 {
		t.Errorf("full ring after a start: tail %d head %d, want 6 and 5", tail, head)
	}
	if e := record(t, full, 5).Event(); e.Type != wire.EventRun {
		t.Errorf("head record %+v", e)
	}
}

func TestBlankRecords(t *testing.T) {
	f, p := newFront(t, Options{})
	f.AppendBlank(3)
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if _, head := indices(t, f); head != 8 {
		t.Errorf("head %d, want 8", head)
	}
	for i := uint32(1); i <= 3; i++ {
		if !record(t, f, i).Blank() {
			t.Errorf("record %d is not blank", i)
		}
	}
}

// TestEveryEventHasItsRecord maps each kind of event to type and subtype of section 5.5.
func TestEveryEventHasItsRecord(t *testing.T) {
	type record struct {
		Type    wire.EventType
		Subtype uint16
	}
	for _, row := range []struct {
		event pumpmodel.Event
		want  []record
	}{
		{pumpmodel.Event{Kind: pumpmodel.KindRun}, []record{{1, 0}}},
		{pumpmodel.Event{Kind: pumpmodel.KindPause}, []record{{2, 0}}},
		{pumpmodel.Event{Kind: pumpmodel.KindComplete}, []record{{3, 0}}},
		{pumpmodel.Event{Kind: pumpmodel.KindReservoirEmpty}, []record{{3, 0}}},
		{pumpmodel.Event{Kind: pumpmodel.KindLimit}, []record{{4, 1}}},
		{pumpmodel.Event{Kind: pumpmodel.KindBolus}, []record{{6, 0x0200}}},
		{pumpmodel.Event{Kind: pumpmodel.KindOcclusion, Code: 1}, []record{{9, 1}}},
		{pumpmodel.Event{Kind: pumpmodel.KindOcclusion, Code: 2}, []record{{9, 2}}},
		{pumpmodel.Event{Kind: pumpmodel.KindOcclusionEnd}, []record{{9, 4}}},
		{pumpmodel.Event{Kind: pumpmodel.KindServiceDue}, []record{{11, 2}}},
		{pumpmodel.Event{Kind: pumpmodel.KindBattery, Code: uint16(pumpmodel.BatteryMedium)}, []record{{13, 1}}},
		{pumpmodel.Event{Kind: pumpmodel.KindBattery, Code: uint16(pumpmodel.BatteryLow)}, []record{{13, 2}}},
		{pumpmodel.Event{Kind: pumpmodel.KindBattery, Code: uint16(pumpmodel.BatteryEmpty)}, []record{{13, 4}}},
		{pumpmodel.Event{Kind: pumpmodel.KindBattery, Code: uint16(pumpmodel.BatteryNew)}, []record{{13, 64}}},
		{pumpmodel.Event{Kind: pumpmodel.KindDetached}, []record{{14, 0}}},
		{pumpmodel.Event{Kind: pumpmodel.KindPowerOff}, []record{{16, 0}}},
		{pumpmodel.Event{Kind: pumpmodel.KindFault, Code: 512}, []record{{18, 512}}},
		{pumpmodel.Event{Kind: pumpmodel.KindUnattended}, []record{{21, 0}}},
		{pumpmodel.Event{Kind: pumpmodel.KindSetting, Code: uint16(pumpmodel.SettingRate)}, []record{{22, 1}}},
		{pumpmodel.Event{Kind: pumpmodel.KindSetting, Code: uint16(pumpmodel.SettingVTBI)}, []record{{22, 4}}},
		{pumpmodel.Event{Kind: pumpmodel.KindBolusEnd}, []record{{23, 1}}},
		{pumpmodel.Event{Kind: pumpmodel.KindPowerOn, Code: uint16(pumpmodel.BatteryLow)}, []record{{24, 3}}},
		{pumpmodel.Event{Kind: pumpmodel.KindBatteryDepleted}, []record{{28, 0}}},
		{pumpmodel.Event{Kind: pumpmodel.KindBatteryLow}, []record{{30, 0}}},
		{pumpmodel.Event{Kind: pumpmodel.KindAir}, nil}, // no word for it
	} {
		f, _ := newFront(t, Options{})
		row.event.Clock = 100 * time.Second
		before := f.log.held
		f.write(row.event)
		var got []record
		for i := before; i < f.log.held; i++ {
			e := f.log.at(i).Event()
			if e.Seconds() != 100 {
				t.Errorf("%v: at %d s, want 100", row.event.Kind, e.Seconds())
			}
			got = append(got, record{e.Type, e.Subtype})
		}
		if d := cmp.Diff(row.want, got); d != "" {
			t.Errorf("%v code %d: %s", row.event.Kind, row.event.Code, d)
		}
	}
}

// TestOcclusionAsTheLogTellsIt runs the physics and reads the log alone, as a gateway must.
func TestOcclusionAsTheLogTellsIt(t *testing.T) {
	f, p := newFront(t, Options{})
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	p.Advance(time.Hour)
	_, before := indices(t, f)
	if err := p.Pressurise(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	p.Advance(20 * time.Second)
	if got := ask(t, f, ":INFU:RUN?"); got != "FALSE" {
		t.Errorf("running %q", got)
	}
	p.Release()
	p.Advance(30 * time.Second)
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	_, head := indices(t, f)
	var got []wire.EventType
	for i := before + 1; i <= head; i++ {
		got = append(got, record(t, f, i).Event().Type)
	}
	if d := cmp.Diff([]wire.EventType{wire.EventOcclusion, wire.EventOcclusion, wire.EventRun}, got); d != "" {
		t.Error(d)
	}
}
