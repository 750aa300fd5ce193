package spool

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// filled makes a closed file with some records, cursors and notes.
func filled(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spool.db")
	s := openRunning(t, options(path))
	for i := range n {
		at := start().Add(time.Duration(i) * time.Second)
		if _, err := s.Append(t.Context(), Batch{
			Drafts: []Draft{draft("a", Observation, at), draft("b", Alert, at)}, Notes: map[string][]byte{"n": {byte(i)}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Advance(t.Context(), "x", int64(n), nil); err != nil {
		t.Fatal(err)
	}
	s.end()
	return path
}

func rewrite(t *testing.T, path string, fn func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, fn(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Covers GW-39.
func TestDamagedFileIsSetAside(t *testing.T) {
	rnd := seeded(t)
	noise := func(n int) []byte {
		out := make([]byte, n)
		for i := range out {
			out[i] = byte(rnd.Uint32())
		}
		return out
	}
	for _, test := range []struct {
		name string
		do   func(t *testing.T, path string)
	}{
		{name: "random bytes", do: func(t *testing.T, path string) { rewrite(t, path, func(b []byte) []byte { return noise(len(b)) }) }},
		{name: "text", do: func(t *testing.T, path string) {
			rewrite(t, path, func([]byte) []byte { return []byte("not a database\n") })
		}},
		{name: "one byte", do: func(t *testing.T, path string) { rewrite(t, path, func([]byte) []byte { return []byte("x") }) }},
		{name: "header gone", do: func(t *testing.T, path string) {
			rewrite(t, path, func(b []byte) []byte { copy(b, noise(100)); return b })
		}},
		{name: "first page only", do: func(t *testing.T, path string) { rewrite(t, path, func(b []byte) []byte { return b[:4096] }) }},
		{name: "another database", do: func(t *testing.T, path string) {
			f, _, err := openFile(t.Context(), path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.conn.ExecContext(t.Context(), "DROP TABLE cursor"); err != nil {
				t.Fatal(err)
			}
			if err := f.close(); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "a directory", do: func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filled(t, 50)
			test.do(t, path)
			s := open(t, options(path))
			if st := s.Status(); !st.Durable || st.Records != 0 {
				t.Fatalf("status %+v", st)
			}
			if p := s.Problems(); len(p) != 1 || !strings.Contains(p[0], ".corrupt-20260301T060000000") {
				t.Fatalf("problems %q", p)
			}
			if _, err := os.Stat(path + ".corrupt-20260301T060000000"); err != nil {
				t.Fatal(err)
			}
			r := run(t, s)
			if got := r.observe("a", 1)[0]; got.Seq != 1 || !got.Durable {
				t.Fatalf("first record %+v", got.Key)
			}
		})
	}
}

// Covers GW-39.
func TestNewerFileIsLeftAlone(t *testing.T) {
	path := filled(t, 1)
	f, _, err := openFile(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.conn.ExecContext(t.Context(), "PRAGMA user_version = 99; PRAGMA application_id = 0x696e6663"); err != nil {
		t.Fatal(err)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), options(path)); !errors.Is(err, ErrNewer) {
		t.Fatalf("open: %v", err)
	}
	if found, _ := filepath.Glob(path + ".corrupt*"); len(found) > 0 {
		t.Fatalf("set aside: %v", found)
	}
}

func TestFileInUse(t *testing.T) {
	path := filled(t, 1)
	s := open(t, options(path))
	defer s.Close()
	if _, err := Open(t.Context(), options(path)); !errors.Is(err, ErrInUse) {
		t.Fatalf("open: %v", err)
	}
}

// TestBitFlips damages a file at random places and uses it: whatever is given out is
// whole, in order, and new records find their place.
// Covers GW-39.
func TestBitFlips(t *testing.T) {
	rnd := seeded(t)
	pristine, err := os.ReadFile(filled(t, 400))
	if err != nil {
		t.Fatal(err)
	}
	aside, lost := 0, uint64(0)
	for range 60 {
		path := filepath.Join(t.TempDir(), "spool.db")
		if err := os.WriteFile(path, damaged(rnd, pristine), 0o600); err != nil {
			t.Fatal(err)
		}
		s := openRunning(t, options(path))
		useDamaged(t, s)
		aside += len(s.Problems())
		lost += s.Status().Lost
		s.stop()
		<-s.done // what could not be brought to disk is an error here
	}
	t.Logf("%d files set aside, %d records lost", aside, lost)
	if aside == 0 || lost == 0 {
		t.Fatal("the damage was never noticed")
	}
}

func damaged(rnd *rand.Rand, pristine []byte) []byte {
	data := append([]byte(nil), pristine...)
	switch rnd.IntN(4) {
	case 0:
		return data[:rnd.IntN(len(data))]
	case 1: // a block of zeros, as after a bad sector
		from := rnd.IntN(len(data)) &^ 511
		clear(data[from:min(from+512, len(data))])
	default:
		for range 1 + rnd.IntN(16) {
			data[rnd.IntN(len(data))] ^= 1 << rnd.IntN(8)
		}
	}
	return data
}

// useDamaged reads everything, with the patience of a relay, and appends.
func useDamaged(t *testing.T, s *running) {
	t.Helper()
	pos, seen := int64(0), map[Key]bool{}
	for tries := 0; ; {
		records, err := s.After(t.Context(), pos, 50)
		if errors.Is(err, ErrRewind) {
			pos, _ = s.Cursor(t.Context(), "x")
			continue
		}
		if err != nil {
			if tries++; tries > 10_000 {
				t.Fatalf("never readable again: %v", err)
			}
			changed := s.Changed()
			select {
			case <-changed:
			case <-time.After(time.Millisecond):
			}
			continue
		}
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			if string(r.Payload) != string(payload(r.Key, r.Kind)) {
				t.Fatalf("record %+v has payload %s", r.Key, r.Payload)
			}
			if r.Pos <= pos || seen[r.Key] {
				t.Fatalf("record %+v at place %d behind %d, seen before: %t", r.Key, r.Pos, pos, seen[r.Key])
			}
			pos, seen[r.Key] = r.Pos, true
		}
	}
	for range 3 {
		r := s.add(draft("a", Event, start()), draft("c", Observation, start()))[0]
		if seen[r.Key] {
			t.Fatalf("key %+v is given again", r.Key)
		}
	}
	err := s.Range(t.Context(), "a", Observation, start(), start().Add(time.Hour), func(r Record) error {
		if string(r.Payload) != string(payload(r.Key, r.Kind)) {
			t.Errorf("record %+v has payload %s", r.Key, r.Payload)
		}
		return nil
	})
	if err != nil && !isDamage(err) && !errors.Is(err, errNoFile) {
		t.Logf("history: %v", err)
	}
}

// TestDamageWhileRunning: the file goes bad while the daemon runs. What a sink waits for is carried over into a
// new file, but for what cannot be read, and that is counted.
// Covers GW-39.
func TestDamageWhileRunning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	o := options(path)
	s := openRunning(t, o)
	const n = 6000
	for range n / 100 {
		b := Batch{Notes: map[string][]byte{"n": []byte("kept")}}
		for range 100 {
			b.Drafts = append(b.Drafts, draft("a", Observation, start()))
		}
		if _, err := s.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	const confirmed = 1000
	if err := s.Advance(t.Context(), "x", confirmed, nil); err != nil {
		t.Fatal(err)
	}
	s.end()
	rewrite(t, path, func(b []byte) []byte {
		from := len(b) / 2 &^ 4095
		for i := range 3 * 4096 {
			b[from+i] = 0xa5
		}
		return b
	})
	s = openRunning(t, o)
	if pos, _ := s.Cursor(t.Context(), "x"); pos != confirmed {
		t.Fatalf("cursor %d", pos)
	}
	pos := int64(confirmed)
	got := map[uint64]bool{}
	until(t, "all is read", func() bool {
		records, err := s.After(t.Context(), pos, 500)
		if err != nil {
			return false
		}
		for _, r := range records {
			got[r.Seq] = true
			pos = r.Pos
		}
		if err := s.Advance(t.Context(), "x", pos, nil); err != nil {
			t.Fatal(err)
		}
		return pos >= n
	})
	until(t, "the disk is used again", func() bool { return s.Status().Durable })
	st := s.Status()
	if len(s.Problems()) != 1 || st.Lost == 0 || st.Lost > 200 || uint64(len(got))+st.Lost < n-confirmed {
		t.Fatalf("%d records read, status %+v, problems %v", len(got), st, s.Problems())
	}
	for _, l := range s.TakeLosses() {
		for seq := l.FromSeq; seq <= l.ToSeq; seq++ {
			if got[seq] {
				t.Fatalf("record %d was read and is said to be lost: %+v", seq, l)
			}
		}
	}
	if note, _, _ := s.Note(t.Context(), "n"); string(note) != "kept" {
		t.Fatalf("note %q", note)
	}
	r := s.observe("a", 1)[0]
	if r.Pos <= n || !r.Durable || r.Seq != 1 {
		t.Fatalf("record %+v at %d", r.Key, r.Pos)
	}
	s.end()
	again := open(t, o)
	defer again.Close()
	if pos, _ := again.Cursor(t.Context(), "x"); pos != n {
		t.Fatalf("cursor %d after reopening", pos)
	}
	if rest := all(t, again, n); len(rest) != 1 || rest[0].Seq != 1 {
		t.Fatalf("rest %+v", rest)
	}
}
