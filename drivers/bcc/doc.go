// Package bcc reads B. Braun Space pump stations (SpaceCom, battery pack with Wi-Fi, Compact plus) over the BCC protocol: up to 24
// pumps on one port. The protocol has no control command at all; the allow-list holds its four requests, ACK and NAK.
//
// # One cycle
//
// A session begins with ADMIN:ALIVE, whose answer tells the bed id. Then each cycle asks MEM:GET, or MEM:GETSLOT when one
// pump is configured, which saves the time of the others on the wire. The station answers with blocks, one for each pump; each good
// one is answered by ACK, which brings the next, a damaged one by NAK, which brings it again, at most twice. ADMIN:ALIVE is asked again only after a cycle
// that failed. With mode: cyclic the device sends by itself, and the driver only answers ACK and NAK.
//
// ADMIN:VERSION is allowed and not asked: the station's version says nothing of a pump. MEM:GET restarts the counters "since the last request" of the
// station (mean rate, boluses): the allow-list declares it. This driver does not report them.
//
// A station that has an error in place of a pump (GNERR 39: removed; 4x: cannot be reached) has no report of it, and the others have theirs; when none has
// one, the cycle ends with drivers.ErrSilent.
//
// # Identity
//
// A block holds serial number (INSERNUM, or the unique id INNR of a pump that never gave INSERNUM) and values of one pump together, so no report can mix
// two pumps, and each is handed over when its block is there. A block that names two pumps is malformed. Report.Address is pillar and slot, like 11 or 2A.
// A block without a serial number gives a report without one, which a gateway attributes to nobody: that the pump is there is true, whose it
// is was not said. Another serial number at an address ends the cycle with drivers.ErrIdentity, behind the reports of the other pumps.
//
// # Freshness
//
// Before each request the input is emptied, and records carry the device's uptime in seconds. Three rules follow. The times of one block lie
// together. A block from before an earlier block of the session ends it: it is old, or the device was restarted. And the greatest difference between the
// device's time and ours that was heard in the session tells what time it was at the device when the cycle began: a block from more than two seconds before that (one
// hidden by whole seconds, one because the device looks at its pumps once a second) is old. A device that
// gives a buffered block again is found so, also when it falls behind in small steps.
//
// A cyclic device that nobody listened to still has the rest of a round to send, made as long ago as the last cycle. It is acknowledged, because
// the device sends nothing new before that, and not used: values come from rounds that begin within the cycle.
//
// # Values
//
// _NV and _NA are absent. A number outside the range of section 5.2, or that is no number, is absent and named. A parameter that comes twice with
// different values makes its block malformed. INRT is taken as the programmed rate, and marked uncertain, because the document calls it only rate; it
// is not repeated as what runs. INVI sticks at 9999.9, INRMT at 65535: then the value is a lower bound. INVTB, VOLREMAIN and INBOVAL are
// uncertain in what they count. What a pump does is taken from INM3, STATUS1 and the bits run and stop of RUNSTATE; where two of them contradict
// each other it is unknown. Patient and nurse identifiers are dropped unread.
//
// # Alarms
//
// Depending on a device setting they come as flags INA1 to INA16, or as words ALARM1, ALARM2 and PREALARM; one table maps them all. They are known
// when all three words are there, or every flag that such a pump needs: battery, pressure, end of volume, and the syringe of a Perfusor or
// door and air of an Infusomat. A set with holes, or with _NV in them, is no proof that there is none: then alarms are unknown, unless RUNSTATE says in
// one number that there is neither alarm nor pre-alarm. What such a set announces is told, with Alarms uncertain. An alarm or
// pre-alarm of RUNSTATE that nothing else names is an unknown alarm, with the number LASTDA. A flag or bit that the document does not
// name is one, too. "CC alarm" (INA6) is an abbreviation that the document does not explain: unknown.
//
// # What the checksum sees, and what it does not
//
// The check is a sum modulo 256 and does not see two characters that are swapped, nor two changes that cancel. Of a million seeded corrupted blocks of about 200
// bytes (TestCorruption) 72008 pass with stuffing and 80051 without, nearly all of them swapped neighbours. The syntax of records, the ranges
// and the rules above leave 17029 with a wrong value when each is judged alone: 5.00 and 50.0 have the same sum.
//
// Therefore no block is believed alone. A report must agree with the one before of that pump, in everything but what time and rate explain
// (agreement.go); any other is asked for once more with NAK and taken when it comes again alike, or agrees with an earlier one. That costs one repetition when something
// changes, a second or less, and one for the first block. Of the same million 5 wrong values are then left with stuffing and 1 without,
// each a number that could have been reached meanwhile (a remaining time of 63144 s read as 63114 s), and on a line on which one answer in four is damaged, none of 1814 reports was wrong (before
// that rule, one in 65).
//
// The package starts no goroutine and reads no clock but OpenOptions.Now.
package bcc
