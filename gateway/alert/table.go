package alert

import (
	"time"

	"infusiond/drivers"
	"infusiond/gateway/message"
	"infusiond/gateway/prescription"
)

// Evidence is what an update is based on.
type Evidence uint8

// The kinds of evidence.
const (
	// Clock is the mere passing of time.
	Clock Evidence = 1 << iota
	// Reading is a reading of the pump's state and rate.
	Reading
	// Alarms is that the pump's own alarms are known.
	Alarms
	// Identity is that the pump answered with its serial number.
	Identity
)

// Declaration is what is fixed about one condition.
type Declaration struct {
	Code     string
	Origin   string // message.Origin…
	Priority string // when raised
	Text     string // for a person
	Polls    int    // readings in a row before it is raised; 0 and 1: at once
	Ends     Evidence
	// Stop conditions become high after the time of the drug's class.
	Stop bool
	// Silence conditions become medium and high after the times of the drug's class.
	Silence bool
}

// stopHigh is the time since the pump last ran as planned after which a stop is a
// high-priority alert (domain facts 4.4).
var stopHigh = map[prescription.StopClass]time.Duration{
	prescription.Fast: time.Minute, prescription.Slow: 5 * time.Minute, prescription.Episodic: 15 * time.Minute,
}

// silence is the time without a reading after which it is medium and high (domain facts 3.2, comm_lost).
var silence = map[prescription.StopClass][2]time.Duration{
	prescription.Fast:     {2 * time.Minute, 5 * time.Minute},
	prescription.Slow:     {5 * time.Minute, 15 * time.Minute},
	prescription.Episodic: {5 * time.Minute, 60 * time.Minute},
}

func pump(code drivers.AlarmCode, priority, text string) Declaration {
	return Declaration{Code: string(code), Origin: message.OriginPump, Priority: priority, Text: "The pump reports: " + text, Ends: Alarms}
}

func found(code, priority, text string) Declaration {
	return Declaration{Code: code, Origin: message.OriginCheck, Priority: priority, Text: text, Polls: 2, Ends: Reading}
}

func stop(code, text string) Declaration {
	d := found(code, message.PriorityMedium, text)
	d.Stop = true
	return d
}

func absent(code, priority, text string) Declaration {
	return Declaration{Code: code, Origin: message.OriginGateway, Priority: priority, Text: text, Ends: Reading, Silence: true}
}

// Table declares every condition that this version can raise about a pump.
var table = []Declaration{
	pump(drivers.AlarmOcclusionDownstream, message.PriorityHigh, "occlusion between pump and patient"),
	pump(drivers.AlarmOcclusionUpstream, message.PriorityHigh, "occlusion between bag and pump"),
	pump(drivers.AlarmOcclusion, message.PriorityHigh, "occlusion"),
	pump(drivers.AlarmAirInLine, message.PriorityHigh, "air in the line"),
	pump(drivers.AlarmReservoirEmpty, message.PriorityHigh, "bag or cassette empty"),
	pump(drivers.AlarmReservoirLow, message.PriorityLow, "bag or cassette nearly empty"),
	pump(drivers.AlarmInfusionComplete, message.PriorityHigh, "infusion complete"),
	pump(drivers.AlarmNearEnd, message.PriorityLow, "infusion nearly complete"),
	pump(drivers.AlarmBatteryDepleted, message.PriorityHigh, "battery depleted"),
	pump(drivers.AlarmBatteryLow, message.PriorityMedium, "battery low"),
	pump(drivers.AlarmNoDisposable, message.PriorityHigh, "cassette or set detached"),
	pump(drivers.AlarmDoorOpen, message.PriorityHigh, "door open"),
	pump(drivers.AlarmPumpFault, message.PriorityHigh, "pump fault"),
	pump(drivers.AlarmServiceDue, message.PriorityLow, "service due"),
	pump(drivers.AlarmLimitReached, message.PriorityHigh, "the pump's own limit is reached"),
	pump(drivers.AlarmUnattended, message.PriorityMedium, "the pump waits for a person"),
	pump(drivers.AlarmStoppedReminder, message.PriorityMedium, "stopped and not restarted"),
	pump(drivers.AlarmFreeFlow, message.PriorityHigh, "free flow suspected"),
	pump(drivers.AlarmPressureTrend, message.PriorityMedium, "line pressure rises or leaps, below its limit"),
	pump(drivers.AlarmExternalPowerLost, message.PriorityLow, "external power lost, running on battery"),
	pump(drivers.AlarmPumpReset, message.PriorityHigh, "it was reset, power was interrupted"),
	pump(drivers.AlarmCommunication, message.PriorityHigh, "communication timeout"),
	pump(drivers.AlarmTampering, message.PriorityLow, "wrong codes were entered"),
	pump(drivers.AlarmUnknown, message.PriorityHigh, "an alarm that infusiond does not know"),

	found(message.CodeRateMismatch, message.PriorityHigh, "The pump's rate differs from the prescription"),
	found(message.CodeUnplannedRun, message.PriorityHigh, "The pump reports running although no infusion is planned"),
	found(message.CodeDoseMismatch, message.PriorityHigh, "Rate and bag do not give the prescribed dose"),
	found(message.CodeDoseLimit, message.PriorityHigh, "The dose is beyond a limit of the drug library"),
	found(message.CodeBolusUnplanned, message.PriorityHigh, "The pump reports a bolus that is not planned"),
	stop(message.CodeStopped, "The pump reports that it stopped"),
	stop(message.CodeNotStarted, "The planned infusion has not started"),
	stop(message.CodeKVO, "The pump reports keep-vein-open, not the prescribed rate"),

	{
		Code: message.CodeIdentityMismatch, Origin: message.OriginCheck, Priority: message.PriorityHigh,
		Text: "Another pump answers on this line: not confirmed for this patient", Ends: Identity,
	},
	absent(message.CodeDataDelayed, message.PriorityLow, "No reading from the pump for more than 30 seconds"),
	absent(message.CodeDataStale, message.PriorityLow, "No reading from the pump: what it does is unknown"),
	absent(message.CodeNeverSeen, message.PriorityMedium, "The pump was never read"),
}

// Declared returns the declaration of a code. An unknown pump alarm code gets the declaration of
// unknown_alarm, so that nothing a pump announces can fall through.
func Declared(code string) (Declaration, bool) {
	for _, d := range table {
		if d.Code == code {
			return d, true
		}
	}
	return Declaration{}, false
}

// priority of a condition that began d ago, for a drug of the given class. An unknown class
// counts as fast.
func (d Declaration) priority(class prescription.StopClass, age time.Duration) string {
	if _, known := stopHigh[class]; !known {
		class = prescription.Fast
	}
	switch {
	case d.Stop && age >= stopHigh[class], d.Silence && age >= silence[class][1] && d.Code != message.CodeDataDelayed:
		return message.PriorityHigh
	case d.Silence && age >= silence[class][0] && d.Code != message.CodeDataDelayed:
		return message.PriorityMedium
	}
	return d.Priority
}
