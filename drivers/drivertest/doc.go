// Package drivertest proves that a driver keeps the contract of package drivers.
//
// Port is a line in memory and in virtual time: a Responder stands for the pump, a Tamper
// for what the line does to its answers, and time-outs pass at once. It enforces the driver's
// allow-list over every byte written and keeps what was written. Nothing here starts a goroutine
// or reads a clock.
//
// Run is the conformance suite. Its property, under every fault and at every point of
// the conversation: a report holds exactly what the pump said, or the value is absent, or
// the cycle is an error. After a fault the driver recovers, and each record of the pump's log is handed
// over exactly once.
package drivertest
