// Package bcc reads B. Braun Space pump stations (SpaceCom, battery pack with Wi-Fi, Compact plus) over the BCC protocol: up to 24
// pumps on one port. The protocol has no control command at all; the allow-list holds its four requests, ACK and NAK.
//
// # One cycle
//
// A session begins with ADMIN:ALIVE, whose answer tells the bed id. Then each cycle asks MEM:GET, or MEM:GETSLOT when one
// pump is configured, which saves the time of the others on the wire. The station answers with blocks, one for each pump; each good
// one is answered by ACK, which brings the next, a damaged one by NAK, which brings it again. ADMIN:ALIVE is asked again only after a cycle
// that failed. With mode: cyclic the device sends by itself, and the driver only answers ACK and NAK.
//
// ADMIN:VERSION is allowed and not asked: the station's version says nothing of a pump. MEM:GET restarts the counters "since the last request" of the station (mean rate, boluses): the allow-list declares
// it. This driver does not report them.
//
// # Identity
//
// A block holds serial number (INSERNUM, or else the unique id INNR) and values of one pump together, so no report can mix
// two pumps, and each is handed over when its block is there. Report.Address is pillar and slot, like 11 or 2A. A block without either number gives a report
// without a serial number, which a gateway attributes to nobody. A serial number that changed at an address ends the cycle with drivers.ErrIdentity.
//
// # Freshness
//
// Before each request the input is emptied, and records carry the device's uptime: a block whose time lies before that of an earlier
// block of the session ends it, because either it is old or the device was restarted. After a failed
// cycle everything before the answer to ADMIN:ALIVE is thrown away.
//
// # Values
//
// _NV and _NA are absent. A number outside the range of section 5.2, or that is no number, is absent and named. A parameter that comes twice with
// different values makes its block malformed. INRT is taken as the programmed rate, and marked uncertain, because the document calls it only rate; it
// is not repeated as what runs. INVI sticks at 9999.9, INRMT at 65535: then the value is a lower bound. INVTB and VOLREMAIN are
// uncertain in what they count. Patient and nurse identifiers are dropped unread.
//
// # Alarms
//
// Depending on a device setting they come as flags INA1 to INA16, or as words ALARM1, ALARM2 and PREALARM; one table maps them all.
// Without any of them, or with _NV in their place, alarms are unknown, never none. The alarm bit of RUNSTATE without a name for it is an unknown alarm.
//
// # What the checksum sees
//
// The check is a sum modulo 256 and does not see two characters that are swapped, nor two changes that cancel. Of a million seeded corrupted blocks of about 150
// bytes (TestCorruption) 70316 pass with stuffing and 79379 without, nearly all of them swapped neighbours; the syntax of records, the ranges and the
// rule against double parameters leave 20802 and 23019 with a wrong value (20092 and 22180 swapped): a digit of a value swapped with
// its neighbour cannot be seen in one block. Other damage gives a wrong value in 0.1 % of the cases. On a line on which one answer in four is
// damaged one report in 65 holds a wrong value.
// Therefore rate and volume are compared with the block before where the counters allow it: a pump whose volume fell, or rose by more than its rate and
// boluses explain, is for the checks of the gateway (C10), not for this driver, because it is what the station said.
//
// The package starts no goroutine and reads no clock but OpenOptions.Now.
package bcc
