package store

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// errNotInflux says that something answered which is no write API, such as the login page of
// a network. Its 200 must not count as stored.
var errNotInflux = errors.New("the answer is not that of an InfluxDB write API")

// secretError says that the token could not be read.
type secretError struct{ err error }

func (e *secretError) Error() string { return "read the token: " + e.err.Error() }

// Unwrap returns the cause.
func (e *secretError) Unwrap() error { return e.err }

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// guard adds the token to each request, so that a renewed one is used at once, and looks at
// each answer before the client does.
type guard struct {
	next  http.RoundTripper
	token func() (string, error)
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if g.token != nil {
		token, err := g.token()
		if err != nil {
			return nil, errors.Join(&secretError{err: err}, closeBody(req))
		}
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Token "+token)
	}
	resp, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 400 && resp.StatusCode != http.StatusNoContent {
		err := fmt.Errorf("%w: %s", errNotInflux, resp.Status)
		return nil, errors.Join(err, resp.Body.Close())
	}
	resp.Body = &limited{Reader: io.LimitReader(resp.Body, maxAnswer), Closer: resp.Body}
	return resp, nil
}

// closeBody is what a RoundTripper owes a request that it does not send.
func closeBody(req *http.Request) error {
	if req.Body == nil {
		return nil
	}
	return req.Body.Close()
}

type limited struct {
	io.Reader
	io.Closer
}

// transport is the HTTP client's, with bounds on every step.
func (o *Options) transport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:       o.TLS.Clone(),
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: writeFor,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   2,
		ForceAttemptHTTP2:     true,
	}
}

// ErrPlain says that token and data would be readable on the network.
var ErrPlain = errors.New("a plain connection to another machine is refused: use https://, or say insecure: true")

// ErrUnverified says that the server's certificate would not be looked at.
var ErrUnverified = errors.New("TLS without verification is refused unless insecure: true is said")

func (o *Options) check() error {
	u, err := url.Parse(o.URL)
	if err != nil {
		return errors.New("the database's URL cannot be read") // its text may hold a password
	}
	if u.User != nil || u.RawQuery != "" {
		return errors.New("the database's URL must not carry a user, password or query: use token_file")
	}
	if u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("database URL %q: want http(s)://host:port", o.URL)
	}
	if o.Bucket == "" {
		return errors.New("the database's bucket is empty")
	}
	if o.Insecure {
		return nil
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("database URL %q: %w", o.URL, ErrPlain)
	}
	if o.TLS != nil && o.TLS.InsecureSkipVerify {
		return fmt.Errorf("database URL %q: %w", o.URL, ErrUnverified)
	}
	return nil
}
