// Package wire is the codec of the B. Braun BCC protocol (SpaceCom, Compact plus): frames with length, check and character
// stuffing, requests, blocks and their records, without any conversion. It is shared by the driver and the simulator and therefore
// pinned by the vectors of the protocol document (testdata/frames), never by its own output.
//
// A frame is SOH, length, STX, address, >, information, ETX or ETB, check, EOT. Length (of the whole frame) and check (sum of all
// bytes from SOH to ETX or ETB, modulo 256) have five decimal digits and count before stuffing. Stuffing replaces D, E, d, e by EX,
// EE, ex, ee in one pass over the whole frame (section 3).
package wire
