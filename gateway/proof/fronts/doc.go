// Package fronts proves every driver against the simulated pumps of its protocol: real bytes, physics, virtual time, and a
// line that is spoiled in every way that the simulator knows. A report is either what the pump said in that cycle, or the value is absent, or the
// cycle is an error; no byte leaves that is not on the driver's allow-list; and the pump counts no command that would change it.
package fronts
