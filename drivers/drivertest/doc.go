// Package drivertest proves that a driver keeps the contract of package drivers.
//
// Port is a line in memory and in virtual time: a Responder stands for the pump, a Tamper
// for what the line does to its answers, and time-outs pass at once. It enforces the driver's
// allow-list over every byte written and keeps what was written. A pump may push by itself. Nothing
// here starts a goroutine or reads a clock.
//
// Run is the conformance suite. Its property, under every fault and at every point of
// the conversation: a report holds exactly what the pump said, or the value is absent, or
// the cycle is an error. After a fault the driver recovers, and each record of the pump's log is handed
// over exactly once. A pump that changes while it is read (reboot, counters, log) gives values that it had before or has since,
// and in a cycle behind the change only the latter. A part that a protocol cannot have is named in Suite.Impossible
// with its reason; none is skipped in silence. Over all runs, broken pumps that say anything included, what was
// written is held against the allow-list and against a list that the test brings.
//
// Corrupt decodes a million seeded corrupted streams and counts what is accepted and was never sent, with a bound that
// follows from the protocol's checksum, and takes corrupted answers through whole cycles.
package drivertest
