package bcc

import (
	"fmt"
	"slices"

	"infusiond/drivers"
)

// row is one alarm: a flag INAx, or one bit of a word. stops says that the infusion does not go on; as, which summary bits of RUNSTATE it explains.
type row struct {
	drivers.AlarmRow
	stops bool
	as    class
}

// class is what section 5.2's RUNSTATE tells apart.
type class uint8

const (
	fullAlarm  class = 1 << iota // bit 2
	earlyAlarm                   // bit 5
)

// table is the one place that says what each alarm of section 5.4 means.
var table = rows()

// source is one parameter with alarms: for flags the number behind INA, for words the bit.
type source struct {
	name  string
	as    class
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
	{"INA", fullAlarm, []cell{
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
	{"ALARM1", fullAlarm, []cell{
		{0, "no alarm", "", drivers.Term{}, false},
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
	{"ALARM2", fullAlarm, []cell{
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
	{"PREALARM", earlyAlarm, []cell{
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

// earlyFlags are the flags that RUNSTATE may count among its pre-alarms.
var earlyFlags = []int{4, 11, 12}

// The raw codes of what only RUNSTATE tells.
const (
	rawAlarm    = "RUNSTATE:2"
	rawPreAlarm = "RUNSTATE:5"
)

// rawCode is INA3, or ALARM1:10.
func rawCode(source string, n int) string {
	if source == "INA" {
		return fmt.Sprintf("INA%d", n)
	}
	return fmt.Sprintf("%s:%d", source, n)
}

func rows() []row {
	all := []row{
		{AlarmRow: drivers.AlarmRow{Raw: rawAlarm, Text: "an alarm that nothing else names", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
		{AlarmRow: drivers.AlarmRow{Raw: rawPreAlarm, Text: "a pre-alarm that nothing else names", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
	}
	for _, s := range sources {
		for _, c := range s.cells {
			r := row{drivers.AlarmRow{Raw: rawCode(s.name, c.n), Text: c.text, Code: c.code, Term: c.term}, c.stops, s.as}
			if s.name == "INA" && slices.Contains(earlyFlags, c.n) {
				r.as = earlyAlarm
				if c.n == 4 { // the document does not say which of the two a standby's end is
					r.as |= fullAlarm
				}
			}
			all = append(all, r)
		}
	}
	return all
}

// byRaw finds a row by its raw code.
var byRaw = func() map[string]row {
	all := make(map[string]row, len(table))
	for _, r := range table {
		all[r.Raw] = r
	}
	return all
}()

// flagCodes and wordCodes are the raw codes by number, made once.
var (
	flagCodes = codes("INA", mostFlags+1)
	wordCodes = map[parameter][]string{alarm1: codes("ALARM1", 32), alarm2: codes("ALARM2", 32), preAlarm: codes("PREALARM", 32)}
)

func codes(source string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = rawCode(source, i)
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

// lookup returns what an alarm means. What is not in the table is unknown, never nothing.
func lookup(raw string) row {
	if r, known := byRaw[raw]; known {
		return r
	}
	return row{
		AlarmRow: drivers.AlarmRow{Raw: raw, Text: "an alarm that the protocol document does not name", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown},
		as:       fullAlarm | earlyAlarm,
	}
}
