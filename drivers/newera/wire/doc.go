// Package wire is the codec of the New Era NE-1000 family (WPI Aladdin): both framings, queries and replies, without
// any conversion. It is shared by the driver and the simulator and therefore pinned by the vectors of the protocol
// document (testdata/frames), never by its own output.
//
// Basic mode: the host sends address, command, CR; the pump STX, address, status, data, ETX, without any checksum.
// Safe mode: both send STX, length, data, CRC (XMODEM, high byte first), ETX; the CRC's bytes may look like STX or ETX, so the
// length counts (section 3). A receiver tells them apart by the byte behind STX: an address is a digit (0x30 and
// above), a length of these short messages is less.
package wire
