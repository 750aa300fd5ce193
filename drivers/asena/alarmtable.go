package asena

import (
	"strings"

	"infusiond/drivers"
)

// row is one alarm code of section 5. kvo says that the pump goes on at its keep-vein-open rate.
type row struct {
	drivers.AlarmRow
	kvo bool
}

// table is the one place that says what each alarm code means. Only the words for NOALM, OCCLU, EOIST, LBTAC, COMTO and VTBIS
// stand in the sources; the others are read from the abbreviation, which the texts say.
var table = []row{
	{AlarmRow: drivers.AlarmRow{Raw: "AL_NOALM", Text: "no alarm"}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_OCCLU", Text: "occlusion", Code: drivers.AlarmOcclusionDownstream, Term: drivers.TermFluidLineOcclDownstream}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_LWBAT", Text: "low battery (interpreted)", Code: drivers.AlarmBatteryLow, Term: drivers.TermBattLo}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_EMBAT", Text: "battery empty (interpreted)", Code: drivers.AlarmBatteryDepleted, Term: drivers.TermBattEmpty}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_LBTAC", Text: "low battery, mains connected (interpreted)", Code: drivers.AlarmBatteryLow, Term: drivers.TermBattLo}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_ACDIS", Text: "mains disconnected (interpreted)", Code: drivers.AlarmExternalPowerLost, Term: drivers.TermMainsDisconnected}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_EOIST", Text: "end of infusion, stopped", Code: drivers.AlarmInfusionComplete, Term: drivers.TermPumpVolTbiComp}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_EOIKV", Text: "end of infusion, keep vein open (interpreted)", Code: drivers.AlarmInfusionComplete, Term: drivers.TermKvo}, kvo: true},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_NEOIN", Text: "near end of infusion (interpreted)", Code: drivers.AlarmNearEnd, Term: drivers.TermPumpVolTbiNearComp}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_VTBIC", Text: "VTBI done, continues (interpreted)", Code: drivers.AlarmInfusionComplete, Term: drivers.TermPumpVolTbiComp}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_VTBIK", Text: "VTBI done, keep vein open (interpreted)", Code: drivers.AlarmInfusionComplete, Term: drivers.TermKvo}, kvo: true},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_VTBIS", Text: "VTBI done, stopped", Code: drivers.AlarmInfusionComplete, Term: drivers.TermPumpVolTbiComp}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_SYRCO", Text: "check or confirm the syringe (interpreted)", Code: drivers.AlarmNoDisposable, Term: drivers.TermCheckIvSet}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_PRDSC", Text: "pressure disc (interpreted)", Code: drivers.AlarmNoDisposable, Term: drivers.TermCheckIvSet}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_DRDIS", Text: "drive disengaged (interpreted)", Code: drivers.AlarmNoDisposable, Term: drivers.TermSyringeDisengaged}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_RHIGH", Text: "rate high (interpreted)", Code: drivers.AlarmLimitReached}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_CALLB", Text: "call back: left idle (interpreted)", Code: drivers.AlarmUnattended, Term: drivers.TermCallback}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_COMTO", Text: "communication time-out", Code: drivers.AlarmCommunication}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_LDSCN", Text: "meaning not certain: load or line disconnected", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_TITCA", Text: "meaning not certain: titration", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_TITNC", Text: "meaning not certain: titration not confirmed", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_TCITG", Text: "meaning not certain: TCI target", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}},
	{AlarmRow: drivers.AlarmRow{Raw: "AL_FAULT", Text: "internal fault (interpreted)", Code: drivers.AlarmPumpFault, Term: drivers.TermMalf}},
}

const noAlarm = "AL_NOALM"

func alarmRows() []drivers.AlarmRow {
	rows := make([]drivers.AlarmRow, len(table))
	for i, r := range table {
		rows[i] = r.AlarmRow
	}
	return rows
}

// lookup finds the row of a code. One list of the sources prints a space inside a code, so spaces do not count.
// What is not in the table is an unknown alarm with the pump's own code.
func lookup(code string) row {
	squeezed := strings.ReplaceAll(code, " ", "")
	for _, r := range table {
		if r.Raw == squeezed {
			return r
		}
	}
	return row{AlarmRow: drivers.AlarmRow{Raw: code, Text: "an alarm that the protocol document does not name", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}}
}
