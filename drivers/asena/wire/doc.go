// Package wire holds the bytes of the Alaris / Asena syringe pumps' serial text protocol: frames,
// requests and replies, in both directions.
//
// A Scanner cuts frames out of a byte stream under the rules of the protocol document's
// section 3. Decode splits the body of one reply into the fields of a Reply that the caller
// owns; fields are views into the body. AppendReply and ParseRequest are the pump's side, for a
// simulator.
//
// The package converts nothing: fields stay the texts that stand on the wire. Decode demands what
// makes a body a reply of its kind (its first field, the number of its fields, a
// serial number, a log entry number); whether a single value has its form is asked with Field.Good, so that
// one odd value costs that value and not the others. It knows no conversation, no
// time-outs and no port. It imports the standard library only, keeps no state outside its types and
// is not safe for concurrent use of one Scanner.
//
// It is pinned by the vectors of the protocol document in testdata/frames, never by its own output.
package wire
