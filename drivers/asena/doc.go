// Package asena reads Alaris / Asena GS, GH, CC and TIVA syringe pumps (BD, CareFusion, Cardinal
// Health) over their serial text protocol. It asks the ten read-only requests of the
// protocol document's section 5, each without an argument; the allow-list holds exactly those
// frames. Remote control, which every control command needs, is never taken.
//
// # One cycle
//
// INF comes first: it carries the serial number beside alarm flag, mode, rate, volume and pressure. Then
// INF_RATE, ALARM when it is due, and every 30 s INF_VTBI and SYRINGE_STATUS. These do not say
// who sent them, so INST_SERIALNO closes the cycle: a serial number that is not the session's
// fails the cycle with drivers.ErrIdentity, and the next one starts anew.
//
// # An answer belongs to its question
//
// Every reply repeats its request. A reply that came too late could still pass as the answer to the
// same request asked again. Therefore after a time-out INST_SERIALNO is asked, with the time that
// the pump itself declares (COMMS_RESPONSE_MAX, 4 s unless it says less), and what comes before its answer is
// thrown away: a pump answers in order. Before each request the input is emptied.
//
// # Answered, silent, unavailable
//
// A reply has 1 s and two repeats (section 8). INST_SERIALNO or INF without an answer fails the cycle.
// Another request that was never answered is unavailable for ten minutes and named in
// Report.Unavailable; one that was answered in this session and now is not fails the cycle.
// The error reply of the protocol is not known.
//
// # Which rate
//
// INF tells 0.00 while the pump is on hold, so its rate is taken as what the pump runs at; INF_RATE,
// whose meaning is the mirror of the setting command, as what is programmed, and marked uncertain. The
// run state is derived: infusing when the rate is above zero and the mode is not HLD, keep-vein-open when
// beside that an alarm says so. It is marked uncertain, too. So is the VTBI: the document does not say whether it counts down.
//
// # Alarms
//
// The flag in INF says whether there is an alarm, ALARM which one; the pump shows one at a time. A flag with
// no alarm behind it, or with no answer, makes the alarms unknown in this cycle, never none. An alarm that
// another one replaced while the flag stayed is kept, marked Derived, until the flag goes: it cannot be told whether
// it ended. The anchor carries these codes over a restart. ALARM is asked when the flag is set, when the log entry id
// moved and every 10 s. The log behind that id cannot be read.
//
// # What the checksum sees
//
// CRC-16 sees every burst of up to 16 bits. Of seeded random corruption (TestCorruption) about one frame in 65,536
// that keeps its form passes; the fixed fields and numbers of INF leave fewer.
//
// The package starts no goroutine and reads no clock but OpenOptions.Now.
package asena
