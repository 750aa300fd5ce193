package miva

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

func TestTableKnowsEveryTypeOnceForAnySubtype(t *testing.T) {
	catchAll := make(map[wire.EventType]int)
	for i, r := range table {
		if r.name == "" || r.text == "" {
			t.Errorf("row %d has no name or text", i)
		}
		if catchAll[r.kind] > 0 {
			t.Errorf("row %d (type %d) stands behind the row for any subtype", i, r.kind)
		}
		if r.subtype == anySubtype {
			catchAll[r.kind]++
		}
		if raises := r.effect >= effectAlarm; raises != (r.alarm != "") {
			t.Errorf("row %d (type %d): alarm %q with effect %d", i, r.kind, r.alarm, r.effect)
		}
	}
	for kind := range wire.EventBatteryCheck + 1 {
		if catchAll[kind] != 1 {
			t.Errorf("type %d has %d rows for any subtype", kind, catchAll[kind])
		}
	}
}

func TestRecordValues(t *testing.T) {
	float := wire.FloatBits
	rows := []struct {
		name  string
		event wire.Event
		text  string
		want  map[string]drivers.Quantity
	}{
		{"paused (M8)", wire.Event{Type: wire.EventPaused, First: float(12.34)}, "infusion paused", map[string]drivers.Quantity{
			"volume_infused_ml": drivers.Number(1234, -2, drivers.Milliliter),
		}},
		{"battery (M9)", wire.Event{Type: wire.EventBattery, Subtype: 2, First: float(2.85), Second: float(12.3)}, "battery status: low", map[string]drivers.Quantity{
			"battery_v": drivers.Number(285, -2, drivers.Volt), "volume_infused_ml": drivers.Number(123, -1, drivers.Milliliter),
		}},
		{"a float that is no number", wire.Event{Type: wire.EventPaused, First: 0x7FC00000}, "infusion paused", nil},
		{"pump limit", wire.Event{Type: wire.EventPumpLimit, Subtype: 2, First: 3600, Second: float(5000)}, "pump limit reached: service due", map[string]drivers.Quantity{
			"life_time_s": drivers.Number(3600, 0, drivers.Second), "life_volume_ml": drivers.Number(5, 3, drivers.Milliliter),
		}},
		{"rate changed", wire.Event{Type: wire.EventSettingChange, Subtype: 0x1101, First: float(1.11), Second: float(2.22)}, "setting changed: rate upper limit of program 1", map[string]drivers.Quantity{
			"old_rate_ml_per_h": drivers.Number(111, -2, drivers.MilliliterPerHour), "new_rate_ml_per_h": drivers.Number(222, -2, drivers.MilliliterPerHour),
		}},
		{"lockout changed", wire.Event{Type: wire.EventSettingChange, Subtype: 0x0003, First: 600, Second: 900}, "setting changed: extra dose lockout of program 0", map[string]drivers.Quantity{
			"old_extra_dose_lockout": drivers.Number(600, 0, drivers.UnitNone), "new_extra_dose_lockout": drivers.Number(900, 0, drivers.UnitNone),
		}},
		{"unknown parameter", wire.Event{Type: wire.EventSettingChange, Subtype: 0x0005, First: 1}, "setting changed: parameter 5 of program 0", nil},
		{"attempts", wire.Event{Type: wire.EventExtraDoseDenied, Subtype: 3}, "extra dose denied: 3 attempts", map[string]drivers.Quantity{
			"attempts": drivers.Number(3, 0, drivers.UnitNone),
		}},
		{"two bits", wire.Event{Type: wire.EventSystemError, Subtype: 2 | 32768}, "system error: slow motor, external watchdog", nil},
		{"power on", wire.Event{Type: wire.EventPowerOn, Subtype: 5, First: float(3)}, "pump switched on: battery external power", map[string]drivers.Quantity{
			"battery_v": drivers.Number(3, 0, drivers.Volt), "volume_infused_ml": drivers.Number(0, 0, drivers.Milliliter),
		}},
		{"firmware error", wire.Event{Type: wire.EventFirmwareError, Subtype: 1, First: 0x07012C00}, "firmware error: flash checksum: file 7 line 300", nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := (&session{}).exportRecord(logged{record: row.event.Record()}, clockAge{})
			if diff := cmp.Diff(row.want, got.Values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			if got.Text != row.text {
				t.Errorf("text %q, want %q", got.Text, row.text)
			}
		})
	}
}

// Covers GW-31.
func TestAgeIsAbsentWhenItCannotBeTold(t *testing.T) {
	event := wire.Event{Stamp: wire.SecondsStamp(100)}
	old := wire.Clock{Old: true, Date: wire.Date{Month: 13}}
	rows := map[string]clockAge{
		"clock not read in this cycle": {clock: wire.NewClock(200)},
		"event ahead of the clock":     {clock: wire.NewClock(99), read: true},
		"impossible date":              {clock: old, read: true},
	}
	for name, age := range rows {
		t.Run(name, func(t *testing.T) {
			if q := age.of(event); q.Valid {
				t.Errorf("age %+v", q)
			}
		})
	}
	if q := (clockAge{clock: wire.NewClock(187), read: true}).of(event); q != drivers.Number(87, 0, drivers.Second) {
		t.Errorf("age %+v, want 87 s", q)
	}
}

func TestAnchorSurvivesItsText(t *testing.T) {
	a := newAnchor(logged{index: 0xA8FF, record: rec(wire.EventRun, 5, 0)}, 3)
	if got, ok := parseAnchor(a.String()); !ok || got != a {
		t.Errorf("%q gives %+v, %v, want %+v", a, got, ok, a)
	}
	for _, text := range []string{"", "miva1:", "miva1:0000A900:00000000:0000000000000000", "miva1:00000001:00000002:00000000000000", a.String() + "x", "miva2" + a.String()[5:]} {
		if got, ok := parseAnchor(text); ok {
			t.Errorf("%q gives %+v", text, got)
		}
	}
}
