// Package simulator runs simulated infusion pumps: a physical model behind the real
// bytes of a protocol, on pseudo-terminals or TCP in real time, or in virtual time
// for tests.
//
// A port is one line of the host; on it hangs a station, one front that speaks for one or more pumps. The
// protocols are the rows of one table, rows.go. Lines, fronts and models belong to a fleet and its one
// mutex: an exchange takes microseconds, and two pumps can change places.
//
// Start runs a Simulator in the background of a test, Do does to a pump what a
// person or the world does, Status tells what the pump says beside what really
// happens. NewVirtual and NewVirtualLine give pumps without goroutines or waiting. Everything random
// comes from the seed; a pump's share of it depends on its name alone.
//
// Only the byte codec (drivers/*/wire) is shared with the gateway, no conversion: a unit error must not
// cancel itself. README.md is the tour.
//
// The goroutines are those of Simulator.Run and end before it returns.
package simulator
