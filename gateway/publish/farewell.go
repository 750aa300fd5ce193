package publish

import (
	"errors"
	"time"
)

// errEnding says that the publisher was told to end.
var errEnding = errors.New("the publisher ends")

// disconnectFor is how long writing DISCONNECT may take, in milliseconds.
const disconnectFor = 250

// farewell ends the connection in order: the last changes of the retained set, the goodbye,
// DISCONNECT. It takes a few seconds at most; when the broker does not answer in time, its will
// speaks for the gateway.
func (s *session) farewell() error {
	limit := time.NewTimer(s.p.timing.goodbye)
	defer limit.Stop()
	s.drop()
	said := false
	for {
		if err := s.settle(); err != nil {
			return err
		}
		if s.step() {
			continue
		}
		if len(s.retained) == 0 && !said {
			said = true
			s.publish(s.p.o.Topics.Status(), s.p.o.Goodbye(), inflight{retained: true})
		}
		if said && len(s.waiting) == 0 {
			s.client.Disconnect(disconnectFor)
			return nil
		}
		select {
		case <-s.oldest():
		case s.told = <-s.lost:
			return lostError(s.told, s.conn.cause())
		case <-limit.C:
			return errNoAck
		}
	}
}

// drop lets go of the delivery: Deliver has returned, or will when its context ends.
func (s *session) drop() {
	if s.current != nil {
		s.current.finish(errEnding)
		s.current = nil
	}
}

// abandon cuts the connection, whatever its state, and answers the delivery with the
// reason. The client is not used again. Unless DISCONNECT was sent, the broker publishes the will.
func (s *session) abandon(why error) {
	_ = s.conn.Close() // paho has closed it already in most cases
	s.client.Disconnect(0)
	if s.current != nil {
		s.current.finish(classify(why))
		s.current = nil
	}
}
