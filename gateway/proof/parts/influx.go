package parts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// InfluxServer is a running InfluxDB 1.8.10 with authentication on, one
// database and one user that may write to it.
type InfluxServer struct {
	URL    string // http://127.0.0.1:port
	Bucket string // "edge/autogen", database and retention policy
	Token  string // of the user, in the form of the v2 API
	Admin  string // token of a user who may do everything

	process *process
}

const influxConfig = `reporting-disabled = true
bind-address = "127.0.0.1:%d"
[meta]
  dir = "%[3]s/meta"
[data]
  dir = "%[3]s/data"
  wal-dir = "%[3]s/wal"
  index-version = "tsi1"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:%[2]d"
  auth-enabled = true
  ping-auth-enabled = true
  flux-enabled = false
  log-enabled = false
`

// Influx starts an InfluxDB for the test.
func Influx(t TB) *InfluxServer {
	t.Helper()
	program, err := findInflux()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	port := FreePort(t)
	config := filepath.Join(dir, "influxdb.conf")
	text := fmt.Sprintf(influxConfig, FreePort(t), port, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatalf("configure influxd: %v", err)
	}
	s := &InfluxServer{
		URL:    fmt.Sprintf("http://127.0.0.1:%d", port),
		Bucket: "edge/autogen", Token: "edge:edgepw", Admin: "admin:adminpw",
	}
	s.process = &process{
		name: "influxd", argv: []string{program, "-config", config}, log: &logBuffer{},
		ready: s.healthy,
	}
	s.process.watch(t)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"CREATE USER admin WITH PASSWORD 'adminpw' WITH ALL PRIVILEGES",
		"CREATE DATABASE edge",
		"CREATE USER edge WITH PASSWORD 'edgepw'",
		"GRANT ALL ON edge TO edge",
		"CREATE USER stranger WITH PASSWORD 'strangerpw'",
	} {
		if _, err := s.Query(t.Context(), q); err != nil {
			t.Fatalf("set up influxd: %v", err)
		}
	}
	return s
}

// Start starts a stopped server on its old address.
func (s *InfluxServer) Start() error { return s.process.start() }

// Stop ends the server in order.
func (s *InfluxServer) Stop() error { return s.process.stop(syscall.SIGTERM) }

// Restart stops the server in order and starts it again.
func (s *InfluxServer) Restart() error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.Start()
}

// Row is one row of an answer: column name to value. Numbers are json.Number with the
// digits that the server wrote; a column without a value is absent.
type Row map[string]any

// Query runs InfluxQL on the database with the rights of the administrator. Times are
// in nanoseconds. The rows of all series follow each other, tags of a GROUP BY included.
func (s *InfluxServer) Query(ctx context.Context, query string) ([]Row, error) {
	user, password, _ := strings.Cut(s.Admin, ":")
	form := url.Values{"q": {query}, "db": {"edge"}, "epoch": {"ns"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(user, password)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing can be done about it
	if resp.StatusCode != http.StatusOK {
		words, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return nil, fmt.Errorf("query %q: %s: %s", query, resp.Status, words)
	}
	return decodeRows(resp.Body)
}

func decodeRows(body io.Reader) ([]Row, error) {
	var answer struct {
		Results []struct {
			Error  string `json:"error"`
			Series []struct {
				Tags    map[string]string `json:"tags"`
				Columns []string          `json:"columns"`
				Values  [][]any           `json:"values"`
			} `json:"series"`
		} `json:"results"`
	}
	decoder := json.NewDecoder(body)
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		return nil, err
	}
	var rows []Row
	for _, result := range answer.Results {
		if result.Error != "" {
			return nil, errors.New(result.Error)
		}
		for _, series := range result.Series {
			for _, values := range series.Values {
				row := Row{}
				for tag, value := range series.Tags {
					row[tag] = value
				}
				for i, column := range series.Columns {
					if values[i] != nil {
						row[column] = values[i]
					}
				}
				rows = append(rows, row)
			}
		}
	}
	return rows, nil
}

func (s *InfluxServer) healthy(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/health", nil)
	if err != nil {
		return err
	}
	user, password, _ := strings.Cut(s.Admin, ":")
	req.SetBasicAuth(user, password) // demanded once the administrator exists
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /health: %s", resp.Status)
	}
	return nil
}

func findInflux() (string, error) {
	if path := os.Getenv("INFLUXD"); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("INFLUXD names a program that is not there: %w", err)
		}
		return path, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", "influxd")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("influxd 1.8.10 is missing, run make tools: %w", err)
	}
	return path, nil
}
