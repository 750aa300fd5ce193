// Package newera reads New Era NE-1000, NE-1600, NE-4000 and WPI Aladdin syringe pumps: bench pumps for developers, no medical
// devices, and without any serial number. Their identity is weak, so a real gateway refuses them.
//
// # What a query is
//
// An address and a query word with nothing behind it. The allow-list holds exactly those; a word with a value, which
// would set something, does not match. SAF, which enters safe mode, does not occur.
//
// Every query has a side effect: the pump takes an alarm as acknowledged when it was sent in answer to any valid command.
// So reading consumes the alarm. The driver latches it: it stays in the reports until the pump is seen infusing, withdrawing or purging again,
// over failed cycles, new conversations and restarts (the anchor carries it); one that was overcome before its report was made stands
// in that report all the same. A reply that was lost or damaged may have carried an alarm: from then until the pump is seen running,
// alarms are unknown and not none, or uncertain beside one that is known. So they are at the begin of every conversation with a pump
// that stands still, because the anchor tells nothing of a cycle that ended without a report.
//
// # Safe mode
//
// A pump that somebody put into safe mode stops itself when the host falls silent for longer than its time-out: then this
// gateway's polling is part of what keeps it running, and ending the gateway stops the pump. The driver never enters safe mode; with the
// setting framing: safe it speaks to a pump that is already there. Replies and alarm packets in either framing are
// understood with both settings.
//
// # No checksum
//
// In basic mode a changed digit cannot be seen in one reply. So everything is asked until two replies in a row are the same,
// at most five times; the volume of a running pump may grow: of three growing replies the middle one
// is taken. The status is believed when two replies in a row carry it. An alarm is told once and cannot be asked again. Of
// a million seeded corrupted replies (TestCorruption) 429062 are frames and 60153 the answer that was waited for with a wrong value; on a line on which
// one answer in four is damaged none of 1903 reports holds one, because two replies in a row would have to be damaged in the same way. In safe
// mode 5662 pass as frames of either framing and none as an answer.
//
// # Several pumps on one line
//
// Replies carry the address. Live pumps are asked first and each report is handed over at once; a pump that fails
// is asked again when the others are done, and a dead one once a cycle, at the end. Without configured addresses pump 00 is asked.
//
// # What the values mean
//
// RAT is the rate of the selected phase: programmed. What runs is told by the status alone. DIS is the volume since it was
// cleared. VOL is the target of the phase; 0 means none and is absent. While the pump withdraws the run state is unknown, because no word of ours
// says so, and the mode says "withdrawing".
//
// The package starts no goroutine and reads no clock but OpenOptions.Now.
package newera
