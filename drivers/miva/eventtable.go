package miva

import (
	"fmt"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// effect is what a record does to the derived state of alarms and infusion.
type effect uint8

const (
	effectNone     effect = iota
	effectRun             // ends all alarms: the infusion runs
	effectPause           // ends all alarms: paused by a person
	effectOff             // ends all alarms: switched off
	effectOn              // ends all alarms: a booting pump has none
	effectCleared         // ends the alarms of its own type
	effectAlarm           // raises an alarm, the infusion goes on
	effectStop            // raises an alarm that stops the infusion
	effectComplete        // raises an alarm because all was infused
)

// part says which bytes of a record hold the subtype (section 5.5).
type part uint8

const (
	wholeSubtype part = iota // bytes 5 and 6
	highByte                 // byte 5
	lowByte                  // byte 6
	noSubtype                // none that may be told
)

// values names a record's two values. An empty name means that there is none; u32 marks an integer.
type values struct {
	first      string
	firstUnit  drivers.Unit
	firstU32   bool
	second     string
	secondUnit drivers.Unit
}

// row is one kind of record, or one subtype of it.
type row struct {
	kind    wire.EventType
	subtype int // anySubtype, or the subtype that this row is for
	part    part
	name    string
	text    string
	alarm   drivers.AlarmCode
	term    drivers.Term // of the standard; noTerm where it has none
	effect  effect
	values  values
}

const anySubtype = -1

var noTerm drivers.Term

var (
	infusedOnly = values{first: "volume_infused_ml", firstUnit: drivers.Milliliter}
	battery     = values{first: "battery_v", firstUnit: drivers.Volt, second: "volume_infused_ml", secondUnit: drivers.Milliliter}
	life        = values{first: "life_time_s", firstUnit: drivers.Second, firstU32: true, second: "life_volume_ml", secondUnit: drivers.Milliliter}
)

// table is the one place that says what each record of the event log means. The row of a
// subtype stands before the row for any other; lookup takes the first that fits.
var table = []row{
	{0, wire.DataBegin, highByte, "infusion_data_begin", "program data begins", "", noTerm, effectNone, values{}},
	{0, wire.DataEnd, highByte, "infusion_data_end", "program data ends", "", noTerm, effectNone, values{}},
	{0, anySubtype, highByte, "infusion_data_marker", "program data marker", "", noTerm, effectNone, values{}},
	{1, anySubtype, wholeSubtype, "infusion_run", "infusion runs", "", drivers.TermPumpDelivStart, effectRun, values{}},
	{2, anySubtype, wholeSubtype, "infusion_paused", "infusion paused", "", drivers.TermPumpDelivStop, effectPause, infusedOnly},
	{3, anySubtype, wholeSubtype, "cassette_empty", "cassette empty, infusion complete", drivers.AlarmReservoirEmpty, drivers.TermContainerEmpty, effectComplete, values{}},
	{4, 1, wholeSubtype, "infusion_limit_reached", "infusion limit reached: maximum per hour", drivers.AlarmLimitReached, noTerm, effectAlarm, values{}},
	{4, 2, wholeSubtype, "infusion_limit_reached", "infusion limit reached: maximum per interval", drivers.AlarmLimitReached, noTerm, effectAlarm, values{}},
	{4, 4, wholeSubtype, "infusion_limit_cleared", "infusion limit cleared", "", noTerm, effectCleared, values{}},
	{4, anySubtype, wholeSubtype, "infusion_limit_reached", "infusion limit reached", drivers.AlarmLimitReached, noTerm, effectAlarm, values{}},
	{5, anySubtype, noSubtype, "authentication", "a code was entered", "", noTerm, effectNone, values{}},
	{6, 1, highByte, "dose_granted", "dose granted: automatic", "", noTerm, effectNone, values{}},
	{6, 2, highByte, "dose_granted", "dose granted: extra dose", "", noTerm, effectNone, values{}},
	{6, 8, highByte, "dose_granted", "dose granted: clinician dose", "", noTerm, effectNone, values{}},
	{6, anySubtype, highByte, "dose_granted", "dose granted", "", noTerm, effectNone, values{}},
	{7, anySubtype, lowByte, "extra_dose_denied", "extra dose denied", "", noTerm, effectNone, values{}},
	{8, anySubtype, wholeSubtype, "dose_cancelled", "dose cancelled", "", noTerm, effectNone, values{}},
	{9, 1, wholeSubtype, "occlusion_upstream", "occlusion upstream", drivers.AlarmOcclusionUpstream, drivers.TermFluidLineOcclUpstream, effectStop, values{}},
	{9, 2, wholeSubtype, "occlusion_downstream", "occlusion downstream", drivers.AlarmOcclusionDownstream, drivers.TermFluidLineOcclDownstream, effectStop, values{}},
	{9, 4, wholeSubtype, "occlusion_cleared", "occlusion cleared", "", noTerm, effectCleared, values{}},
	{9, anySubtype, wholeSubtype, "occlusion", "occlusion, side not told", drivers.AlarmOcclusion, drivers.TermFluidLineOccl, effectStop, values{}},
	{10, 1, wholeSubtype, "delay_end", "delay over", "", noTerm, effectNone, values{}},
	{10, 2, wholeSubtype, "delay_end", "delay skipped", "", noTerm, effectNone, values{}},
	{10, anySubtype, wholeSubtype, "delay_end", "delay over", "", noTerm, effectNone, values{}},
	{11, 1, wholeSubtype, "pump_limit_reached", "pump limit reached: product life", drivers.AlarmServiceDue, drivers.TermAdvisSvcReqd, effectAlarm, life},
	{11, 2, wholeSubtype, "pump_limit_reached", "pump limit reached: service due", drivers.AlarmServiceDue, drivers.TermAdvisSvcReqd, effectAlarm, life},
	{11, anySubtype, wholeSubtype, "pump_limit_reached", "pump limit reached", drivers.AlarmServiceDue, drivers.TermAdvisSvcReqd, effectAlarm, life},
	{12, anySubtype, wholeSubtype, "shift_total_cleared", "shift total cleared", "", drivers.TermPumpVolCountersCleared, effectNone, values{}},
	{13, anySubtype, wholeSubtype, "battery_status", "battery status", "", noTerm, effectNone, battery},
	{14, anySubtype, wholeSubtype, "cassette_detached", "cassette detached", drivers.AlarmNoDisposable, drivers.TermCheckIvSet, effectStop, values{}},
	{15, anySubtype, wholeSubtype, "time_stamp", "time stamp", "", noTerm, effectNone, values{}},
	{16, anySubtype, wholeSubtype, "power_off", "pump switched off", "", noTerm, effectOff, battery},
	{17, 1, wholeSubtype, "firmware_error", "firmware error: flash checksum", drivers.AlarmPumpFault, drivers.TermMalf, effectStop, values{}},
	{17, 2, wholeSubtype, "firmware_error", "firmware error: corrupted library", drivers.AlarmPumpFault, drivers.TermMalf, effectStop, values{}},
	{17, anySubtype, wholeSubtype, "firmware_error", "firmware error", drivers.AlarmPumpFault, drivers.TermMalf, effectStop, values{}},
	{18, 16, wholeSubtype, "system_error", "system error", drivers.AlarmLimitReached, noTerm, effectStop, values{}},
	{18, anySubtype, wholeSubtype, "system_error", "system error", drivers.AlarmPumpFault, drivers.TermMalf, effectStop, values{}},
	{19, 1, wholeSubtype, "battery_failure", "battery failure: overheated", drivers.AlarmPumpFault, drivers.TermBattFail, effectStop, battery},
	{19, 2, wholeSubtype, "battery_failure", "battery failure: empty", drivers.AlarmBatteryDepleted, drivers.TermBattDepl, effectStop, battery},
	{19, anySubtype, wholeSubtype, "battery_failure", "battery failure", drivers.AlarmPumpFault, drivers.TermBattFail, effectStop, battery},
	{20, anySubtype, wholeSubtype, "debug", "debug record", "", noTerm, effectNone, values{}},
	{21, anySubtype, wholeSubtype, "unattended", "pump waits for a person", drivers.AlarmUnattended, drivers.TermCallback, effectAlarm, values{}},
	{22, anySubtype, wholeSubtype, "setting_change", "setting changed", "", noTerm, effectNone, values{}},
	{23, 1, wholeSubtype, "dose_finished", "extra dose finished", "", noTerm, effectNone, values{}},
	{23, 2, wholeSubtype, "dose_finished", "starting dose finished", "", noTerm, effectNone, values{}},
	{23, anySubtype, wholeSubtype, "dose_finished", "dose finished", "", noTerm, effectNone, values{}},
	{24, anySubtype, wholeSubtype, "power_on", "pump switched on", "", noTerm, effectOn, battery},
	{25, anySubtype, wholeSubtype, "starting_dose_skipped", "starting dose skipped", "", noTerm, effectNone, values{}},
	{26, anySubtype, wholeSubtype, "system_error_2", "system error, second set", drivers.AlarmPumpFault, drivers.TermMalf, effectStop, values{}},
	{27, anySubtype, wholeSubtype, "hard_limit_reached", "hard limit reached: product life", drivers.AlarmPumpFault, drivers.TermMalf, effectStop, life},
	{28, anySubtype, wholeSubtype, "battery_depleted", "battery depleted", drivers.AlarmBatteryDepleted, drivers.TermBattDepl, effectStop, values{}},
	{29, anySubtype, wholeSubtype, "programming_incomplete", "programming incomplete", drivers.AlarmUnattended, drivers.TermCallback, effectAlarm, values{}},
	{30, anySubtype, wholeSubtype, "battery_low", "battery low", drivers.AlarmBatteryLow, drivers.TermBattLo, effectAlarm, values{}},
	{31, 1, wholeSubtype, "battery_check", "battery empty at self test", "", noTerm, effectNone, values{}},
	{31, 2, wholeSubtype, "battery_check", "battery depleted at motor check", "", noTerm, effectNone, values{}},
	{31, 3, wholeSubtype, "battery_check", "battery empty at motor check", "", noTerm, effectNone, values{}},
	{31, anySubtype, wholeSubtype, "battery_check", "battery check", "", noTerm, effectNone, values{}},
}

// unknownRow stands for a type that the protocol document does not know. Whether it is an
// alarm cannot be told, so it counts as one.
var unknownRow = row{subtype: anySubtype, name: "unknown", text: "record of a type that is not known", alarm: drivers.AlarmUnknown, term: drivers.TermUnknown, effect: effectAlarm}

// alarmRows is the table for Profile.Alarms. The raw code of a row for any other subtype ends with a star, "9/*".
func alarmRows() []drivers.AlarmRow {
	rows := make([]drivers.AlarmRow, len(table))
	for i, r := range table {
		rows[i] = drivers.AlarmRow{Raw: rowCode(r), Text: r.text, Code: r.alarm, Term: r.term}
	}
	return rows
}

func rowCode(r row) string {
	switch {
	case r.part == noSubtype:
		return fmt.Sprint(uint8(r.kind))
	case r.subtype == anySubtype:
		return fmt.Sprintf("%d/*", r.kind)
	}
	return fmt.Sprintf("%d/%d", r.kind, r.subtype)
}

// bits names the bits of the records whose subtype is a bit field, lowest first.
var bits = map[wire.EventType][]string{
	wire.EventBattery: {"medium", "low", "depleted", "reset", "external power", "high", "new", "over upper limit", "empty", "under lower limit"},
	wire.EventSystemError: {
		"upstream pressure sensor", "slow motor", "downstream pressure sensor", "motor controller", "volume limit reached",
		"motor running in wrong state", "motor driver", "timer interrupt", "power-on self test", "fast motor", "upstream sensor failure",
		"downstream sensor failure", "motor sensor failure", "primary audio failure", "super capacitor", "external watchdog",
	},
	wire.EventSystemError2: {
		"battery over limit", "battery under limit", "protection CPU", "backup audio", "backup supply loss", "pressure sensor stuck",
		"LCD", "backup battery", "built-in self test", "motor rotates fast",
	},
}

// powerOn names the subtypes of the power-on record.
var powerOn = []string{1: "high", 2: "medium", 3: "low", 4: "critical", 5: "external power", 6: "new", 7: "depleted", 8: "empty"}

// parameter is one setting that a setting-change record names.
type parameter struct {
	name string // with unit, where it is known
	text string
	unit drivers.Unit
	u32  bool
}

var parameters = map[uint8]parameter{
	0: {"starting_dose_ml", "starting dose", drivers.Milliliter, false},
	1: {"rate_ml_per_h", "rate", drivers.MilliliterPerHour, false},
	2: {"extra_dose_ml", "extra dose volume", drivers.Milliliter, false},
	3: {"extra_dose_lockout", "extra dose lockout", drivers.UnitNone, true},
	4: {"vtbi_ml", "VTBI", drivers.Milliliter, false},
	6: {"near_end", "near end", drivers.UnitNone, false},
	8: {"starting_dose_lockout", "starting dose lockout", drivers.UnitNone, true},
	9: {"visibility", "visibility (0 is visible)", drivers.UnitNone, true},
}

// lookup finds the row of an event.
func lookup(e wire.Event) row {
	for i := range table {
		r := &table[i]
		if r.kind == e.Type && (r.subtype == anySubtype || r.subtype == int(r.part.of(e))) {
			return *r
		}
	}
	unknown := unknownRow
	unknown.kind = e.Type
	return unknown
}

func (p part) of(e wire.Event) uint16 {
	switch p {
	case highByte:
		return uint16(e.High())
	case lowByte:
		return uint16(e.Low())
	case noSubtype:
		return 0
	case wholeSubtype:
	}
	return e.Subtype
}
