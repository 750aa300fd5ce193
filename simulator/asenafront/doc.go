// Package asenafront lets a pumpmodel.Pump speak the serial text protocol of an Alaris / Asena syringe pump.
//
// It says what such a pump can say: one alarm at a time, the most urgent; a log entry id that grows with every
// event, and no log; no battery charge and no bag. Pressure is in mmHg, volumes have three and rates two decimals.
//
// Choices where the protocol document leaves room: the rate of INF is what the motor runs at (0.00 on hold), INF_RATE is what
// is programmed; INF_VTBI is what is programmed and does not count down; time remaining is VTBI less volume over rate, empty while
// the pump stands still.
//
// Third-party clients take remote control (REMOTE_CTRL^ENABLED^code, the code being the CRC of the serial number) about once
// a second and then start, stop and set the pump. That works here and is counted as control, keep-alives too; without remote
// control, and when it lapsed for two seconds, a command is not obeyed. Commands are echoed as replies.
package asenafront
