// Package mosquitto_test proves the example configuration on a real mosquitto, with
// certificates made by the commands of README.md.
package mosquitto_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const patience = 30 * time.Second // for a step that normally takes milliseconds

// commands is the shell block of README.md with this name.
func commands(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```sh " + name + "\n(.*?)```").FindStringSubmatch(string(text))
	if block == nil {
		t.Fatalf("README.md has no block %q", name)
	}
	return block[1]
}

func shell(t *testing.T, dir, script string, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s\n%s%v", script, out, err)
	}
}

// authority makes an authority and the certificates of these clients.
func authority(t *testing.T, clients ...string) string {
	t.Helper()
	dir := t.TempDir()
	shell(t, dir, commands(t, "authority"))
	shell(t, dir, commands(t, "server"), "BROKER=localhost")
	for _, name := range clients {
		shell(t, dir, commands(t, "client"), "NAME="+name)
	}
	return dir
}

// start runs mosquitto with the shipped files; only paths, port, log and user differ.
func start(t *testing.T, pki string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	text, err := os.ReadFile("mosquitto.conf")
	if err != nil {
		t.Fatal(err)
	}
	acl, err := os.ReadFile("acl")
	if err != nil {
		t.Fatal(err)
	}
	conf := string(text)
	for from, to := range map[string]string{
		"/etc/mosquitto/infusiond": pki, "/var/lib/mosquitto/": t.TempDir() + "/",
		"\nlistener 8883\n": "\nlistener " + port + " 127.0.0.1\n", "log_dest syslog": "log_dest stderr", "log_type notice": "log_type all",
	} {
		if !strings.Contains(conf, from) {
			t.Fatalf("mosquitto.conf has no %q", from)
		}
		conf = strings.ReplaceAll(conf, from, to)
	}
	if os.Getuid() == 0 {
		conf = "user root\n" + conf // the temporary folder belongs to root
	}
	file := filepath.Join(pki, "mosquitto.conf")
	for name, content := range map[string]string{file: conf, filepath.Join(pki, "acl"): string(acl)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, file)
	return "ssl://127.0.0.1:" + port
}

// run starts mosquitto and returns when it says that it runs.
func run(t *testing.T, file string) {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "-c", file)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("mosquitto is needed for this test: %v", err)
	}
	running, done := make(chan struct{}), make(chan struct{})
	var log []string
	go func() {
		defer close(done)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			log = append(log, lines.Text())
			if strings.HasSuffix(lines.Text(), " running") {
				close(running)
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = cmd.Wait() // killed
		if t.Failed() {
			t.Logf("mosquitto said:\n%s", strings.Join(log, "\n"))
		}
	})
	select {
	case <-running:
	case <-done:
		t.Fatalf("mosquitto ended:\n%s", strings.Join(log, "\n"))
	case <-time.After(patience):
		t.Fatal("mosquitto does not start")
	}
}

// client is one connected program and what it received.
type client struct {
	mqtt.Client
	got chan string
}

// connect tries once, with the certificate of name from pki, trusting the broker of home.
func connect(t *testing.T, address, home, pki, name string, options ...func(*mqtt.ClientOptions)) (client, error) {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(home, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	conf := &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if name != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(pki, name+".crt"), filepath.Join(pki, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	c := client{got: make(chan string, 100)}
	o := mqtt.NewClientOptions().AddBroker(address).SetClientID("any").SetProtocolVersion(4).SetTLSConfig(conf).
		SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(patience).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { c.got <- m.Topic() + " " + string(m.Payload()) })
	for _, option := range options {
		option(o)
	}
	c.Client = mqtt.NewClient(o)
	token := c.Connect()
	if !token.WaitTimeout(patience) {
		t.Fatalf("%s: no answer to CONNECT", name)
	}
	if token.Error() == nil {
		t.Cleanup(func() { c.Disconnect(0) })
	}
	return c, token.Error()
}

func must(t *testing.T, address, pki, name string) client {
	t.Helper()
	c, err := connect(t, address, pki, pki, name)
	if err != nil {
		t.Fatalf("%s cannot connect: %v", name, err)
	}
	return c
}

func (c client) wait(t *testing.T, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatalf("no acknowledgement: %v", token.Error())
	}
}

func (c client) send(t *testing.T, topics ...string) {
	t.Helper()
	for _, topic := range topics {
		c.wait(t, c.Publish(topic, 1, false, "x"))
	}
}

// until collects messages up to the one on last.
func (c client) until(t *testing.T, last string) []string {
	t.Helper()
	var got []string
	for {
		select {
		case m := <-c.got:
			topic, _, _ := strings.Cut(m, " ")
			got = append(got, topic)
			if topic == last {
				return got
			}
		case <-time.After(patience):
			t.Fatalf("nothing on %s; before it came %v", last, got)
		}
	}
}

// Covers GW-53.
func TestGatewaysWriteBelowTheirOwnNameOnly(t *testing.T) {
	pki := authority(t, "home-17", "home-18", "bench-1", "fleet-board", "test-bench-board", "stranger")
	address := start(t, pki)
	all := must(t, address, pki, "test-bench-board")
	realOnly := must(t, address, pki, "fleet-board")
	for _, reader := range []client{all, realOnly} {
		reader.wait(t, reader.Subscribe("#", 1, nil))
	}
	home, other, bench, stranger := must(t, address, pki, "home-17"), must(t, address, pki, "home-18"), must(t, address, pki, "bench-1"), must(t, address, pki, "stranger")
	other.wait(t, other.Subscribe("#", 1, nil))

	const status, sim, last = "infusiond/v1/home-17/status", "infusiond-sim/v1/bench-1/status", "infusiond/v1/home-17/pump/blue/event"
	forbidden := []string{
		"infusiond/v1/home-18/status", "infusiond/v1/home-17", "infusiond/v1/home-170/status", "infusiond-sim/v1/home-17/status",
		"infusiond/v1/bench-1/status", "infusiond/v1/stranger/status", "elsewhere",
	}
	home.send(t, forbidden[0], forbidden[2], forbidden[3], forbidden[6], status)
	bench.send(t, forbidden[4], status, last, sim)
	stranger.send(t, forbidden[5], status, last)
	all.send(t, status, last) // a reader is no writer
	realOnly.send(t, status, last)
	home.send(t, last)

	if got, want := all.until(t, last), []string{status, sim, last}; !slices.Equal(got, want) {
		t.Errorf("the reader of both roots got %v, want %v", got, want)
	}
	if got, want := realOnly.until(t, last), []string{status, last}; !slices.Equal(got, want) {
		t.Errorf("the reader of real pumps got %v, want %v", got, want)
	}
	realOnly.wait(t, realOnly.Unsubscribe("#"))
	realOnly.wait(t, realOnly.Subscribe("$share/group/infusiond/v1/#", 1, nil))
	home.send(t, last)
	realOnly.until(t, last)
	other.wait(t, other.Unsubscribe("#"))
	if n := len(other.got); n != 0 {
		t.Errorf("a gateway read %d messages", n)
	}
}

// The will must pass the access list too, and stay for whoever comes later.
func TestWillIsSentAndRetained(t *testing.T) {
	pki := authority(t, "home-17", "fleet-board", "test-bench-board")
	address := start(t, pki)
	const status = "infusiond/v1/home-17/status"
	watching := must(t, address, pki, "fleet-board")
	watching.wait(t, watching.Subscribe("infusiond/v1/+/status", 1, nil))
	var line net.Conn
	_, err := connect(t, address, pki, pki, "home-17", func(o *mqtt.ClientOptions) {
		o.SetWill(status, "offline", 1, true)
		conf := o.TLSConfig
		o.SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
			dialer := tls.Dialer{Config: conf}
			var err error
			line, err = dialer.DialContext(t.Context(), "tcp", u.Host)
			return line, err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	line.Close() // without a farewell
	watching.until(t, status)
	later := must(t, address, pki, "test-bench-board")
	later.wait(t, later.Subscribe("infusiond/v1/+/status", 1, nil))
	later.until(t, status)
}

// Covers GW-53.
func TestOnlyOurCertificatesGetIn(t *testing.T) {
	pki, foreign := authority(t, "home-17"), authority(t, "home-17")
	address := start(t, pki)
	for _, row := range []struct{ name, pki, client string }{
		{"no certificate", pki, ""},
		{"another authority's certificate", foreign, "home-17"},
		{"the broker's own certificate", pki, "server"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := connect(t, address, pki, row.pki, row.client); err == nil {
				t.Error("it was let in")
			}
		})
	}
	if _, err := connect(t, strings.Replace(address, "ssl://", "tcp://", 1), pki, pki, ""); err == nil {
		t.Error("a connection without TLS was let in")
	}
	if _, err := connect(t, address, foreign, pki, "home-17"); err == nil {
		t.Error("a client took a broker of another authority for its own")
	}
	must(t, address, pki, "home-17")
}

// Every path of the configuration is installed by README.md.
func TestReadmeInstallsEveryFile(t *testing.T) {
	conf, err := os.ReadFile("mosquitto.conf")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile(`(?m)^\w+ /etc/mosquitto/infusiond/(\S+)$`).FindAllStringSubmatch(string(conf), -1)
	if len(files) != 4 {
		t.Errorf("%d files are named", len(files))
	}
	install := regexp.MustCompile(`(?m)^install .*$`).FindAllString(string(text), -1)
	for _, f := range files {
		if !strings.Contains(fmt.Sprint(install), " "+f[1]+" ") {
			t.Errorf("README.md does not install %s", f[1])
		}
	}
}
