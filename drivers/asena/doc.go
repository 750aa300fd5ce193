// Package asena reads Alaris / Asena syringe pumps (GS, GH, CC, TIVA) over their serial text
// protocol. Its allow-list holds the ten request bodies of the protocol document's section 5, each
// without argument and as one exact frame: REMOTE_CTRL, INF_STOP, INF_VI_CLEAR and every body with a caret are
// not in it, and no rule could let them in. INF_VI and INF_RATE_MAX_SYRINGE are asked only to settle what
// is owed, because INF tells the volume and no report tells a limit.
//
// # One cycle
//
// Every cycle opens and closes with INF, which carries the serial number beside alarm flag, mode, rate, volume,
// pressure and the number of the newest log entry. What stands between (INF_RATE, INF_VTBI, ALARM
// when it is due, every 30 s SYRINGE_STATUS) does not say who sent it, so a cable moved to another pump can never
// mix two pumps in one report: another serial number than the session's fails the cycle with
// drivers.ErrIdentity, and the next one starts anew. The report's values are those of the closing INF, one
// frame and one moment. It must agree with the INF before it in flag, mode, rate and log entry,
// or it is asked again, at most four times: a damaged frame that the checksum lets pass would have to come twice.
//
// # An answer belongs to its question
//
// Every reply repeats its request, so an answer to another request is never taken. A late answer
// could pass as the answer to the same request put again, with a value from before. Therefore after every time-out
// a request of another name is put, the serial number first, until one is answered: a pump answers
// in order, so whatever was outstanding is then behind it. Which answers are owed is remembered over the end of a cycle for
// ten seconds. Before each request the input is emptied. This rests on the line keeping its
// order, which a serial line and a TCP stream do.
//
// # Times
//
// A reply has 1 s and two repeats (section 8). A pump is called silent only when it gave no sign for the longest
// time that it declares itself: COMMS_RESPONSE_MAX, believed from 1 s to 5 s, 4 s until it is read. When an
// answer came after more than 1 s, that time becomes the time-out until a cycle without such an answer. INF or
// INST_SERIALNO without an answer fails the cycle. Another request that was answered in this session and now is
// not fails it, too; one that never was is unavailable for ten minutes, named in Report.Unavailable, and its value absent.
//
// # Alarms
//
// ALARM is asked when INF's flag is A, at once when the number of the newest log entry changed, and every 10 s. The log
// itself cannot be read, so no log record and no gap is reported: between two polls events can be missed. The
// flag "-" means that there is none. When the flag is A and ALARM says AL_NOALM, again and again within the cycle,
// alarms are unknown, never none; when ALARM has no answer at all, the flag alone is an alarm of unknown kind.
// The pump shows one alarm at a time. A report tells what the pump named within its cycle and nothing from an
// earlier one: an alarm that another one replaced may still stand behind it. Keeping it until the flag falls would be a
// guess, wrong for hours when a lasting battery warning follows an occlusion. So Alarms is named in
// Report.Uncertain whenever an alarm is shown; at least the one that the pump holds for the most urgent is always told.
// An alarm that was named and gone within one cycle is told once.
//
// # Rates, state, VTBI
//
// INF's rate is taken as the rate that the pump runs at, because the recorded reply of a pump on hold has 0.00
// there while the time that is left still counts on a set rate. INF_RATE is taken as the rate that is set, because
// with an argument it sets it. Neither is said by the document, so both are in Report.Uncertain, and so is
// VTBI: a published client takes it for what is left. State is derived: on hold or at rate 0 it does not run,
// otherwise it does; AL_OCCLU, AL_EOIST and AL_VTBIS tell why it stands, AL_EOIKV and AL_VTBIK that it keeps the vein open.
// Other words for a mode than SET and HLD are kept and taken for running when there is a rate, as section 5 says.
//
// A value in another unit than ml/h, ml or mmHg, without its number of decimals or out of range (0 to
// 1200 mL/h, -750 to 3000 mmHg) is absent, named in Report.Unavailable. COMMS_PROTOCOL's name stands in
// Identity.Model; the pump tells no firmware.
//
// # What gets through
//
// CRC-16/CCITT-FALSE finds every burst of up to 16 bits. Of 927,505 seeded corrupted replies (package wire,
// TestAMillionCorruptedReplies; most of them many digits replaced by digits, which keeps every form), 6 had a fitting
// checksum, and 3 of these fitting fields; chance would give one in 65,536. Of the 3 one kept the serial number, and only its INF could
// have been believed, had the INF before it been spoiled in the same way.
//
// The same for whole answers with other kinds of damage (TestCorruption, a million cases): none passes, and none of 1824
// reports on a line on which one answer in four is damaged holds a wrong value.
//
// # Simulators
//
// A simulator's serial number is SIM, a digit, a hyphen and five digits (SIM1-00042): the length and the hyphen of a
// real one (8002-51740), in letters that no known model number has. The document does not say that serial numbers are digits.
//
// # Doubts of the protocol document
//
// The meanings of alarm codes but AL_NOALM, AL_OCCLU, AL_EOIST, AL_LBTAC, AL_COMTO and AL_VTBIS are read from the
// abbreviation; the table calls them interpreted, AL_LBTAC too, which the document's list does. AL_LDSCN,
// AL_TITCA, AL_TITNC and AL_TCITG are unknown alarms with their code. AL_OCCLU does not tell the side. Error replies
// are not known: a body that is no reply of its request counts as a bad frame. Whether reading works with
// communications set to off or nurse call is not known.
//
// The package starts no goroutine and reads no clock but OpenOptions.Now.
package asena
