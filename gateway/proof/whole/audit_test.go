package whole

import (
	"fmt"
	"strings"
	"testing"

	"infusiond/gateway/message"
	"infusiond/gateway/proof/parts"
)

// key identifies a record; the gateway is the same in one test.
type key struct {
	epoch, pump string
	seq         uint64
}

func (k key) String() string { return fmt.Sprintf("%s/%s/%d", k.epoch, k.pump, k.seq) }

// record is one record of a stream as it was received first.
type record struct {
	topic, content string
	env            message.Envelope
	times          int  // how often it was received
	neverOnTime    bool // each time as late
}

// records are all records that a subscriber received, by key, audited: the seq of each stream over all of
// its topics and the topic_seq of each topic begin with 1 and have no hole, first occurrences are
// in order, and a repeat has the same bytes but for late.
func records(t *testing.T, messages []parts.Message) map[key]record {
	t.Helper()
	const late = `,"late":true}`
	found := map[key]record{}
	newest := map[key]uint64{}     // seq by stream, with seq 0
	perTopic := map[string][]key{} // in the order of first arrival
	for _, m := range messages {
		address, err := message.ParseTopic(m.Topic)
		if err != nil || address.Retained {
			continue
		}
		env := decode[message.Envelope](t, m.Payload)
		k, stream := key{env.Epoch, env.Pump, env.Seq}, key{epoch: env.Epoch, pump: env.Pump}
		content, isLate := strings.CutSuffix(m.Payload, late)
		if isLate {
			content += "}"
		}
		before, known := found[k]
		if !known {
			if env.Seq <= newest[stream] {
				t.Errorf("record %s came for the first time behind %d", k, newest[stream])
			}
			newest[stream] = max(env.Seq, newest[stream])
			perTopic[m.Topic+" "+env.Epoch] = append(perTopic[m.Topic+" "+env.Epoch], k)
			found[k] = record{m.Topic, content, env, 1, isLate}
			continue
		}
		if before.topic != m.Topic || before.content != content {
			t.Errorf("two contents under the key %s:\n%s %s\n%s %s", k, before.topic, before.content, m.Topic, content)
		}
		before.times++
		before.neverOnTime = before.neverOnTime && isLate
		found[k] = before
	}
	for stream, last := range newest {
		for stream.seq = 1; stream.seq <= last; stream.seq++ {
			if _, there := found[stream]; !there {
				t.Errorf("record %s is missing, the stream goes to %d", stream, last)
			}
		}
	}
	for topic, keys := range perTopic {
		for i, k := range keys {
			if got := found[k].env.TopicSeq; got != uint64(i)+1 {
				t.Errorf("%s: record %s has topic_seq %d, it is number %d", topic, k, got, i+1)
			}
		}
	}
	return found
}
