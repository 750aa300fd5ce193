package pumpmodel

import "errors"

// State is what the pump is doing.
type State uint8

// The states of a pump.
const (
	Off       State = iota
	Stopped         // on, no infusion going, or stopped by key
	Running         // at the programmed rate
	KVO             // at the keep-vein-open rate after the end
	Bolus           // at the bolus rate
	Paused          // by key, or an alarm was acknowledged
	AlarmStop       // by an alarm, until somebody acknowledges it
	Complete        // the volume to be infused is done, or the reservoir count is zero
)

var stateNames = [...]string{"off", "stopped", "running", "kvo", "bolus", "paused", "alarm_stop", "complete"}

// String gives the state in lower_snake_case.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// Moving says whether the motor turns in this state.
func (s State) Moving() bool { return s == Running || s == KVO || s == Bolus }

// Alarm is a condition that the pump announces.
type Alarm string

// The alarms of the model. A front maps those that its protocol has.
const (
	AlarmOcclusionDownstream Alarm = "occlusion_downstream"
	AlarmOcclusionUpstream   Alarm = "occlusion_upstream"
	AlarmAirInLine           Alarm = "air_in_line"
	AlarmReservoirEmpty      Alarm = "reservoir_empty"
	AlarmComplete            Alarm = "infusion_complete"
	AlarmBatteryLow          Alarm = "battery_low"
	AlarmBatteryDepleted     Alarm = "battery_depleted"
	AlarmNoDisposable        Alarm = "no_disposable"
	AlarmPumpFault           Alarm = "pump_fault"
	AlarmServiceDue          Alarm = "service_due"
	AlarmLimitReached        Alarm = "limit_reached"
	AlarmUnattended          Alarm = "unattended"
	AlarmDoorOpen            Alarm = "door_open"
	AlarmStoppedReminder     Alarm = "stopped_reminder"
	AlarmReservoirLow        Alarm = "reservoir_low"
	AlarmNearEnd             Alarm = "near_end"
)

// Alarms lists every alarm of the model, most urgent first.
func Alarms() []Alarm {
	return []Alarm{
		AlarmPumpFault, AlarmOcclusionDownstream, AlarmOcclusionUpstream, AlarmAirInLine, AlarmNoDisposable, AlarmDoorOpen,
		AlarmBatteryDepleted, AlarmReservoirEmpty, AlarmComplete, AlarmLimitReached, AlarmUnattended, AlarmStoppedReminder, AlarmReservoirLow,
		AlarmBatteryLow, AlarmNearEnd, AlarmServiceDue,
	}
}

// Stops says whether the alarm stops the motor.
func (a Alarm) Stops() bool {
	switch a {
	case AlarmBatteryLow, AlarmServiceDue, AlarmUnattended, AlarmStoppedReminder, AlarmReservoirLow, AlarmNearEnd:
		return false
	case AlarmPumpFault, AlarmOcclusionDownstream, AlarmOcclusionUpstream, AlarmAirInLine, AlarmNoDisposable, AlarmDoorOpen,
		AlarmBatteryDepleted, AlarmReservoirEmpty, AlarmComplete, AlarmLimitReached:
	}
	return true
}

// Reasons why the pump refuses an act at its keypad.
var (
	ErrOff        = errors.New("the pump is off")
	ErrAlarm      = errors.New("an alarm is active: acknowledge it first")
	ErrNoProgram  = errors.New("no rate or no volume to be infused is programmed")
	ErrMoving     = errors.New("the pump is running: stop or pause it first")
	ErrNotRunning = errors.New("the pump is not running")
	ErrRange      = errors.New("value outside the pump's range")
)
