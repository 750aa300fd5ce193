//go:build linux

// Package probe asks who is on a serial port, with the protocols that a person names, one after the other, and writes
// down what it found as an entry of the configuration.
//
// It sends the same queries as the gateway, through the same link, so nothing leaves that is not on the protocol's
// allow-list. Still a query of one protocol may mean something else to a pump of another, which is why it is
// for pumps that are not connected to a patient: the caller has to make sure of that, and Run sends nothing
// without Options.NotOnAPatient. Queries with a side effect are sent only when their protocol was named, never for "all"
// (Select).
//
// It stores nothing and judges nothing. Run has no goroutine of its own but the link's, and joins it.
package probe
