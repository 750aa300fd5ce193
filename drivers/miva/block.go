package miva

import (
	"slices"

	"infusiond/drivers/miva/wire"
)

// The lengths of a block of program data with its two markers (section 5.6).
const (
	shortBlock = 4  // begin, two records, end
	longBlock  = 18 // begin, sixteen records, end
)

// unit is one event, or one block of program data, which is no event.
type unit struct {
	records []logged // oldest first
	data    bool     // a block; its first record is a begin marker
	broken  bool     // a block without its end marker
}

func isBegin(l logged) bool { return isMarker(l, wire.DataBegin) }

func isEnd(l logged) bool { return isMarker(l, wire.DataEnd) }

func isMarker(l logged, which uint8) bool {
	e := l.record.Event()
	return e.Type == wire.EventInfusionData && e.High() == which
}

// parseForward cuts records, oldest first and starting at a boundary, into
// units. It returns how many records they cover; what remains is a block that is not complete yet
// or blank flash at the end, which may still be written.
func parseForward(records []logged) (units []unit, consumed int) {
	for consumed < len(records) {
		rest := records[consumed:]
		switch {
		case rest[0].record.Blank():
			if len(rest) == 1 {
				return units, consumed
			}
			consumed++
			continue
		case !isBegin(rest[0]):
			units = append(units, unit{records: rest[:1]})
			consumed++
			continue
		}
		block, complete := cutBlock(rest)
		if !complete {
			return units, consumed
		}
		units = append(units, block)
		consumed += len(block.records)
	}
	return units, consumed
}

// cutBlock takes the block that begins records. To tell the two forms apart: after
// begin at i, an end at i+3 makes it two records, otherwise sixteen.
func cutBlock(records []logged) (unit, bool) {
	if len(records) >= shortBlock && isEnd(records[shortBlock-1]) {
		return unit{records: records[:shortBlock], data: true}, true
	}
	if len(records) < longBlock {
		return unit{}, false
	}
	if isEnd(records[longBlock-1]) {
		return unit{records: records[:longBlock], data: true}, true
	}
	return unit{records: records[:longBlock-1], data: true, broken: true}, true
}

// backward is what parseBack made of records read from the head downwards.
type backward struct {
	units []unit // oldest first
	skip  int    // how many of the newest records belong to a block that is not complete, or are blank
	done  bool   // nothing further back is needed
}

// parseBack cuts records, newest first, into units and stops at the last
// record that ends all alarms. Because the newest records may be program data without its end
// marker yet, it wants at least minimum records before it believes them.
func parseBack(records []logged, minimum int) backward {
	var b backward
	var newestFirst []unit
	p, ended := 0, false
walk:
	for p < len(records) && !b.done {
		switch r := records[p]; {
		case r.record.Blank():
			if p == 0 {
				b.skip = 1
			}
			p++
		case isEnd(r):
			length := blockBefore(records[p:])
			if length == 0 {
				break walk // its begin was not read yet
			}
			newestFirst = append(newestFirst, unit{records: reversed(records[p : p+length]), data: length > 1})
			p += length
		case isBegin(r):
			p++
			newestFirst, ended = unfinished(records[:p], newestFirst, &b), false
		default:
			newestFirst = append(newestFirst, unit{records: records[p : p+1]})
			p++
			ended = ended || endsAll(r)
		}
		b.done = ended && p >= minimum
	}
	slices.Reverse(newestFirst)
	b.units = newestFirst
	return b
}

// blockBefore returns how many of records (newest first, an end marker in front) make
// up a block: 4 or 18, 1 for an end marker alone, 0 when more must be read to tell.
func blockBefore(records []logged) int {
	switch {
	case len(records) < shortBlock:
		return 0
	case isBegin(records[shortBlock-1]):
		return shortBlock
	case len(records) < longBlock:
		return 0
	case isBegin(records[longBlock-1]):
		return longBlock
	}
	return 1
}

// unfinished handles a begin marker, the last of records, that no end marker
// announced: up to sixteen records behind it are its data. When that is all that was
// read so far, the block may still be written and is left for later.
func unfinished(records []logged, newestFirst []unit, b *backward) []unit {
	if len(records) < longBlock {
		b.skip = len(records)
		return nil
	}
	begin := records[len(records)-1].index
	data := uint32(longBlock - 2) // how many records behind the begin marker are taken for its data
	for len(newestFirst) > 0 {
		next := newestFirst[len(newestFirst)-1].records
		if distance(begin, next[len(next)-1].index) > data {
			data = min(data, distance(begin, next[0].index)-1)
			break
		}
		newestFirst = newestFirst[:len(newestFirst)-1]
	}
	return append(newestFirst, unit{records: reversed(records[len(records)-1-int(data):]), data: true, broken: true})
}

func endsAll(l logged) bool {
	effect := lookup(l.record.Event()).effect
	return effect >= effectRun && effect <= effectOn
}

func reversed(records []logged) []logged {
	out := slices.Clone(records)
	slices.Reverse(out)
	return out
}

// distance is how many steps lead from one index to another, going up and around the ring.
func distance(from, to uint32) uint32 {
	return (to%wire.RingSize + wire.RingSize - from%wire.RingSize) % wire.RingSize
}
