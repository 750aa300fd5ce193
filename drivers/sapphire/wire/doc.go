// Package wire is the codec of the Q Core Sapphire's serial protocol (QCP), as far as public facts
// go: messages, the heartbeat, and six fields of the status batch. It is shared by the driver
// and the simulator and therefore pinned by the vectors of the protocol document (testdata/frames),
// never by its own output.
//
// A message is 0xBB, target, flags, sender, type, length (big endian), sequence number, data (little endian),
// checksum: the sum of all bytes but the first, modulo 256. Nothing is escaped, 0xBB may occur
// inside, so a receiver resynchronises by header, length and checksum (section 3).
package wire
