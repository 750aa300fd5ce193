// Package bccfront lets pumpmodel.Pumps speak the B. Braun BCC protocol behind a ComDevice: up to 24 pumps on one port.
//
// In request mode the device answers MEM:GET with a block of the station and one for each pump, each sent after the ACK for the
// one before; NAK repeats a block, a new request begins anew. In cyclic mode it sends by itself every five seconds, and at once when a state or
// an alarm changed, and sends nothing more before its block is acknowledged. A request with a wrong bed id, or one that is
// none of the four, gets GNERR 68. The protocol has no control command, so nothing that comes over this line changes a pump.
//
// Alarms are flags INA1 to INA16 or, with Words, the words ALARM1, ALARM2, PREALARM and STATUS1; the flags are then _NV. What a model does not have is _NV, like
// the syringe of an Infusomat. Choices where the document leaves room: INRT is the programmed rate; INVTB is what is
// programmed and VOLREMAIN what is left of it; INP2 is the sensed pressure in percent of the limit, never below 0; a pump that is switched off is
// answered for by GNERR 39 once and is then missing; of the counters since the last request only the mean rate INAVRT is simulated. A
// Perfusor (688) has the flags of its syringe in place of those of door, drops and air.
package bccfront
