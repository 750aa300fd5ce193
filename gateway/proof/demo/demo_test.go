package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
	"infusiond/gateway/proof/parts"
)

// The demo is the first thing that a newcomer runs: two simulated pumps, the gateway with its own broker, and the
// page come up; subscriber and page get valid messages; TERM ends everything and leaves nothing behind.
// Covers GW-55.
func TestDemo(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	bin, tmp := t.TempDir(), t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./gateway/proof/demo")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	demo := exec.CommandContext(t.Context(), filepath.Join(bin, "demo"))
	demo.Dir, demo.Env = root, append(os.Environ(), "TMPDIR="+tmp, "CGO_ENABLED=0")
	var trouble bytes.Buffer
	demo.Stderr = &trouble
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	said, last := waitUp(t, out)
	if last == nil {
		t.Fatalf("the demo did not come up: %v\n%s%s", demo.Wait(), said, trouble.String())
	}
	for _, want := range []string{"mosquitto_sub", "blue occlude", "red pause", "blue rate 11.1", "red unplug", "not a medical device"} {
		if !strings.Contains(said, want) {
			t.Errorf("the sheet says nothing of %q:\n%s", want, said)
		}
	}
	lookAtPage(t, last["url"])
	lookAtBroker(t, last["mqtt"], last["root"])

	if err := demo.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(out)
	if err != nil {
		t.Error(err)
	}
	if err := demo.Wait(); err != nil {
		t.Errorf("it did not end in order: %v\n%s%s", err, rest, trouble.String())
	}
	left, err := os.ReadDir(tmp)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// waitUp reads until the machine-readable line and returns all lines, and that line's values.
func waitUp(t *testing.T, out io.Reader) (string, map[string]string) {
	t.Helper()
	var said strings.Builder
	reader := bufio.NewReader(out)
	for {
		line, err := reader.ReadString('\n')
		said.WriteString(line)
		if values, ok := strings.CutPrefix(strings.TrimSpace(line), "demo: url="); ok {
			last := map[string]string{}
			for field := range strings.FieldsSeq("url=" + values) {
				key, value, _ := strings.Cut(field, "=")
				last[key] = value
			}
			return said.String(), last
		}
		if err != nil {
			return said.String(), nil
		}
	}
}

func lookAtPage(t *testing.T, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("<html")) {
		t.Errorf("page: %s %v", response.Status, err)
	}
}

func lookAtBroker(t *testing.T, address, root string) {
	t.Helper()
	for topic, rate := range map[string]string{root + "/pump/blue/state": "1.11", root + "/pump/red/state": "2.22"} {
		m := parts.Retained(t, parts.Subscription{URL: "tcp://" + address}, topic, `"verdict":{"verdict":"ok"`)
		if err := schema.ValidateTopic(m.Topic, []byte(m.Payload)); err != nil {
			t.Errorf("%v\n%s", err, m.Payload)
		}
		var s message.State
		if err := json.Unmarshal([]byte(m.Payload), &s); err != nil {
			t.Fatal(err)
		}
		if s.Source != message.SourceSim || s.ProgrammedRateMlPerH.String() != rate || s.DeliveryStatus != "infusing" {
			t.Errorf("%s: %s", m.Topic, m.Payload)
		}
	}
}
