// Package newerafront lets pumpmodel.Pumps speak the RS-232 protocol of New Era NE-1000 syringe pumps: up to 100 pumps on one line,
// basic and safe mode.
//
// A pump tells status, rate, volumes and five alarms, and nothing else. An alarm is told in place of the answer to the first valid command
// and is acknowledged by that. In safe mode (SAF and a time-out in seconds) packets are framed with length and CRC, alarms are sent
// by themselves, and the pump stops with alarm T when the host falls silent for the time-out; SAF0 returns to basic mode. The safe-framed
// SAF0 with which known clients begin is understood in both modes.
//
// Commands act on the simulated pumps and are counted as control: RUN, STP, PUR, CLD, RAT, VOL, DIA, DIR, PHN, FUN, ADR, AL, BUZ, LOC, TRG, KEY, PF, ROM, LN
// and those that begin with an asterisk. Case, blanks and control characters do not count. Choices where the document leaves room: DIS counts
// since CLD or the last infusion; volumes are in mL; the second STP, which resets a program, is not told from the first; withdrawing moves nothing in the model.
package newerafront
