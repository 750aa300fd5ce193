// Package mivafront lets a pumpmodel.Pump speak the serial protocol of the Zyno
// Medical MIVA / Nimbus family.
//
// Handle takes what the host sent and returns what the pump answers, at once
// and without time of its own: the caller paces the bytes and advances the
// model. A Front belongs to the goroutine of its Pump.
//
// What this protocol cannot say, the Front does not say: line pressure in
// mbar, a reservoir count, a battery percentage, air in the line, a list of active
// alarms, and on MIVA the drug. Alarms stand in the event log alone.
//
// Choices where the protocol document leaves room: Q5 counts this infusion,
// Q6 is its target and does not count down; :INFU:RATE? is the rate the motor
// is told now, 0.00 when it does not turn; :PROTOCOL:RATE? stays while paused; the
// thresholds of R2 and the counts of RD come from a linear scale that RX
// tells, the upstream count rising with suction. Control commands act, are not
// answered, and are counted, so that a test can prove that a gateway sends none.
package mivafront
