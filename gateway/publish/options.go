package publish

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/retain"
)

// Options say where to publish and what stands at the beginning and end of a connection.
type Options struct {
	// URL is tcp://host:port or tls://host:port (also mqtt:// and mqtts://); the port is
	// 1883 or 8883 when left out. It carries no user and no password.
	URL      string
	ClientID string // made from the gateway's name, used by nobody else
	// TLS is used for tls:// and mqtts://; nil trusts the system's authorities. The
	// server's name and TLS 1.2 are filled in.
	TLS      *tls.Config
	Username string
	// Password is asked at each connection; nil when there is none.
	Password func() (string, error)
	// Insecure allows a plain connection to another machine, and TLS without verification.
	Insecure bool

	Topics message.Topics
	Set    *retain.Set
	// Birth, Goodbye and Will build the payloads of the retained status topic: at each
	// connection and re-assertion, before an orderly end, and for the broker to publish
	// when the connection breaks.
	Birth, Goodbye, Will func() []byte

	Log *slog.Logger
	// Report raises a condition of the gateway, or ends it when detail is empty.
	Report func(code, subject, detail, hint string)
	// Now is the wall clock, for comparing the age of records with that of the connection.
	Now func() time.Time
	// Rand is the source of the jitter; nil seeds one at random.
	Rand rand.Source
}

// ErrPlain says that the connection would be readable on the network.
var ErrPlain = errors.New("a plain connection to another machine is refused: use tls://, or say insecure: true")

// ErrUnverified says that the broker's certificate would not be looked at.
var ErrUnverified = errors.New("TLS without verification is refused unless insecure: true is said")

// endpoint is a checked URL.
type endpoint struct {
	address string // host:port
	tls     *tls.Config
}

func (o *Options) endpoint() (endpoint, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return endpoint{}, errors.New("the broker's URL cannot be read") // its text may hold a password
	}
	if u.User != nil {
		return endpoint{}, errors.New("the broker's URL must not carry a user or password: use username and password_file")
	}
	secure, port := false, "1883"
	switch u.Scheme {
	case "tcp", "mqtt":
	case "tls", "ssl", "mqtts":
		secure, port = true, "8883"
	default:
		return endpoint{}, fmt.Errorf("broker URL %q: scheme must be tcp or tls", o.URL)
	}
	if u.Hostname() == "" || (u.Path != "" && u.Path != "/") {
		return endpoint{}, fmt.Errorf("broker URL %q: want scheme://host:port", o.URL)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	e := endpoint{address: net.JoinHostPort(u.Hostname(), port)}
	if !secure {
		if !o.Insecure && !loopback(u.Hostname()) {
			return endpoint{}, fmt.Errorf("broker URL %q: %w", o.URL, ErrPlain)
		}
		return e, nil
	}
	e.tls = o.TLS.Clone()
	if e.tls == nil {
		e.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if e.tls.InsecureSkipVerify && !o.Insecure {
		return endpoint{}, fmt.Errorf("broker URL %q: %w", o.URL, ErrUnverified)
	}
	if e.tls.ServerName == "" {
		e.tls.ServerName = u.Hostname()
	}
	e.tls.MinVersion = max(e.tls.MinVersion, tls.VersionTLS12)
	return e, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
