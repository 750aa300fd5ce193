package whole

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the name of the program under test in the folder that TestMain names in buildDir.
const (
	binary   = "infusiond"
	buildDir = "INFUSIOND_WHOLE_BUILD_DIR"
)

// TestMain builds the program once. The tests wait for pumps most of the time, so more of them run
// side by side than there are cores, unless -parallel says otherwise.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "24"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "infusiond-whole-")
	if err == nil {
		err = build(context.Background(), filepath.Join(dir, binary))
	}
	if err == nil {
		err = os.Setenv(buildDir, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the program under test:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func build(ctx context.Context, to string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", to, "infusiond/cmd/infusiond")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w:\n%s", err, out)
	}
	return nil
}

// program is the path of the program under test.
func program() string { return filepath.Join(os.Getenv(buildDir), binary) }
