// Package miva reads Zyno Medical MIVA, Nimbus II and CAPS pumps over their
// serial command protocol. It asks the read-only queries of the protocol document's
// section 5 and nothing else: the allow-list holds exactly those frames, and the
// words that change a pump (W.., K.., L.., :POWER.., text commands without a
// question mark) do not occur in this package.
//
// # One cycle
//
// Every cycle opens and closes with RN, the serial number, so that a cable moved to another
// pump can never mix two pumps in one report: a serial number that changed within a session
// fails the cycle with drivers.ErrIdentity, and the next one starts anew. Between them stand
// run state, rates with their units, volumes and the log's indices; every 30 s
// also clock, battery, occlusion sensors, mode and program.
//
// # An answer belongs to its question
//
// Two-letter replies repeat their letters, RE also its index. The text queries
// (:INFU:RATE?, :PROTOCOL:RATE? and others) repeat nothing, so a late answer to one could pass
// as the answer to the next. Therefore after every time-out the driver asks RN and throws
// away all that arrives before its answer: a pump answers in order, so whatever was
// outstanding is then behind it. Before each query the input is emptied. This
// rests on the line keeping its order, which a serial line and a TCP stream do. For a line that
// does not, an answer that could be one that was lost within the last ten seconds is
// confirmed: a second one before the next answer to RN makes both worthless.
//
// # Answered, silent, unavailable
//
// A reply has 500 ms and two retries. RN without an answer is drivers.ErrSilent
// (drivers.ErrChecksum, ErrMalformed, ErrTruncated or ErrMismatch when something came, and nothing to be trusted). A
// query that was answered in this session and now is not fails the cycle. A query
// that never was is unavailable for ten minutes, named in Report.Unavailable, and its
// value absent. A reply that cannot be read (the word ERROR, a rate that is no decimal) makes the
// value absent in this cycle only.
//
// # Alarms are worked out
//
// The protocol has no query for active alarms. They are derived from the event
// log: an alarm record raises, a run, pause or power record or a "cleared" subtype
// ends, and every alarm says Derived. When a session starts, the log is read back to the
// last run, pause or power record; when none is found within the bound and no alarm either, AlarmsKnown
// is false. At most 40 records are read in a cycle; until the head is reached alarms are not known.
// Raw program data between two markers is never taken for an event.
//
// # Doubts of the protocol document
//
// The pressure unit is not known: sensors are raw counts. S9's downstream field is uncertain
// (the vendor reads its low 8 bits), RD is preferred. The position of type 8's
// subtype, further mode words and rate units, and what a pump says while it is
// off are not known. A rate in a unit other than ML/HR is absent, never converted.
// Power-on is taken as an end of alarms, because a booting pump has none in memory; the document
// names run, pause, power-off and cleared only. Type 4 (infusion limit reached) and type 19
// (battery failure) are taken as alarms although the document does not write the word. An
// unknown event type is an unknown alarm. //
// # What the checksum sees
//
// Neither rule sees two swapped characters. Of a million seeded corrupted answers (TestCorruption, 979725 that differ) 48568 frames pass
// under sum and 55504 under XOR; form, length and repeated letters leave 28354 and 29374 with a wrong value. Nearly all are
// swapped neighbours (27415): of the other nine kinds of damage 0.1 % (sum) and 0.2 % (XOR) give a wrong value, most of them digits in place of
// digits. On a line on which one answer in four is damaged in these ways, one report in nine holds a wrong value.
//
// The package starts no goroutine and reads no clock but OpenOptions.Now.
package miva
