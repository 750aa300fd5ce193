// Package sapphire reads Q Core Sapphire ambulatory pumps as basic telemetry: serial number, flow rate and the volumes of
// the VTBI, and nothing else, because no more is public. Alarms, battery, pressure, drug and run state are not known;
// they are absent or unknown, never normal.
//
// # The one message
//
// The pump pushes status batches as long as it hears a PC at least every 30 s. The driver may write exactly one message, the
// ThisIsPc heartbeat: 256 byte strings, one for each sequence number, are the whole allow-list. It changes
// what the pump sends, which the allow-list declares as a side effect. A heartbeat goes out at the start of a conversation, then with the
// first Poll that comes 10 s after the last one, so with poll intervals up to 15 s none is later than 25 s; and again after each second
// without two good batches, because one heartbeat does not always connect. What a pump does when the heartbeat ends is not known.
//
// # Freshness
//
// Between two Polls batches pile up in the input. Each Poll drops them and what remains of a half one, and takes what begins
// after it. A report needs two different batches (by sequence number): they must agree in serial number, software
// version, flow rate and total volume, and the delivered volume must not have moved by more than 1 mL.
// The report is the second one. A pump that repeats one batch for ever, with one
// sequence number, gives no report. The sequence number of the last report must not come again either.
//
// # What the checksum sees
//
// The checksum is a sum modulo 256: it does not see swapped bytes, nor two changes that cancel. Of a million seeded corrupted
// batches (TestCorruption) 97632 pass, 94112 of them with swapped neighbours, and 11176 have a wrong value. The agreement of two batches leaves
// none in 1995 reports on a line on which one answer in four is damaged: two batches would have to be damaged in the same way. With verify_checksum off only that agreement protects
// the values; every field is then marked uncertain.
//
// # Doubts of the protocol document
//
// The speed: at 9600 baud a batch takes 187 ms, so either batches come at most five times a second or the true speed is
// higher; it is a setting. Whether the checksum of the pump's messages follows the same rule as that of the host's: hence verify_checksum. Whether the
// flow rate is what is programmed or what runs: it is taken as pump-reported and marked uncertain; the programmed rate is absent. The
// run state is derived (infusing means a flow above zero) and marked uncertain; so are the volumes, which
// the document calls delivered and remaining of the VTBI. The drop size has no known meaning and is not reported.
//
// The package starts no goroutine and reads no clock but OpenOptions.Now.
package sapphire
