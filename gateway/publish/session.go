package publish

import (
	"context"
	"slices"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"infusiond/gateway/retain"
)

// The window of unacknowledged messages. The retained ones have places of their own, so a
// change of the current truth never waits for the stream; their small number paces
// the set on a new connection.
const (
	streamWindow   = 90
	retainedWindow = 10
)

// session is one connection. One goroutine runs it.
type session struct {
	p      *Publisher
	client mqtt.Client
	conn   *conn
	lost   <-chan error
	at     time.Time // when it was opened, by the wall clock

	waiting  []inflight // published and not acknowledged, oldest first
	inflight [2]int     // how many of them are stream, retained
	progress time.Time  // of the last acknowledgement, or when the first message went out
	told     error      // the client's word about the end of the connection

	retained []retain.Message // to be published, one per topic
	version  uint64           // of the retained set, as far as it is in retained
	changed  <-chan struct{}

	current *delivery
	next    int // the record of current to be published next
}

// inflight is a published message.
type inflight struct {
	token    mqtt.Token
	delivery *delivery // of a record
	retained bool
	birth    bool
}

// serve publishes until the connection ends or ctx does.
func (s *session) serve(ctx context.Context) error {
	reassert := time.NewTicker(s.p.timing.reassert)
	defer reassert.Stop()
	stable := time.NewTimer(s.p.timing.stable)
	defer stable.Stop()
	idle := time.NewTimer(s.p.timing.noAck)
	defer idle.Stop()

	s.assert()
	for {
		if err := s.settle(); err != nil {
			return err
		}
		if s.step() {
			continue
		}
		idle.Reset(s.patience())
		var requests chan *delivery
		var gone <-chan struct{}
		if s.current == nil {
			requests = s.p.requests
		} else {
			gone = s.current.gone
		}
		select {
		case <-s.oldest():
		case <-s.changed:
		case d := <-requests:
			s.current, s.next = d, 0
		case <-gone:
			s.current = nil // what is on its way is confirmed to nobody
		case s.told = <-s.lost:
			return lostError(s.told, s.conn.cause())
		case <-idle.C:
			if err := s.overdue(); err != nil {
				return err
			}
		case <-reassert.C:
			s.assert()
		case <-stable.C:
			s.p.settled()
		case <-ctx.Done():
			return s.farewell()
		}
	}
}

// assert queues everything that is retained, after the birth.
func (s *session) assert() {
	s.changed = s.p.o.Set.Changed()
	all, version := s.p.o.Set.Since(0)
	s.version = version
	health := s.p.o.Topics.Health()
	s.retained = append(s.retained[:0], retain.Message{Topic: s.p.o.Topics.Status()})
	for _, first := range []bool{true, false} {
		for _, m := range all {
			if (m.Topic == health) == first {
				s.queue(m)
			}
		}
	}
}

// refresh queues what changed in the retained set.
func (s *session) refresh() {
	s.changed = s.p.o.Set.Changed()
	fresh, version := s.p.o.Set.Since(s.version)
	s.version = version
	for _, m := range fresh {
		s.queue(m)
	}
}

// queue puts m at the place of its topic. The status topic is the publisher's own.
func (s *session) queue(m retain.Message) {
	if m.Topic == s.p.o.Topics.Status() {
		return
	}
	if i := slices.IndexFunc(s.retained, func(q retain.Message) bool { return q.Topic == m.Topic }); i >= 0 {
		s.retained[i] = m
		return
	}
	s.retained = append(s.retained, m)
}

// step publishes one message if there is one and a place for it. The current
// truth goes before the stream.
func (s *session) step() bool {
	select {
	case <-s.changed:
		s.refresh()
	default:
	}
	if len(s.retained) > 0 {
		if s.inflight[1] >= retainedWindow {
			return false
		}
		m := s.retained[0]
		s.retained = s.retained[1:]
		birth := m.Topic == s.p.o.Topics.Status()
		if birth {
			m.Payload = s.p.o.Birth()
		}
		s.publish(m.Topic, m.Payload, inflight{retained: true, birth: birth})
		return true
	}
	if s.current == nil || s.next == len(s.current.batch) || s.inflight[0] >= streamWindow {
		return false
	}
	r := &s.current.batch[s.next]
	s.next++
	payload := r.Payload
	if r.At.Before(s.at) {
		payload = markLate(payload)
	}
	s.publish(topic(s.p.o.Topics, r), payload, inflight{delivery: s.current})
	return true
}

func (s *session) publish(topic string, payload []byte, m inflight) {
	if len(s.waiting) == 0 {
		s.progress = time.Now()
	}
	m.token = s.client.Publish(topic, 1, m.retained, payload)
	s.waiting = append(s.waiting, m)
	s.inflight[m.place()]++
}

func (m inflight) place() int {
	if m.retained {
		return 1
	}
	return 0
}

// oldest is closed when the oldest unacknowledged message is; nil when there is none.
func (s *session) oldest() <-chan struct{} {
	if len(s.waiting) == 0 {
		return nil
	}
	return s.waiting[0].token.Done()
}

// settle takes note of the acknowledged messages, in order and never past a gap.
func (s *session) settle() error {
	for len(s.waiting) > 0 {
		m := s.waiting[0]
		select {
		case <-m.token.Done():
		default:
			return nil
		}
		if err := m.token.Error(); err != nil {
			return lostError(err, s.conn.cause())
		}
		s.waiting = s.waiting[1:]
		s.inflight[m.place()]--
		s.progress = time.Now()
		if m.birth {
			s.p.confirmed()
		}
		if m.delivery != nil {
			s.count(m.delivery)
		}
	}
	return nil
}

// count notes one acknowledged record of d and answers when it was the last.
func (s *session) count(d *delivery) {
	if n := d.accepted.Add(1); n == int64(len(d.batch)) {
		d.finish(nil)
		if s.current == d {
			s.current = nil
		}
	}
}

// patience is how long an acknowledgement may still take.
func (s *session) patience() time.Duration {
	if len(s.waiting) == 0 {
		return s.p.timing.noAck
	}
	return max(0, s.p.timing.noAck-time.Since(s.progress))
}

// overdue is an error when an acknowledgement is.
func (s *session) overdue() error {
	if len(s.waiting) > 0 && time.Since(s.progress) >= s.p.timing.noAck {
		return errNoAck
	}
	return nil
}
