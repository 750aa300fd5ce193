package miva

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

func explain(t testing.TB, d drivers.Direction, b []byte) []drivers.Explained {
	t.Helper()
	e, ok := driver(t, nil).(drivers.Explainer)
	if !ok {
		t.Fatal("the driver explains nothing")
	}
	return e.Explain(d, b)
}

func recordFrame(index uint32, r wire.Record) []byte {
	payload, err := wire.AppendReply(nil, &wire.Reply{Query: wire.LogRecord, Index: index, Record: r})
	if err != nil {
		panic(err)
	}
	return frame(string(payload))
}

// short lists name, value and note of each field.
func short(e drivers.Explained) []string {
	var all []string
	for _, f := range e.Fields {
		all = append(all, strings.TrimSpace(f.Name+"="+f.Value+" "+f.Note))
	}
	return all
}

func TestExplainValues(t *testing.T) {
	for _, row := range []struct {
		name      string
		direction drivers.Direction
		payload   string
		want      string
		fields    []string
	}{
		{"query (M11)", drivers.ToPump, "Q5", "query Q5: volume infused", []string{"query=Q5"}},
		{"query of a record (M5)", drivers.ToPump, "RE00000010", "query RE: log record", []string{"query=RE", "index=00000010"}},
		{"control", drivers.ToPump, "WT02", "control command, which infusiond never sends", []string{"payload=WT02"}},
		{"unknown", drivers.ToPump, "ZZ", "unknown request", []string{"payload=ZZ"}},
		{"echo", drivers.FromPump, "Q5", "returned by the line: query Q5: volume infused", []string{"query=Q5"}},
		{"serial number (M2)", drivers.FromPump, "RNSN800008", "reply RN: serial number", []string{"query=RN", "serial_number=SN800008"}},
		{"volume (M12)", drivers.FromPump, "Q504D2", "reply Q5: volume infused", []string{"query=Q5", "volume_infused_ml=12.34"}},
		{"clock (M10)", drivers.FromPump, "RCF0012400", "reply RC: clock", []string{"query=RC", "clock_s=74752 since the firmware was loaded; the first digit is a marker"}},
		{"sensors", drivers.FromPump, "RD01F40208", "reply RD: occlusion sensors", []string{
			"query=RD", "upstream_count=500 raw count: the unit is not known", "downstream_count=520 raw count: the unit is not known",
		}},
		{"another form", drivers.FromPump, "Q5ERROR", "reply Q5: volume infused", []string{"query=Q5", "payload=ERROR not of the form that this reply has: the value is not used"}},
		{"text", drivers.FromPump, "TRUE", "reply to a text query", []string{"value=TRUE :INFU:RUN?: whether the infusion runs"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := explain(t, row.direction, frame(row.payload))
			if len(got) != 1 || got[0].Name != row.want {
				t.Fatalf("%+v, want %q", got, row.want)
			}
			if diff := cmp.Diff(row.fields, short(got[0])[:len(got[0].Fields)-1]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			for _, f := range got[0].Fields {
				at := string(got[0].Bytes[f.Offset : f.Offset+f.Length])
				if f.Name == "query" && at != f.Value || f.Name == "serial_number" && at != f.Value {
					t.Errorf("%s is %q, at its place stands %q", f.Name, f.Value, at)
				}
			}
		})
	}
}

func TestExplainARecord(t *testing.T) {
	paused := wire.Event{Type: wire.EventPaused, Stamp: wire.SecondsStamp(74565), First: wire.FloatBits(12.34)}.Record() // M8
	got := explain(t, drivers.FromPump, recordFrame(14, paused))[0]
	if got.Name != "reply RE: log record, infusion paused" || got.Err != nil {
		t.Errorf("%q, %v", got.Name, got.Err)
	}
	want := []string{
		"query=RE", "index=0000000E", "type=2 infusion_paused", "time=452301F0 new firmware: second 74565 of its clock",
		"subtype=2/0", "volume_infused_ml=12.34", "value=00000000 meaning not known here", "last_byte=00 not used", "checksum=7D sum over the payload",
	}
	if diff := cmp.Diff(want, short(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if f := got.Fields[5]; string(got.Bytes[f.Offset:f.Offset+f.Length]) != "414570A4" {
		t.Errorf("the volume is said to stand at %d", f.Offset)
	}
}

// A code that somebody entered at the pump is shown nowhere, in a damaged frame neither.
func TestExplainHidesCodes(t *testing.T) {
	r := wire.Event{Type: wire.EventAuthentication, Stamp: wire.SecondsStamp(10), Subtype: 0x1234, First: 0x56789ABC}.Record()
	good := recordFrame(3, r)
	damaged := bytes.Clone(good)
	damaged[5] ^= 1
	for _, stream := range [][]byte{good, damaged, good[:30]} {
		got := explain(t, drivers.FromPump, stream)
		text := strings.Join(short(got[0]), " ") + string(got[0].Bytes)
		if e, is := errors.AsType[*drivers.DecodeError](got[0].Err); is {
			text += string(e.Raw) + e.Error()
		}
		if strings.Contains(text, "1234") || strings.Contains(text, "5678") {
			t.Errorf("%s shows the code", text)
		}
	}
	if string(good[21:25]) != "1234" {
		t.Error("the caller's bytes were changed")
	}
}

func TestExplainProgramData(t *testing.T) {
	program := wire.Program{Number: 2, Rate: 1.11, VTBI: 100, StartingDose: 0.5, ExtraDose: 0.25, Lockout: 600}.Records()
	begin := wire.Event{Type: wire.EventInfusionData, Subtype: wire.DataBegin << 8}.Record()
	end := wire.Event{Type: wire.EventInfusionData, Subtype: wire.DataEnd << 8}.Record()
	stream := slices.Concat(recordFrame(8, end), recordFrame(7, program[1]), recordFrame(6, program[0]), recordFrame(5, begin)) // read backwards
	got := explain(t, drivers.FromPump, stream)
	if len(got) != 4 {
		t.Fatalf("%d pieces", len(got))
	}
	first, second := strings.Join(short(got[2]), ", "), strings.Join(short(got[1]), ", ")
	if !strings.Contains(first, "rate_ml_per_h=1.11, vtbi_ml=100, starting_dose_ml=0.5") || !strings.Contains(second, "extra_dose_ml=0.25") {
		t.Errorf("%s\n%s", first, second)
	}
	if alone := explain(t, drivers.FromPump, recordFrame(6, program[0])); strings.Contains(alone[0].Name, "program data 1") {
		t.Error("without its markers a record is taken for program data")
	}
}

// Whatever the bytes are, each is explained once and in order.
func FuzzExplain(f *testing.F) {
	f.Add([]byte("xx\x02Q504D260\x03\x02Q5"), true)
	f.Add(recordFrame(3, wire.Event{Type: wire.EventBattery, Subtype: 3}.Record()), true)
	f.Add(frame("RE00000010"), false)
	d := driver(f, nil).(drivers.Explainer)
	f.Fuzz(func(t *testing.T, b []byte, toPump bool) {
		direction := drivers.FromPump
		if toPump {
			direction = drivers.ToPump
		}
		at := 0
		for _, e := range d.Explain(direction, b) {
			if e.Offset != at || len(e.Bytes) == 0 || e.Name == "" {
				t.Fatalf("a piece %q at %d, want one at %d", e.Bytes, e.Offset, at)
			}
			at += len(e.Bytes)
			for _, field := range e.Fields {
				if field.Offset < 0 || field.Length < 0 || field.Offset+field.Length > len(e.Bytes) {
					t.Fatalf("field %+v lies outside of %q", field, e.Bytes)
				}
			}
		}
		if at != len(b) {
			t.Fatalf("%d of %d bytes are explained", at, len(b))
		}
	})
}
