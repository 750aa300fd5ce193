// Package retain holds the current truth: the latest message of every retained topic.
// The publisher re-asserts it on each connection, the page shows it. It starts
// no goroutine and does no I/O.
package retain

import (
	"slices"
	"sync"
)

// Message is the content of one retained topic. An empty payload clears the topic.
type Message struct {
	Topic   string
	Payload []byte
	Version uint64 // of the set, when this message was put
}

// Set is the latest message of every topic. It is safe for use by several goroutines.
type Set struct {
	mu       sync.Mutex
	order    []string // topics in the order of their first Put
	messages map[string]Message
	counts   map[string]uint64
	version  uint64
	changed  chan struct{}
}

// New returns an empty set.
func New() *Set {
	return &Set{messages: map[string]Message{}, counts: map[string]uint64{}, changed: make(chan struct{})}
}

// Put replaces the message of a topic. Encode gets the topic's next topic_seq,
// beginning with 1; when it fails nothing changes.
func (s *Set) Put(topic string, encode func(topicSeq uint64) ([]byte, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	payload, err := encode(s.counts[topic] + 1)
	if err != nil {
		return err
	}
	s.counts[topic]++
	s.set(topic, payload)
	return nil
}

// Clear empties a topic, so that the broker forgets its retained message.
func (s *Set) Clear(topic string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(topic, nil)
}

// set needs s.mu.
func (s *Set) set(topic string, payload []byte) {
	if _, known := s.messages[topic]; !known {
		s.order = append(s.order, topic)
	}
	s.version++
	s.messages[topic] = Message{Topic: topic, Payload: payload, Version: s.version}
	close(s.changed)
	s.changed = make(chan struct{})
}

// Since returns the messages put after the given version, in the order of
// their topics' first Put, and the present version. Since(0) is everything.
func (s *Set) Since(version uint64) ([]Message, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, topic := range s.order {
		if m := s.messages[topic]; m.Version > version {
			out = append(out, m)
		}
	}
	return out, s.version
}

// Get returns the message of one topic, if there is one.
func (s *Set) Get(topic string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.messages[topic]
	return m, ok && len(m.Payload) > 0
}

// Topics lists all topics in the order of their first Put.
func (s *Set) Topics() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// Changed returns a channel that is closed at the next Put or Clear. Take it before
// reading, or a change in between is missed.
func (s *Set) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}
