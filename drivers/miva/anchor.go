package miva

import (
	"fmt"
	"hash/fnv"

	"infusiond/drivers/miva/wire"
)

// anchor is the place in the log up to which records were handed over. It is
// kept as text, because the gateway stores it.
type anchor struct {
	index uint32 // of the last record handed over
	head  uint32 // of the log when it was read
	hash  uint64 // of that record's bytes, to tell whether it is still the same
}

const anchorFormat = "miva1:%08X:%08X:%016X"

func newAnchor(l logged, head uint32) anchor {
	h := fnv.New64a()
	r := redact(l.record)
	_, _ = h.Write(r[:]) // never fails
	return anchor{index: l.index, head: head, hash: h.Sum64()}
}

func (a anchor) String() string { return fmt.Sprintf(anchorFormat, a.index, a.head, a.hash) }

// parseAnchor reads a stored anchor.
func parseAnchor(text string) (anchor, bool) {
	var a anchor
	n, err := fmt.Sscanf(text, anchorFormat, &a.index, &a.head, &a.hash)
	ok := err == nil && n == 3 && a.String() == text && a.index < wire.RingSize && a.head < wire.RingSize
	return a, ok
}

// matches says whether a record is the one that the anchor names.
func (a anchor) matches(l logged) bool { return newAnchor(l, a.head) == a }

// ring is the log's extent as RI tells it: oldest record at tail, newest at head.
type ring struct{ tail, head uint32 }

// valid says whether both indices lie in the ring.
func (g ring) valid() bool { return g.tail < wire.RingSize && g.head < wire.RingSize }

// holds says whether the record of an index is still in the log.
func (g ring) holds(index uint32) bool { return distance(g.tail, index) <= distance(g.tail, g.head) }
