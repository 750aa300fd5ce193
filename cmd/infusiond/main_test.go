package main

import (
	"bytes"
	"path/filepath"
	"testing"
)

// TestExitCodes: 2 says that the command line or a file is wrong. Kong joins a command's error with its own, so a
// wrong file once ended with 1.
func TestExitCodes(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	for _, row := range []struct {
		name string
		args []string
		code int
	}{
		{"version", []string{"version"}, 0},
		{"help", []string{"--help"}, 0},
		{"unknown command", []string{"delete"}, exitUsage},
		{"check of a missing file", []string{"check-config", missing}, exitUsage},
		{"probe without the statement", []string{"probe", "--protocols", "miva", "/dev/null"}, exitUsage},
		{"probe of an unknown protocol", []string{"probe", "--not-on-a-patient", "--protocols", "mivaa", "/dev/null"}, exitUsage},
		{"probe without protocols", []string{"probe", "--not-on-a-patient", "/dev/null"}, exitUsage},
		{"probe with settings for two", []string{"probe", "--not-on-a-patient", "--protocols", "miva,asena", "--settings", "a=b", "/dev/null"}, exitUsage},
		{"probe with a wrong setting", []string{"probe", "--not-on-a-patient", "--protocols", "miva", "--settings", "checksum=crc", "/dev/null"}, exitUsage},
		{"probe of a port that is none", []string{"probe", "--not-on-a-patient", "--protocols", "miva", "/dev/null"}, exitFailed},
		{"run with a missing file", []string{"run", missing}, exitUsage},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			if code := run(t.Context(), row.args, &out, &errOut); code != row.code {
				t.Errorf("exit code %d, want %d; it says %s%s", code, row.code, &out, &errOut)
			}
		})
	}
}
