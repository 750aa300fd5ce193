package parts_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"infusiond/gateway/proof/parts"
)

func TestProgramStopsWhatItStarted(t *testing.T) {
	dir := t.TempDir()
	var did []string
	err := parts.Program(t.Context(), dir, func(p parts.TB) {
		if err := os.WriteFile(filepath.Join(p.TempDir(), "a"), nil, 0o600); err != nil {
			p.Fatal(err)
		}
		if other := p.TempDir(); filepath.Dir(other) != dir {
			p.Errorf("folder %s is not below %s", other, dir)
		}
		p.Cleanup(func() { did = append(did, "first") })
		p.Cleanup(func() {
			if p.Context().Err() == nil {
				did = append(did, "the context outlived the program")
			}
			did = append(did, "second")
			p.Fatalf("cleanup %d fails", 2)
		})
		p.Logf("note")
		if p.Failed() {
			p.Errorf("failed before anything failed")
		}
		p.Fatalf("stop %s", "here")
		did = append(did, "went on")
	})
	if err == nil || err.Error() != "stop here\ncleanup 2 fails\nnote" {
		t.Errorf("error %q", err)
	}
	if want := []string{"second", "first"}; !slices.Equal(did, want) {
		t.Errorf("did %v, want %v", did, want)
	}
	if err := parts.Program(t.Context(), dir, func(p parts.TB) { p.Logf("quiet") }); err != nil {
		t.Errorf("success is an error: %v", err)
	}
	if err := parts.Program(t.Context(), filepath.Join(dir, "none"), func(p parts.TB) { p.TempDir() }); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a folder that cannot be made: %v", err)
	}
}
