// Package alert turns what the checks find and what the pump announces into alerts with a
// life: pending, raised, changed, ended. The conditions are declared in one table
// (table.go): code, priority, text, how many readings they must last, how they escalate, and which
// evidence may end them. The machine does no I/O and reads no clock.
//
// An alert never ends because its evidence went away: a stop that was seen stays raised
// while the pump is silent, a pump alarm stays raised while the pump's alarms cannot be told,
// and an absence alert lasts until data returns.
package alert
