// Package drivers is the contract between the gateway and the pump protocols.
//
// A driver holds the conversation of one protocol: which read queries are
// asked, in which order, and what the pump's bytes mean. It returns numbers
// exactly as the pump printed them; conversion belongs to gateway/normalize.
// A driver never opens a device, starts no goroutine, reads no clock and logs
// nothing. Whoever calls Poll owns the goroutine.
//
// The contract carries the first promise of infusiond: a driver can only read.
// Every byte string that it may write stands in its allow-list (Profile.Allow),
// the Port it is handed refuses everything else, and drivertest proves both.
package drivers
