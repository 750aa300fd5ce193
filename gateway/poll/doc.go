// Package poll asks the pumps of one port in turn, at a fixed interval, and makes
// of each turn exactly one Cycle per configured pump: a report, or the reason why
// there is none.
//
// What it promises:
//   - Every interval one Cycle per pump, also while the port is absent, being opened or
//     silent. Cycles keep to their grid, never overlap and are never made up for: slots
//     that pass during a long cycle, a blocked Emit or a suspend are left out.
//     A new connection is polled at once and begins a new grid.
//   - Attribution by serial number. A report whose serial number is not the configured
//     one, or is a simulator's where those are refused, becomes a Gap, and
//     nothing else of it survives.
//   - Missing is a value: a failed cycle carries a Gap with its reason, never an earlier report.
//   - Log records are not lost between driver and spool: when Emit fails, the conversation
//     is begun anew from the stored anchor, so that the pump's log is read again.
//
// What it does not do: it converts nothing, stores nothing, knows no
// protocol and opens no device. A panic in a driver is not recovered.
//
// Run has two goroutines: the line's, which opens and closes, and the loop, which
// alone uses the port, the driver and the pumps' state. The line lends the port to
// the loop and closes it only after it got it back.
package poll
