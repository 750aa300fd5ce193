// Package wire is the codec of the Alaris / Asena serial text protocol: frames, requests
// and replies, without any conversation. It is shared by the driver and the simulator
// and therefore pinned by the vectors of the protocol document (testdata/frames), never by its own output.
//
// A frame is ! body | CRC CR, the body's fields are separated by ^, the CRC is
// CRC-16/CCITT-FALSE over the body as four upper-case hex digits. Nothing is escaped. ESC cancels
// the frame that is being received (section 3). Decoders write into structs of the caller, keep
// texts as views of the input and allocate only for errors.
package wire
