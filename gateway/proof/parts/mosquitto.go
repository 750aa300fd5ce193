package parts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// MosquittoOptions says which Mosquitto is wanted. The zero value is a plain listener
// that lets everybody in and keeps its state on disk.
type MosquittoOptions struct {
	// TLS makes the listener demand client certificates of this authority; the
	// certificate's common name is the user name.
	TLS *PKI
	// ACL is the content of an access list; empty lets every client do everything.
	ACL string
	// Volatile switches persistence off: a restart forgets everything.
	Volatile bool
	// Config is appended to the configuration file.
	Config string
}

// Broker is a running Mosquitto.
type Broker struct {
	Addr string // host:port
	URL  string // tcp:// or tls://

	process *process
}

// Mosquitto starts a Mosquitto for the test.
func Mosquitto(t TB, o MosquittoOptions) *Broker {
	t.Helper()
	program, err := findMosquitto()
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", FreePort(t))
	b := &Broker{Addr: addr, URL: "tcp://" + addr}
	if o.TLS != nil {
		b.URL = "tls://" + addr
	}
	dir := t.TempDir()
	config, err := o.write(dir, addr)
	if err != nil {
		t.Fatalf("configure mosquitto: %v", err)
	}
	b.process = &process{
		name: "mosquitto", argv: []string{program, "-c", config}, log: &logBuffer{},
		ready: func(ctx context.Context) error { return dial(ctx, addr) },
	}
	b.process.watch(t)
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	return b
}

// Start starts a stopped broker on its old address.
func (b *Broker) Start() error { return b.process.start() }

// Stop ends the broker in order; with persistence it keeps what it acknowledged.
func (b *Broker) Stop() error { return b.process.stop(syscall.SIGTERM) }

// Restart stops the broker in order and starts it again.
func (b *Broker) Restart() error {
	if err := b.Stop(); err != nil {
		return err
	}
	return b.Start()
}

// Log is what the broker wrote.
func (b *Broker) Log() string { return b.process.log.String() }

func findMosquitto() (string, error) {
	program, err := exec.LookPath("mosquitto")
	if err == nil {
		return program, nil
	}
	const debian = "/usr/sbin/mosquitto" // not on the PATH of an ordinary user
	if _, statErr := os.Stat(debian); statErr == nil {
		return debian, nil
	}
	return "", fmt.Errorf("mosquitto is missing, install Debian's package mosquitto (see make tools): %w", err)
}

// write puts the configuration into dir and returns its path.
func (o MosquittoOptions) write(dir, addr string) (string, error) {
	host, port, _ := strings.Cut(addr, ":")
	lines := []string{
		"per_listener_settings true",
		"log_type all",
		"log_dest stderr",
		"max_inflight_messages 1000",
		"max_queued_messages 1000000",
		"max_queued_bytes 0",
		"user root", // started as root it would otherwise change to a user that cannot read the directory
	}
	if !o.Volatile {
		lines = append(lines, "persistence true", "persistence_location "+dir+"/")
	}
	lines = append(lines, "listener "+port+" "+host)
	if o.TLS == nil {
		lines = append(lines, "allow_anonymous true")
	} else {
		cert, err := o.TLS.WriteServer(dir)
		if err != nil {
			return "", err
		}
		lines = append(lines, "cafile "+cert.CA, "certfile "+cert.Cert, "keyfile "+cert.Key,
			"require_certificate true", "use_identity_as_username true")
	}
	if o.ACL != "" {
		acl := filepath.Join(dir, "acl")
		if err := os.WriteFile(acl, []byte(o.ACL), 0o600); err != nil {
			return "", err
		}
		lines = append(lines, "acl_file "+acl)
	}
	lines = append(lines, o.Config, "")
	config := filepath.Join(dir, "mosquitto.conf")
	return config, os.WriteFile(config, []byte(strings.Join(lines, "\n")), 0o600)
}
