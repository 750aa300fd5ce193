package spool

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var day = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// payload is what the tests record.
type payload struct {
	Epoch   string
	Stream  string
	Seq     uint64
	Topic   uint64
	Durable bool
	N       int
}

func draft(stream string, kind Kind, n int) Draft {
	return Draft{Stream: stream, Kind: kind, At: day.Add(time.Duration(n) * time.Second), Encode: func(k Key) ([]byte, error) {
		return json.Marshal(payload{k.Epoch, k.Stream, k.Seq, k.TopicSeq, k.Durable, n})
	}}
}

func options(path string) Options {
	n := 0
	var mu sync.Mutex
	return Options{
		Path: path, Now: func() time.Time { return day }, Log: slog.New(slog.DiscardHandler),
		NewEpoch: func() string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return fmt.Sprintf("e%d-%d", os.Getpid(), rand.Uint64()+uint64(n))
		},
	}
}

// open opens and runs a spool; the returned function stops and closes it.
func open(t *testing.T, o Options) (*Spool, func()) {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return s, stop
}

func add(t *testing.T, s *Spool, ds ...Draft) []Record {
	t.Helper()
	records, err := s.Append(t.Context(), Batch{Drafts: ds})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func everything(t *testing.T, s *Spool) []Record {
	t.Helper()
	records, err := s.After(t.Context(), 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func TestNumbersHaveNoHolesAlsoOverAReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s, stop := open(t, options(path))
	add(t, s, draft("blue", Alert, 1), draft("blue", Observation, 2), draft("", Event, 3))
	add(t, s, draft("red", Observation, 4), draft("blue", Observation, 5))
	epoch := s.Epoch()
	stop()
	s, _ = open(t, options(path))
	if s.Epoch() != epoch || !s.Status().Durable || s.Status().Records != 5 {
		t.Errorf("epoch %s, was %s; %+v", s.Epoch(), epoch, s.Status())
	}
	add(t, s, draft("blue", Observation, 6), draft("", Event, 7))
	var got []string
	for _, r := range everything(t, s) {
		var p payload
		if err := json.Unmarshal(r.Payload, &p); err != nil {
			t.Fatal(err)
		}
		if p.Seq != r.Seq || p.Topic != r.TopicSeq || p.Epoch != epoch || !p.Durable || r.Epoch != epoch || !r.At.Equal(day.Add(time.Duration(p.N)*time.Second)) {
			t.Errorf("record %+v holds %+v", r, p)
		}
		got = append(got, fmt.Sprintf("%d:%s/%d seq %d topic %d", r.Pos, r.Stream, r.Kind, r.Seq, r.TopicSeq))
	}
	want := []string{
		"1:blue/3 seq 1 topic 1", "2:blue/1 seq 2 topic 1", "3:/2 seq 1 topic 1", "4:red/1 seq 1 topic 1", "5:blue/1 seq 3 topic 2",
		"6:blue/1 seq 4 topic 3", "7:/2 seq 2 topic 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestABatchIsAllOrNothing(t *testing.T) {
	s, _ := open(t, options(filepath.Join(t.TempDir(), "spool.db")))
	bad := Draft{Stream: "blue", Kind: Event, Encode: func(Key) ([]byte, error) { return nil, io.ErrUnexpectedEOF }}
	if _, err := s.Append(t.Context(), Batch{Drafts: []Draft{draft("blue", Event, 1), bad}, Notes: map[string][]byte{"a": {1}}}); err == nil {
		t.Error("a batch that cannot be encoded was taken")
	}
	if _, found, err := s.Note(t.Context(), "a"); found || err != nil {
		t.Errorf("its note was kept: %v", err)
	}
	if r := add(t, s, draft("blue", Event, 2)); r[0].Seq != 1 || len(everything(t, s)) != 1 {
		t.Errorf("it took numbers: %+v", r)
	}
}

func TestNotesAreAsOldAsTheirRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s, stop := open(t, options(path))
	if _, err := s.Append(t.Context(), Batch{Drafts: []Draft{draft("blue", Event, 1)}, Notes: map[string][]byte{"anchor": []byte("x"), "gone": []byte("y")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), Batch{Notes: map[string][]byte{"gone": nil}}); err != nil {
		t.Fatal(err)
	}
	stop()
	s, _ = open(t, options(path))
	for key, want := range map[string]string{"anchor": "x", "gone": "", "never": ""} {
		if v, found, err := s.Note(t.Context(), key); err != nil || string(v) != want || found != (want != "") {
			t.Errorf("%s: %q %v %v", key, v, found, err)
		}
	}
}

func TestCursorsBacklogAndRejects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s, stop := open(t, options(path))
	for i := range 10 {
		add(t, s, draft("blue", Observation, i))
	}
	if err := s.Advance(t.Context(), "mqtt", 4, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Advance(t.Context(), "mqtt", 2, []RejectedRecord{{Sink: "mqtt", Pos: 2, Reason: "why", Payload: []byte("p")}}); err != nil {
		t.Fatal(err)
	}
	stop()
	s, _ = open(t, options(path))
	if pos, err := s.Cursor(t.Context(), "mqtt"); err != nil || pos != 4 {
		t.Errorf("cursor %d, %v: it moves backwards", pos, err)
	}
	if n, oldest, err := s.Backlog(t.Context(), "mqtt"); err != nil || n != 6 || !oldest.Equal(day.Add(4*time.Second)) {
		t.Errorf("backlog %d since %v, %v", n, oldest, err)
	}
	if n, _, err := s.Backlog(t.Context(), "influxdb"); err != nil || n != 10 {
		t.Errorf("backlog of a new sink %d, %v", n, err)
	}
	var rejected []RejectedRecord
	if err := s.Rejected(t.Context(), func(r RejectedRecord) error { rejected = append(rejected, r); return nil }); err != nil || len(rejected) != 1 || rejected[0].Reason != "why" {
		t.Errorf("%+v %v", rejected, err)
	}
	if rest, err := s.After(t.Context(), 4, 3); err != nil || len(rest) != 3 || rest[0].Pos != 5 {
		t.Errorf("%+v %v", rest, err)
	}
}

func TestRangeGivesOneStreamAndKindByTime(t *testing.T) {
	s, _ := open(t, options(filepath.Join(t.TempDir(), "spool.db")))
	for i := range 20 {
		add(t, s, draft("blue", Observation, i), draft("red", Observation, i), draft("blue", Event, i))
	}
	var got []uint64
	if err := s.Range(t.Context(), "blue", Observation, day.Add(5*time.Second), day.Add(8*time.Second), func(r Record) error {
		got = append(got, r.TopicSeq)
		return nil
	}); err != nil || !slices.Equal(got, []uint64{6, 7, 8}) {
		t.Errorf("%v %v", got, err)
	}
}

func TestPruneTakesOnlyWhatEverySinkHasAndNeverEventsOrAlerts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s, stop := open(t, options(path))
	for i := range 10 {
		add(t, s, draft("blue", Observation, i), draft("blue", Event, i), draft("blue", Alert, i))
	}
	for sink, pos := range map[string]int64{"mqtt": 30, "influxdb": 12} {
		if err := s.Advance(t.Context(), sink, pos, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Prune(t.Context(), []string{"mqtt", "influxdb"}, day.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	n := map[Kind]int{}
	for _, r := range everything(t, s) {
		n[r.Kind]++
	}
	if n[Observation] != 6 || n[Event] != 10 || n[Alert] != 10 || s.Status().Records != 26 {
		t.Errorf("%v, %+v", n, s.Status())
	}
	stop()
	s, _ = open(t, options(path))
	if r := add(t, s, draft("blue", Observation, 99)); r[0].Seq != 31 || r[0].Pos != 31 {
		t.Errorf("numbers after pruning: %+v", r)
	}
}

func TestWaitingAppendsShareATransaction(t *testing.T) {
	s, _ := open(t, options(filepath.Join(t.TempDir(), "spool.db")))
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() { add(t, s, draft("blue", Event, i)) })
	}
	all.Wait()
	for i, r := range everything(t, s) {
		if r.Seq != uint64(i+1) || r.Pos != int64(i+1) {
			t.Fatalf("%d: %+v", i, r)
		}
	}
}

func TestADamagedFileIsSetAsideAndNeverStopsTheStart(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 4))
	whole := filepath.Join(t.TempDir(), "whole.db")
	s, stop := open(t, options(whole))
	for i := range 300 {
		add(t, s, draft("blue", Observation, i))
	}
	stop()
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	damages := map[string]func([]byte) []byte{
		"noise":     func(b []byte) []byte { rnd := rand.NewChaCha8([32]byte{1}); _, _ = rnd.Read(b); return b },
		"truncated": func(b []byte) []byte { return b[:len(b)/2+37] },
		"one byte":  func([]byte) []byte { return []byte("x") },
		"no header": func(b []byte) []byte { clear(b[:100]); return b },
	}
	for i := range 20 {
		at := rnd.IntN(len(data))
		damages[fmt.Sprintf("bit %d at %d", i, at)] = func(b []byte) []byte { b[at] ^= 1 << (i % 8); return b }
	}
	for name, damaged := range damages {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "spool.db")
			if err := os.WriteFile(path, damaged(slices.Clone(data)), 0o600); err != nil {
				t.Fatal(err)
			}
			s, _ := open(t, options(path))
			if !s.Status().Durable {
				t.Fatalf("works from memory: %s", s.Status().Reason)
			}
			if r := add(t, s, draft("blue", Event, 1)); !r[0].Durable {
				t.Errorf("%+v", r)
			}
			aside, err := filepath.Glob(path + ".corrupt-*")
			if err != nil {
				t.Fatal(err)
			}
			if (len(s.Problems()) > 0) != (len(aside) > 0) {
				t.Errorf("problems %q, set aside %q", s.Problems(), aside)
			}
			if len(aside) == 0 { // the damage was not to structure: everything must be readable
				if n := len(everything(t, s)); n != 301 {
					t.Errorf("%d records", n)
				}
			}
		})
	}
}

func TestAFileOfANewerProgramIsRefusedAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s, stop := open(t, options(path))
	if _, err := s.disk.write.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := Open(t.Context(), options(path)); err == nil || !strings.Contains(err.Error(), "newer infusiond") {
		t.Errorf("%v", err)
	}
	if aside, _ := filepath.Glob(path + ".corrupt-*"); len(aside) != 0 {
		t.Error("it was set aside")
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("%s did not happen", what)
		}
	}
}

func TestWithoutADiskRecordsLiveInMemoryAndGoToDiskLater(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	o := options(filepath.Join(dir, "spool.db"))
	o.RetryEvery = 10 * time.Millisecond
	s, stop := open(t, o)
	first := add(t, s, draft("blue", Event, 1), draft("blue", Observation, 2))
	if first[0].Durable || s.Status().Durable || s.Status().Reason == "" || len(everything(t, s)) != 2 {
		t.Fatalf("%+v %+v", first, s.Status())
	}
	if err := s.Advance(t.Context(), "mqtt", first[0].Pos, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	await(t, "recovery", func() bool { return s.Status().Durable })
	next := add(t, s, draft("blue", Event, 3))
	if !next[0].Durable || next[0].Seq != 1 || next[0].Epoch == first[0].Epoch || next[0].Pos <= first[1].Pos {
		t.Errorf("after recovery %+v, before %+v", next, first)
	}
	stop()
	s, _ = open(t, o)
	if got := everything(t, s); len(got) != 3 || got[0].Epoch != first[0].Epoch || got[0].Durable || string(got[0].Payload) != string(first[0].Payload) {
		t.Errorf("%+v", got)
	}
	if pos, _ := s.Cursor(t.Context(), "mqtt"); pos != first[0].Pos {
		t.Errorf("cursor %d", pos)
	}
}

func TestAFullDiskTurnsToMemoryUnderANewEpoch(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "spool.db"))
	o.RetryEvery = 10 * time.Millisecond
	s, _ := open(t, o)
	before := add(t, s, draft("blue", Event, 1))
	if _, err := s.disk.write.Exec("PRAGMA max_page_count = 1"); err != nil { // SQLite then says that the disk is full
		t.Fatal(err)
	}
	big := Draft{Stream: "blue", Kind: Event, At: day, Encode: func(Key) ([]byte, error) { return make([]byte, 1<<20), nil }}
	r := add(t, s, big)
	if r[0].Durable || r[0].Epoch == before[0].Epoch || r[0].Seq != 1 || !strings.Contains(s.Status().Reason, "full") {
		t.Fatalf("%+v %+v", r[0].Key, s.Status())
	}
	if got := everything(t, s); len(got) != 2 || got[1].Pos <= got[0].Pos {
		t.Fatalf("%d records", len(got))
	}
	if _, err := s.disk.write.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	await(t, "recovery", func() bool { return s.Status().Durable })
	if got := everything(t, s); len(got) != 2 || got[1].Epoch != r[0].Epoch {
		t.Errorf("%d records", len(got))
	}
}

func TestACommitThatHangsDoesNotHoldTheCallerAndIsNotRecordedTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	o := options(path)
	o.CommitLimit, o.RetryEvery = 20*time.Millisecond, 10*time.Millisecond
	s, _ := open(t, o)
	add(t, s, draft("blue", Event, 1))
	other, err := openDisk(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.close() }()
	lock, err := other.write.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	r := add(t, s, draft("blue", Event, 2))
	if r[0].Durable || !strings.Contains(s.Status().Reason, "longer than") {
		t.Fatalf("%+v %+v", r, s.Status())
	}
	if _, err := lock.ExecContext(t.Context(), "ROLLBACK"); err != nil { // now the hanging commit goes through after all
		t.Fatal(err)
	}
	await(t, "recovery", func() bool { return s.Status().Durable })
	var n []int
	for _, rec := range everything(t, s) {
		var p payload
		if err := json.Unmarshal(rec.Payload, &p); err != nil {
			t.Fatal(err)
		}
		n = append(n, p.N)
	}
	if !slices.Equal(n, []int{1, 2}) {
		t.Errorf("recorded %v", n)
	}
}

func TestMemoryOverflowDropsObservationsFirstAndSaysWhich(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "no", "folder", "spool.db"))
	o.MemoryRecords, o.RetryEvery = 4, time.Hour
	s, _ := open(t, o)
	add(t, s, draft("blue", Alert, 0))
	for i := range 6 {
		add(t, s, draft("blue", Observation, i+1))
	}
	var got []uint64
	for _, r := range everything(t, s) {
		got = append(got, r.Seq)
	}
	losses := s.TakeLosses()
	if !slices.Equal(got, []uint64{1, 5, 6, 7}) || len(losses) != 1 || losses[0].FromSeq != 2 || losses[0].ToSeq != 4 || losses[0].Stream != "blue" {
		t.Errorf("kept %v, lost %+v", got, losses)
	}
	if len(s.TakeLosses()) != 0 {
		t.Error("a loss is told twice")
	}
}
