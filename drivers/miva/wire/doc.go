// Package wire holds the bytes of the Zyno Medical MIVA / Nimbus serial
// command protocol: frames, queries, replies and event-log records, in both
// directions.
//
// A Scanner cuts frames out of a byte stream under the receiver rules of the
// protocol document's section 3. Decode reads the payload of one reply into a
// Reply that the caller owns; texts are views into the payload. AppendReply,
// Event.Record and ParseRequest are the pump's side, for a simulator.
//
// The package converts nothing: numbers stay the integers that stand on the
// wire, with the divisor named in the comment. It knows no conversation, no
// time-outs and no port. It imports the standard library only, keeps no
// state outside its types and is not safe for concurrent use of one Scanner.
//
// It is pinned by the vectors of the protocol document in testdata/frames,
// never by its own output.
package wire
