package infusion

import "infusiond/drivers"

// DeliveryStatus is what the pump reports that it does, in one word. It is pump-reported
// and says nothing about what reaches the patient.
type DeliveryStatus string

// The delivery statuses, in the words of the MQTT contract. The zero value is
// not one of them; StatusUnknown stands for "cannot be told".
const (
	StatusUnknown        DeliveryStatus = "unknown"
	StatusInfusing       DeliveryStatus = "infusing"
	StatusKVO            DeliveryStatus = "kvo"
	StatusBolus          DeliveryStatus = "bolus"
	StatusStopped        DeliveryStatus = "stopped"
	StatusPaused         DeliveryStatus = "paused"
	StatusStoppedByAlarm DeliveryStatus = "stopped_by_alarm"
	StatusComplete       DeliveryStatus = "complete"
	StatusStandby        DeliveryStatus = "standby"
	StatusDelayed        DeliveryStatus = "delayed"
	StatusPriming        DeliveryStatus = "priming"
	StatusPoweredOff     DeliveryStatus = "powered_off"
)

// StatusOf translates a driver's run state.
func StatusOf(s drivers.RunState) DeliveryStatus {
	switch s {
	case drivers.RunInfusing:
		return StatusInfusing
	case drivers.RunKVO:
		return StatusKVO
	case drivers.RunBolus:
		return StatusBolus
	case drivers.RunStopped:
		return StatusStopped
	case drivers.RunPaused:
		return StatusPaused
	case drivers.RunStoppedByAlarm:
		return StatusStoppedByAlarm
	case drivers.RunComplete:
		return StatusComplete
	case drivers.RunStandby:
		return StatusStandby
	case drivers.RunDelayed:
		return StatusDelayed
	case drivers.RunPriming:
		return StatusPriming
	case drivers.RunPoweredOff:
		return StatusPoweredOff
	case drivers.RunUnknown:
	}
	return StatusUnknown
}

// Known says whether the pump told what it does.
func (s DeliveryStatus) Known() bool { return s != StatusUnknown && s != "" }

// Infusing says whether the pump reports that fluid moves at its programmed rate or above.
func (s DeliveryStatus) Infusing() bool { return s == StatusInfusing || s == StatusBolus }
