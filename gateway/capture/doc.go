// Package capture reads what infusiond run --capture wrote (the format is described in gateway/link) and has each frame
// explained by the driver.
//
// Reads of one direction that follow each other are joined, because a reply comes in as many pieces as the line
// and the system like. The other direction, bytes that were dropped unread, and a remark (a port was opened or closed) end
// a stretch. Every byte of the file comes out exactly once and in order, explained or not.
//
// A file may be of any size and hold anything: lines, stretches and so memory are bounded, and what is no capture is
// an error with its line. The package starts no goroutine, sends nothing and knows no protocol.
package capture
