// Package asenafront lets a pumpmodel.Pump speak the serial text protocol of the Alaris / Asena
// syringe pumps, one pump to a line.
//
// What this protocol cannot say, the Front does not say: a log (only the number of its newest entry, which grows with
// every event of the model), more than one alarm, air in the line, an occlusion towards the syringe, battery charge, a clock. An alarm
// of the model for which section 5 has no code is not announced, not even by the flag.
//
// # Control
//
// The bodies with which published clients control a pump act on the model, are answered as their sources show, and are
// all counted as control, keep-alives too: a gateway leaves that count at zero. Remote control is taken by REMOTE_CTRL^ENABLED with the
// checksum of the serial number, lapses 2 s after the last such body, and ends at once with DISABLED; without it INF_START,
// INF_STOP, INF_RATE^, INF_VTBI^, INF_BOLUS^ and INF_VI_CLEAR are refused. What a real pump answers to a refused body
// is not known, so there is no answer, and the body counts as unknown, too. REMOTE_CFG and REMQUERY are acknowledged and change nothing.
//
// # Choices where the protocol document leaves room
//
// INF's rate is what the motor is told now, 0.00 on hold; INF_RATE is what is programmed. INF_VTBI is what is
// programmed and does not count down; 9999 mL and more, and zero, stand for no VTBI, which is shown as DEACT with empty fields. The time
// that is left is what VTBI or syringe still hold at the programmed rate, also on hold, and empty without a rate. INF_VI_CLEAR
// sets the shown volume to zero and leaves the VTBI's own count alone. The mode is SET while the motor turns, HLD otherwise. An empty
// syringe is AL_EOIST, a finished VTBI AL_VTBIS, at the keep-vein-open rate AL_EOIKV and AL_VTBIK; a syringe taken out is AL_SYRCO.
// The rate has steps of 0.01 mL/h, because rates are set and told with two decimals and nothing tells a coarser step.
package asenafront
