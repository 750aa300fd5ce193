package spool

import (
	"fmt"
	"maps"
	"time"
)

// numbers gives keys and places to drafts. It belongs to the Run goroutine.
type numbers struct {
	epoch    string
	durable  bool
	pos      int64 // last place given
	counters map[string]counter
}

// batch numbers and encodes the drafts of a batch. When one cannot be encoded no number is used up.
func (n *numbers) batch(b *Batch) ([]Record, error) {
	before := map[string]counter{}
	start := n.pos
	records := make([]Record, 0, len(b.Drafts))
	for i := range b.Drafts {
		stream := b.Drafts[i].Stream
		if _, known := before[stream]; !known {
			before[stream] = n.counters[stream]
		}
		r, err := n.record(&b.Drafts[i])
		if err != nil {
			n.pos = start
			maps.Copy(n.counters, before)
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

func (n *numbers) record(d *Draft) (Record, error) {
	if d.Kind < Observation || d.Kind > Alert {
		return Record{}, fmt.Errorf("record of unknown kind %d", d.Kind)
	}
	c := n.counters[d.Stream]
	c.seq++
	c.topic[d.Kind]++
	key := Key{Epoch: n.epoch, Stream: d.Stream, Seq: c.seq, TopicSeq: c.topic[d.Kind], Durable: n.durable}
	payload, err := d.Encode(key)
	if err != nil {
		return Record{}, fmt.Errorf("encode record of stream %q: %w", d.Stream, err)
	}
	n.pos++
	c.pos = n.pos
	if n.durable {
		c.records++
	}
	n.counters[d.Stream] = c
	return Record{Key: key, Pos: n.pos, Kind: d.Kind, At: d.At.UTC().Truncate(time.Millisecond), Payload: payload}, nil
}

// restart begins a new epoch: all numbers start anew, places and row counts go on.
func (n *numbers) restart(epoch string, durable bool) {
	n.epoch, n.durable = epoch, durable
	for stream, c := range n.counters {
		n.counters[stream] = counter{records: c.records, pos: c.pos}
	}
}
