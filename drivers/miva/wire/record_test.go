package wire

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOldRecordTimeIsAPackedDate(t *testing.T) {
	// Section 5.5: bits 31..26 year, 25..22 month, 21..17 day, 16..12 hour, 11..6 minute, 5..0 second:
	// 26, 3, 14, 12, 30, 45 = 011010 0011 01110 01100 011110 101101.
	event := Event{Stamp: [4]byte{0x68, 0xDC, 0xC7, 0xAD}}
	want := Date{Year: 26, Month: 3, Day: 14, Hour: 12, Minute: 30, Second: 45}
	if got := event.Date(); got != want || !got.Valid() {
		t.Errorf("Date: %+v, want %+v", got, want)
	}
	if got := DateStamp(want); got != event.Stamp {
		t.Errorf("DateStamp: % X, want % X", got, event.Stamp)
	}
	if bad := (Date{Month: 13, Day: 1}); bad.Valid() {
		t.Error("month 13 is valid")
	}
}

func TestBlankRecord(t *testing.T) {
	blank := Record(bytes.Repeat([]byte{0xFF}, 16))
	if !blank.Blank() {
		t.Error("sixteen FF are not blank")
	}
	blank[15] = 0
	if blank.Blank() {
		t.Error("fifteen FF are blank")
	}
}

func TestEveryEventTypeSurvivesTheRoundTrip(t *testing.T) {
	for kind := range EventBatteryCheck + 1 {
		want := Event{Type: kind, Stamp: SecondsStamp(123456), Subtype: 0x0102, First: FloatBits(-2.5), Second: 7, Last: 9}
		r := want.Record()
		if diff := cmp.Diff(want, r.Event()); diff != "" {
			t.Errorf("type %d (-want +got):\n%s", kind, diff)
		}
		if e := r.Event(); e.High() != 1 || e.Low() != 2 || e.FirstFloat() != -2.5 || e.Seconds() != 123456 {
			t.Errorf("type %d: %+v reads wrongly", kind, e)
		}
	}
}

func TestProgramData(t *testing.T) {
	short := Program{Number: 2, Rate: 1.11, VTBI: 100, StartingDose: 0.5, ExtraDose: 0.25, Lockout: 600, Rest: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}}
	data := short.Records()
	// Section 5.6: bytes 4..7 are the rate, big endian; 1.11 is 3F8E147B.
	if want := []byte{0, 0, 0, 2, 0x3F, 0x8E, 0x14, 0x7B}; !bytes.Equal(data[0][:8], want) {
		t.Errorf("first bytes % X, want % X", data[0][:8], want)
	}
	if diff := cmp.Diff(short, DecodeProgram(data)); diff != "" {
		t.Errorf("DecodeProgram (-want +got):\n%s", diff)
	}

	var long LongProgram
	long.SetName("HOME")
	long.SetDrug("MILRINONE")
	long.SetValue(SwitchRate, 1.11)
	long.SetValue(SwitchWeight, 7.4)
	records := long.Records()
	// Bytes 109..118 are the drug name: record 6 from byte 13, record 7 to byte 6.
	if got := string(records[6][13:]) + string(records[7][:7]); got != "MILRINONE " {
		t.Errorf("drug name field %q", got)
	}
	got := DecodeLongProgram(records)
	if got != long || got.Name() != "HOME" || got.Drug() != "MILRINONE" || got.Mode() != 0 || got.RateUnit() != 0 || got.DrugUnit() != 0 {
		t.Errorf("DecodeLongProgram: name %q, drug %q", got.Name(), got.Drug())
	}
	if rate, ok := got.Value(SwitchRate); !ok || rate != 1.11 {
		t.Errorf("rate %v, %v", rate, ok)
	}
	if _, ok := got.Value(SwitchVTBI); ok {
		t.Error("a VTBI without its switch bit")
	}
	got.Raw[93] = 1
	if _, ok := got.Value(SwitchRate); ok {
		t.Error("a continuous rate in bolus mode")
	}
	got.Raw[110] = 0xFF
	if got.Drug() != "" {
		t.Errorf("drug name %q from bytes that are not ASCII", got.Drug())
	}
}
