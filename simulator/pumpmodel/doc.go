// Package pumpmodel is the physics of one ambulatory infusion pump: motor and
// strokes, administration set, lines with compliance, bag, battery, clock,
// alarms and the event log.
//
// It knows no protocol and no bytes; a front (simulator/mivafront) says in a
// protocol's words what this pump can say. It starts no goroutine, reads no
// clock and does no I/O: time passes only by Advance, in fixed steps, and all
// randomness comes from the source passed to New. The same seed and the same
// acts at the same times give the same run, however Advance is divided.
//
// View is what the pump itself knows. Truth is what happens in the line and in
// the patient, which no pump reports: the volume counter counts commanded
// strokes, also into a closed, leaking or disconnected line.
//
// Units: mL, mL/h, mbar against the atmosphere, hours or time.Duration. A Pump
// belongs to one goroutine.
package pumpmodel
