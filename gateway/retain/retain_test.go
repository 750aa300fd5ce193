package retain

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

func put(t *testing.T, s *Set, topic, text string) {
	t.Helper()
	if err := s.Put(topic, func(n uint64) ([]byte, error) { return fmt.Appendf(nil, "%s %d", text, n), nil }); err != nil {
		t.Fatal(err)
	}
}

func topics(ms []Message) string {
	text := ""
	for _, m := range ms {
		text += m.Topic + "=" + string(m.Payload) + " "
	}
	return text
}

func TestTheLatestMessageOfEachTopicInTheOrderOfTheTopics(t *testing.T) {
	s := New()
	put(t, s, "health", "a")
	put(t, s, "state", "b")
	put(t, s, "health", "c")
	all, version := s.Since(0)
	if got := topics(all); got != "health=c 2 state=b 1 " {
		t.Errorf("%s", got)
	}
	put(t, s, "alerts", "d")
	put(t, s, "state", "e")
	if news, _ := s.Since(version); topics(news) != "state=e 2 alerts=d 1 " {
		t.Errorf("%s", topics(news))
	}
	if m, ok := s.Get("state"); !ok || string(m.Payload) != "e 2" {
		t.Errorf("%+v", m)
	}
}

func TestAClearedTopicStaysInTheSetAsEmpty(t *testing.T) {
	s := New()
	put(t, s, "state", "a")
	s.Clear("state")
	s.Clear("old") // of an earlier run
	if all, _ := s.Since(0); topics(all) != "state= old= " {
		t.Errorf("%s", topics(all))
	}
	if _, ok := s.Get("state"); ok {
		t.Error("a cleared topic has a message")
	}
	put(t, s, "state", "b")
	if m, _ := s.Get("state"); string(m.Payload) != "b 2" {
		t.Errorf("topic_seq after clearing: %s", m.Payload)
	}
}

func TestAFailedEncodingChangesNothing(t *testing.T) {
	s := New()
	put(t, s, "state", "a")
	wrong := errors.New("no")
	if err := s.Put("state", func(uint64) ([]byte, error) { return nil, wrong }); !errors.Is(err, wrong) {
		t.Errorf("%v", err)
	}
	put(t, s, "state", "b")
	if m, _ := s.Get("state"); string(m.Payload) != "b 2" {
		t.Errorf("%s", m.Payload)
	}
}

func TestAWatcherMissesNothing(t *testing.T) {
	s := New()
	const puts = 500
	var writer sync.WaitGroup
	writer.Go(func() {
		for range puts {
			_ = s.Put("state", func(n uint64) ([]byte, error) { return fmt.Append(nil, n), nil })
		}
	})
	var version uint64
	last := ""
	for last != fmt.Sprint(puts) {
		changed := s.Changed()
		news, now := s.Since(version)
		version = now
		if len(news) > 0 {
			last = string(news[0].Payload)
			continue
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatalf("the last message never came, only %s", last)
		}
	}
	writer.Wait()
}
