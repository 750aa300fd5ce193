// Package scenario holds the acceptance scenarios of the domain facts, section 7, as data, and runs them: what happens to pumps, bags, lines,
// batteries, clocks and cables at which time, what is expected of a gateway, and what is true of the simulated pumps meanwhile.
//
// A scenario is a YAML file with relative times (files/*.yaml are embedded; README.md of simulator explains the keys). Loading is strict: an
// unknown key, a time that is out of order, a command that is not understood, or a pump that does not exist is an error with file,
// line and mend. Needs says which abilities of a pump's protocol a scenario is about; Matrix says which protocol has them.
//
// Run works on a Stage: pumps in virtual time (NewVirtual), or a running simulator in real time (NewReal). Steps for a gateway, a broker or a
// person are handed to the caller's harness, and reported when there is none; they are never left out in silence.
// The facts of a scenario are checked against the simulator alone; the expectations are for whoever judges a gateway.
package scenario
