package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"infusiond/simulator"
)

// ErrRefused wraps what the simulator answered to a command that it did not do.
var ErrRefused = errors.New("refused")

// Client speaks to a running simulator.
type Client struct {
	base string
	http *http.Client
}

// NewClient returns a client for an address in the notation of Listen.
func NewClient(address string) *Client {
	path, isUnix := strings.CutPrefix(address, "unix:")
	if !isUnix {
		return &Client{"http://" + address, &http.Client{Timeout: 10 * time.Second}}
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	return &Client{"http://simulator", &http.Client{Transport: transport, Timeout: 10 * time.Second}}
}

// Do does one command on a pump, e.g. Do(ctx, "blue", "occlude", "in=10s"), and returns the status after it.
func (c *Client) Do(ctx context.Context, pump, command string, arguments ...string) (simulator.Status, error) {
	escaped := make([]string, len(arguments))
	for i, a := range arguments {
		key, value, found := strings.Cut(a, "=")
		escaped[i] = url.QueryEscape(key)
		if found {
			escaped[i] += "=" + url.QueryEscape(value)
		}
	}
	path := "/pumps/" + url.PathEscape(pump) + "/" + url.PathEscape(command) + "?" + strings.Join(escaped, "&")
	var status simulator.Status
	return status, c.call(ctx, http.MethodPost, strings.TrimSuffix(path, "?"), &status)
}

// Status returns every pump.
func (c *Client) Status(ctx context.Context) ([]simulator.Status, error) {
	var list []simulator.Status
	return list, c.call(ctx, http.MethodGet, "/pumps", &list)
}

// Help returns what can be done.
func (c *Client) Help(ctx context.Context) ([]string, error) {
	var list []string
	return list, c.call(ctx, http.MethodGet, "/commands", &list)
}

func (c *Client) call(ctx context.Context, method, path string, into any) (err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask simulator: %w", err)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ask simulator: %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		var p problem
		if err := json.NewDecoder(answer.Body).Decode(&p); err != nil || p.Error == "" {
			return fmt.Errorf("%w: %s", ErrRefused, answer.Status)
		}
		return fmt.Errorf("%w: %s", ErrRefused, p.Error)
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		return fmt.Errorf("read simulator's answer: %w", err)
	}
	return nil
}
