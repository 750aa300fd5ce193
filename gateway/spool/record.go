package spool

import "time"

// Kind says on which topic and in which measurement a record goes out.
type Kind uint8

// The kinds of records.
const (
	Observation Kind = iota + 1
	Event
	Alert
)

// Key identifies a record: (gateway, epoch, stream, seq). The gateway is the same in one spool.
type Key struct {
	Epoch    string
	Stream   string // the pump's name; empty for the gateway's own stream
	Seq      uint64 // +1 per record of the stream, over all kinds
	TopicSeq uint64 // +1 per record of the stream and kind
	Durable  bool   // false: the disk does not work, the record lives in memory
}

// Draft is a record that has no number yet.
type Draft struct {
	Stream string
	Kind   Kind
	At     time.Time // the record's ts, UTC
	// Encode builds the payload once the key is known. It runs inside the transaction,
	// must not block, and gives the same bytes for the same key.
	Encode func(Key) ([]byte, error)
}

// Record is a numbered record.
type Record struct {
	Key
	Pos     int64 // place in the spool; cursors are places
	Kind    Kind
	At      time.Time
	Payload []byte // complete JSON message
}

// Batch is written in one transaction: all or nothing.
type Batch struct {
	Drafts []Draft
	// Notes are values of the gateway that must never be older or newer than the
	// records: log anchors, open alerts. A nil value deletes.
	Notes map[string][]byte
}
