package spool

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKill kills a writing process at random moments. Everything it has acknowledged is there after
// reopening, numbers go on without a gap, and the note belongs to the last batch.
// Covers GW-35.
func TestKill(t *testing.T) {
	rnd := seeded(t)
	path := filepath.Join(t.TempDir(), "spool.db")
	var acked []Record
	for round := range 8 {
		lines := 1 + rnd.IntN(400)
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "SPOOL_CHILD=append", "SPOOL_PATH="+path, fmt.Sprintf("SPOOL_SEED=%d", rnd.Uint64()))
		cmd.Stderr = os.Stderr
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out := bufio.NewScanner(pipe)
		for n := 0; n < lines && out.Scan(); n++ {
			acked = append(acked, acks(t, bufio.NewScanner(strings.NewReader(out.Text())))...)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		acked = append(acked, acks(t, out)...)
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		checkKilled(t, round, path, acked)
	}
	t.Logf("%d records acknowledged", len(acked))
}

func checkKilled(t *testing.T, round int, path string, acked []Record) {
	t.Helper()
	s := open(t, options(path))
	defer s.Close()
	if problems := s.Problems(); len(problems) > 0 || !s.Status().Durable {
		t.Fatalf("round %d: %v, %+v", round, problems, s.Status())
	}
	records := all(t, s, 0)
	gapless(t, records)
	have := map[int64]Record{}
	for _, r := range records {
		have[r.Pos] = r
	}
	for _, r := range acked {
		h := have[r.Pos]
		if h.Epoch != r.Epoch || h.Stream != r.Stream || h.Seq != r.Seq || h.TopicSeq != r.TopicSeq {
			t.Fatalf("round %d: acknowledged %+v, on disk %+v", round, r.Key, h.Key)
		}
	}
	note, found, err := s.Note(t.Context(), "first")
	if err != nil || !found && len(records) > 0 {
		t.Fatalf("round %d: note %v, %v", round, found, err)
	}
	named := -1
	for i, r := range records {
		if fmt.Sprintf("%s %s %d", r.Epoch, r.Stream, r.Seq) == string(note) {
			named = i
		}
	}
	if len(records) > 0 && len(records)-named > 8 {
		t.Fatalf("round %d: the note names record %d of %d", round, named, len(records))
	}
	if cursor, _ := s.Cursor(t.Context(), "x"); len(records) > 0 && cursor > records[len(records)-1].Pos {
		t.Fatalf("round %d: cursor %d", round, cursor)
	}
}

// TestFullDisk fills the disk of a child process and frees it again.
// Covers GW-37.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "SPOOL_CHILD=limit", "SPOOL_PATH="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
	if !strings.Contains(string(out), "memory: durable=false reason=\"record: ") || !strings.Contains(string(out), "recovered: durable=true seq=1 ") {
		t.Fatalf("child said %s", out)
	}
	s := open(t, options(path))
	defer s.Close()
	records := all(t, s, 0)
	gapless(t, records)
	memory := 0
	for _, r := range records {
		if !r.Durable {
			memory++
		}
	}
	if memory != 1000 || !records[len(records)-1].Durable {
		t.Fatalf("%d records of the memory are on disk, want 1000", memory)
	}
}
