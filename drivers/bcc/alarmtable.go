package bcc

import (
	"fmt"

	"infusiond/drivers"
)

// row is one alarm: a flag INAx, or one bit of a word. stops says that the infusion does not go on.
type row struct {
	drivers.AlarmRow
	stops bool
}

// table is the one place that says what each alarm of section 5.4 means.
var table = rows()

// source is one parameter with alarms: for flags the number behind INA, for words the bit.
type source struct {
	name  string
	cells []cell
}

type cell struct {
	n     int
	text  string
	code  drivers.AlarmCode
	term  drivers.Term
	stops bool
}

var sources = []source{
	{"INA", []cell{
		{1, "battery empty", drivers.AlarmBatteryDepleted, drivers.TermBattEmpty, true},
		{2, "syringe empty", drivers.AlarmReservoirEmpty, drivers.TermSyringeEmpty, true},
		{3, "pressure (occlusion)", drivers.AlarmOcclusionDownstream, drivers.TermFluidLineOcclDownstream, true},
		{4, "standby expires", drivers.AlarmStoppedReminder, drivers.TermDeviceStandby, false},
		{5, "standby over", drivers.AlarmUnattended, drivers.TermCallback, true},
		{6, "CC alarm (meaning not certain)", drivers.AlarmUnknown, drivers.TermUnknown, false},
		{7, "end of volume", drivers.AlarmInfusionComplete, drivers.TermPumpVolTbiComp, true},
		{8, "time over", drivers.AlarmInfusionComplete, drivers.TermPumpVolTbiComp, true},
		{9, "syringe alarm", drivers.AlarmNoDisposable, drivers.TermCheckIvSet, true},
		{10, "unused", drivers.AlarmUnknown, drivers.TermUnknown, false},
		{11, "battery pre-alarm", drivers.AlarmBatteryLow, drivers.TermBattLo, false},
		{12, "syringe empty pre-alarm", drivers.AlarmReservoirLow, drivers.TermSyringeNearEmpty, false},
		{13, "door open", drivers.AlarmDoorOpen, drivers.TermDoorPosnErr, true},
		{14, "drop alarm", drivers.AlarmPumpFault, drivers.TermMalf, true},
		{15, "air", drivers.AlarmAirInLine, drivers.TermFluidLineAir, true},
		{16, "KVO end", drivers.AlarmInfusionComplete, drivers.TermKvoInfusComp, true},
	}},
	{"ALARM1", []cell{
		{1, "calibration data corrupt", drivers.AlarmPumpFault, drivers.TermMalf, true},
		{2, "battery alarm", drivers.AlarmBatteryDepleted, drivers.TermBattDepl, true},
		{3, "therapy data corrupt", drivers.AlarmPumpFault, drivers.TermMalf, true},
		{4, "therapy data and settings corrupt", drivers.AlarmPumpFault, drivers.TermMalf, true},
		{5, "battery voltage too low", drivers.AlarmBatteryDepleted, drivers.TermBattDepl, true},
		{6, "battery missing", drivers.AlarmBatteryDepleted, drivers.TermBattServ, true},
		{7, "battery flat at power on", drivers.AlarmBatteryDepleted, drivers.TermBattDepl, true},
		{8, "battery cover open", drivers.AlarmPumpFault, drivers.TermBattServ, true},
		{9, "syringe empty", drivers.AlarmReservoirEmpty, drivers.TermSyringeEmpty, true},
		{10, "pressure too high", drivers.AlarmOcclusionDownstream, drivers.TermFluidLineOcclDownstream, true},
		{11, "pressure too high and drive blocked", drivers.AlarmOcclusionDownstream, drivers.TermFluidLineOcclDownstream, true},
		{12, "standby expired", drivers.AlarmUnattended, drivers.TermCallback, true},
		{13, "volume infused", drivers.AlarmInfusionComplete, drivers.TermPumpVolTbiComp, true},
		{14, "time expired", drivers.AlarmInfusionComplete, drivers.TermPumpVolTbiComp, true},
		{15, "claw malfunction", drivers.AlarmPumpFault, drivers.TermMalf, true},
		{16, "pressure sensor defect", drivers.AlarmPumpFault, drivers.TermMalf, true},
		{17, "syringe holder open", drivers.AlarmNoDisposable, drivers.TermSyringeBarrelCaptureFault, true},
		{18, "syringe not inserted correctly", drivers.AlarmNoDisposable, drivers.TermPosnProb, true},
		{19, "KVO end", drivers.AlarmInfusionComplete, drivers.TermKvoInfusComp, true},
		{20, "upstream pressure", drivers.AlarmOcclusionUpstream, drivers.TermFluidLineOcclUpstream, true},
		{21, "dummy", drivers.AlarmUnknown, drivers.TermUnknown, false},
		{22, "drop alarm summary", drivers.AlarmPumpFault, drivers.TermMalf, true},
		{23, "no drops", drivers.AlarmOcclusionUpstream, drivers.TermFluidLineOcclUpstream, true},
		{24, "too few drops", drivers.AlarmPumpFault, drivers.TermMalf, true},
		{25, "too many drops", drivers.AlarmFreeFlow, drivers.TermPumpFlowFree, true},
		{26, "free flow", drivers.AlarmFreeFlow, drivers.TermPumpFlowFree, true},
		{27, "drop sensor missing", drivers.AlarmPumpFault, drivers.TermMalf, true},
		{28, "air summary", drivers.AlarmAirInLine, drivers.TermFluidLineAir, true},
		{29, "air bubble > 0.3 mL", drivers.AlarmAirInLine, drivers.TermFluidLineAir, true},
		{30, "air rate > 4 mL/h", drivers.AlarmAirInLine, drivers.TermFluidLineAir, true},
		{31, "air sensor test faulty", drivers.AlarmPumpFault, drivers.TermSelftestFailure, true},
	}},
	{"ALARM2", []cell{
		{1, "data-lock manipulation", drivers.AlarmTampering, drivers.TermAdvisSettingsChk, false},
		{2, "hour limit (PCA)", drivers.AlarmLimitReached, drivers.TermUnknown, false},
		{3, "SGC end", drivers.AlarmUnknown, drivers.TermUnknown, false},
		{4, "take-over syringe end", drivers.AlarmReservoirEmpty, drivers.TermSyringeEmpty, true},
		{5, "take-over failed", drivers.AlarmPumpFault, drivers.TermMalf, true},
		{6, "take-over slave", drivers.AlarmUnknown, drivers.TermUnknown, false},
		{7, "danger of free flow", drivers.AlarmFreeFlow, drivers.TermPumpFlowFree, true},
		{29, "occlusion test error", drivers.AlarmPumpFault, drivers.TermSelftestFailure, true},
		{30, "door opened during infusion", drivers.AlarmDoorOpen, drivers.TermDoorPosnErr, true},
		{31, "syringe not secure", drivers.AlarmNoDisposable, drivers.TermPosnProb, true},
	}},
	{"PREALARM", []cell{
		{1, "disposable not inserted", drivers.AlarmNoDisposable, drivers.TermCheckIvSet, false},
		{2, "volume near end", drivers.AlarmNearEnd, drivers.TermPumpVolTbiNearComp, false},
		{3, "time near end", drivers.AlarmNearEnd, drivers.TermTimePdDelivNearComp, false},
		{4, "battery near flat", drivers.AlarmBatteryLow, drivers.TermBattLo, false},
		{5, "KVO", drivers.AlarmInfusionComplete, drivers.TermKvo, false},
		{6, "data-lock manipulation", drivers.AlarmTampering, drivers.TermAdvisSettingsChk, false},
		{7, "CAN device incompatible", drivers.AlarmPumpFault, drivers.TermMalf, false},
		{8, "piggyback done", drivers.AlarmNearEnd, drivers.TermPumpDelivComp, false},
		{9, "SGC", drivers.AlarmUnknown, drivers.TermUnknown, false},
		{10, "occlusion trend", drivers.AlarmPressureTrend, drivers.TermPressFluidLineIncreasing, false},
		{11, "pressure leap high", drivers.AlarmPressureTrend, drivers.TermPressFluidLineIncreasing, false},
		{12, "pressure leap low", drivers.AlarmPressureTrend, drivers.TermPressFluidLineDecreasing, false},
		{13, "syringe pre-alarm in take-over", drivers.AlarmReservoirLow, drivers.TermSyringeNearEmpty, false},
		{14, "slave failure", drivers.AlarmPumpFault, drivers.TermMalf, false},
		{15, "battery defective", drivers.AlarmBatteryLow, drivers.TermBattFail, false},
	}},
}

// rawCode is INA3, or ALARM1:10.
func rawCode(source string, n int) string {
	if source == "INA" {
		return fmt.Sprintf("INA%d", n)
	}
	return fmt.Sprintf("%s:%d", source, n)
}

func rows() []row {
	all := []row{{AlarmRow: drivers.AlarmRow{
		Raw: "RUNSTATE:2", Text: "an alarm that nothing else names", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown,
	}}}
	for _, s := range sources {
		for _, c := range s.cells {
			all = append(all, row{drivers.AlarmRow{Raw: rawCode(s.name, c.n), Text: c.text, Code: c.code, Term: c.term}, c.stops})
		}
	}
	return all
}

func alarmRows() []drivers.AlarmRow {
	out := make([]drivers.AlarmRow, len(table))
	for i, r := range table {
		out[i] = r.AlarmRow
	}
	return out
}

func lookup(raw string) row {
	for _, r := range table {
		if r.Raw == raw {
			return r
		}
	}
	return row{AlarmRow: drivers.AlarmRow{Raw: raw, Text: "an alarm that the protocol document does not name", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}}
}

func stopping(list []drivers.Alarm) bool {
	for _, a := range list {
		if lookup(a.RawCode).stops {
			return true
		}
	}
	return false
}

// flagCount is the number of the last flag INAx of section 5.4. Later ones up to mostFlags are looked for, too: a firmware that knows
// more alarms must not announce them in vain.
const (
	flagCount = 16
	mostFlags = 64
)

// alarms fills which alarms the pump says that it has.
func alarms(r *drivers.Report, v values) {
	raise := func(raw string) {
		m := lookup(raw)
		r.Alarms = append(r.Alarms, drivers.Alarm{Code: m.Code, RawCode: raw, Text: m.Text})
	}
	for n := 1; n <= mostFlags; n++ {
		switch flag(v, rawCode("INA", n)) {
		case drivers.Yes:
			raise(rawCode("INA", n))
			r.AlarmsKnown = true
		case drivers.No:
			r.AlarmsKnown = r.AlarmsKnown || n <= flagCount
		case drivers.Unknown:
		}
	}
	for _, name := range []string{"ALARM1", "ALARM2", "PREALARM"} {
		w, ok := word(v, name)
		if !ok {
			continue
		}
		r.AlarmsKnown = r.AlarmsKnown || name == "ALARM1"
		for n := range 32 {
			if w>>n&1 == 1 {
				raise(rawCode(name, n))
			}
		}
	}
	if runBit(v, 2) == drivers.Yes && len(r.Alarms) == 0 {
		raise("RUNSTATE:2")
		r.AlarmsKnown = true
	}
	if !r.AlarmsKnown && len(r.Alarms) > 0 {
		r.AlarmsKnown = true // what is said is not hidden because the rest is not
	}
	if !r.AlarmsKnown {
		r.AlarmsReason = "the station sends neither alarm flags nor alarm words for this pump: check its settings"
	}
}
