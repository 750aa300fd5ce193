//go:build linux

// Package link is the gateway's end of the line to a pump: it opens a serial
// device or a TCP serial server, keeps it open for ever and hands drivers a
// drivers.Port that behaves the same on both.
//
// What it promises:
//   - Nothing leaves that is not on the driver's allow-list. The check stands at
//     the lowest write, on the complete byte string; drivers.ErrForbidden, and
//     nothing is sent.
//   - A vanished port is a state, never an exit. Run reopens until its context
//     ends, with full-jitter backoff of at most 5 s, and looks every 250 ms
//     whether a device path appeared or leads somewhere else.
//   - Silence is os.ErrDeadlineExceeded, a hang-up is ErrLost, (0, nil) never happens.
//   - A stuck adapter blocks nobody: opening and closing run aside with a limit,
//     and Pending counts those that hang.
//
// What it does not do: it knows no protocol and no pump, and cannot tell
// whether anybody answers; package poll decides about online and silent.
//
// The serial line. go.bug.st/serial is the most used and best kept serial
// library for Go, and this package is its only importer. Version 1.8.0 leaves these
// things to its caller:
//   - It waits for each read with select(2), in a thread of its own: 64 ports took 64 threads and a third of the
//     processor time. Its write blocks without limit when an adapter takes nothing, and may be short. Reads and writes
//     therefore go through a second, non-blocking descriptor of the same device, which waits in Go's
//     poller. It also holds an advisory lock (flock), because TIOCEXCL does not keep
//     out programs that run as root. go.bug.st/serial opens and sets the device.
//   - A read waits in slices of 200 ms to see a cancelled context and an address that leads elsewhere.
//   - The kernel raises DTR and RTS at open whatever the caller wants;
//     Mode.InitialStatusBits sets their state a few milliseconds later, which a line
//     that rests low sees as one short pulse. link sets them there and
//     touches them never again, and clears HUPCL, or the kernel would drop both at
//     every close and so pulse them at every reconnect. Ptys have no such lines.
//
// Timing. After a query the port sleeps for the time that query and
// usual reply (drivers.Query.ReplyBytes) need on the wire and then reads, so that
// a reply costs one or two reads and not one per byte.
//
// The capture is text, one line per chunk: seconds of the boot clock, direction, bytes in hex.
//
//	# infusiond capture 1 driver=miva address=/dev/serial/by-id/...
//	1234.567890 > 02524e413003
//	1234.621345 < 02524e3132333435363738...
//	1239.000412 x 00
//
// The directions are > from gateway to pump, < from pump to driver, and x for bytes that
// were dropped unread before a query. A line that begins with # is a remark: a port
// was opened or closed. Ports that share a file cannot be told apart; give each its own.
//
// Run is the only method that needs a goroutine; a Port belongs to the goroutine
// that runs serve.
package link
