// Package simulator runs simulated infusion pumps: the physics of
// simulator/pumpmodel behind a protocol front, on a pseudo-terminal, on TCP, or
// in memory in virtual time.
//
// New opens the lines, Run serves them until its context ends; Start does both
// for tests. Do takes the commands of the infusim program, one line of text
// each. NewVirtual gives one pump without any goroutine, whose time passes by
// reading, writing and Pass alone.
//
// A simulator shares only the byte codec (drivers/*/wire) with the gateway,
// no conversion: a unit error must not cancel itself. README.md is the tour.
package simulator
