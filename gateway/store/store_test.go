package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/gateway/relay"
	"infusiond/gateway/spool"
)

const jsonType = "application/json; charset=utf-8"

var good = reply{status: http.StatusNoContent}

// The answers of infra.md section 4, read off InfluxDB 1.8.10 and 2.7.12.
// Covers GW-60.
func TestAnswersThatWait(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer reply
		code   string
		refuse bool
		says   string
	}{
		{
			name: "1.8.10 bad token", code: CodeUnauthorized, refuse: true, says: "401",
			answer: reply{401, jsonType, map[string]string{"X-Influxdb-Error": "authorization failed"}, `{"error":"authorization failed"}`},
		},
		{
			name: "2.7.12 bad token", code: CodeUnauthorized, refuse: true, says: "unauthorized access",
			answer: reply{401, jsonType, nil, `{"code":"unauthorized","message":"unauthorized access"}`},
		},
		{
			name: "1.8.10 may not write here", code: CodeForbidden, refuse: true, says: "not authorized to write",
			answer: reply{403, jsonType, nil, `{"code":"forbidden","message":"\"stranger\" user is not authorized to write to database \"edge\""}`},
		},
		{
			name: "2.7.12 may not write here", code: CodeForbidden, refuse: true, says: "insufficient permissions",
			answer: reply{403, jsonType, nil, `{"code":"forbidden","message":"insufficient permissions for write"}`},
		},
		{
			name: "1.8.10 unknown database", code: CodeNotFound, refuse: true, says: "database not found",
			answer: reply{404, jsonType, nil, `{"code":"not found","message":"database not found: \"edge\""}`},
		},
		{
			name: "2.7.12 unknown bucket", code: CodeNotFound, refuse: true, says: "bucket",
			answer: reply{404, jsonType, nil, `{"code":"not found","message":"bucket \"edge\" not found"}`},
		},
		{
			name: "1.8.10 unknown retention policy", code: CodeNotFound, refuse: true, says: "retention policy not found",
			answer: reply{500, jsonType, nil, `{"code":"internal error","message":"retention policy not found: nosuch"}`},
		},
		{
			name: "2.7.12 corrupt gzip, or any other failure inside", code: CodeUnreachable, says: "500",
			answer: reply{500, jsonType, nil, `{"code":"internal error","message":"unexpected EOF"}`},
		},
		{
			name: "unavailable", code: CodeUnreachable, says: "503",
			answer: reply{503, "", nil, ""},
		},
		{
			name: "too many writes", code: CodeUnreachable, says: "429",
			answer: reply{429, jsonType, nil, `{"code":"too many requests","message":"slow down"}`},
		},
		{
			name: "a login page", code: CodeRefused, refuse: true, says: "200",
			answer: reply{200, "text/html", nil, "<html>please log in</html>"},
		},
		{
			name: "sent elsewhere", code: CodeRefused, refuse: true, says: "302",
			answer: reply{302, "", map[string]string{"Location": "/login"}, ""},
		},
		{
			name: "no such method", code: CodeRefused, refuse: true, says: "405",
			answer: reply{405, "", nil, ""},
		},
		{
			name: "a server that refuses everything", code: CodeRefused, refuse: true, says: "organization",
			answer: reply{400, jsonType, nil, `{"code":"invalid","message":"please provide either orgID or org (organization)"}`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := newServer(t, func([]string) ([]string, reply) { return nil, tt.answer })
			s := newStore(t, Options{URL: server.URL})
			out, err := s.Deliver(t.Context(), observations(t, 3))
			var f *relay.Failure
			if !errors.As(err, &f) || f.Code != tt.code || f.Refuse != tt.refuse || f.Hint == "" || !strings.Contains(f.Error(), tt.says) {
				t.Fatalf("Deliver = %#v, want %s with %q, refuse %t", err, tt.code, tt.says, tt.refuse)
			}
			if diff := cmp.Diff(relay.Outcome{}, out); diff != "" {
				t.Errorf("something was counted (-want +got):\n%s", diff)
			}
		})
	}
}

// refuser is a server that refuses lines with "bad" in them, in the manner of a version.
func refuser(status int, body string, keepRest bool) func([]string) ([]string, reply) {
	return func(lines []string) ([]string, reply) {
		bad := func(line string) bool { return strings.Contains(line, "bad") }
		if !slices.ContainsFunc(lines, bad) {
			return lines, good
		}
		var kept []string
		if keepRest {
			kept = slices.DeleteFunc(slices.Clone(lines), bad)
		}
		return kept, reply{status: status, ctype: jsonType, body: body}
	}
}

// Covers GW-59.
func TestBadPointsAreSetAside(t *testing.T) {
	for _, tt := range []struct {
		name     string
		status   int
		body     string
		keepRest bool
	}{
		{"1.8.10 malformed line", 400, `{"code":"invalid","message":"partial write: unable to parse 'infusion bad': missing fields dropped=0"}`, true},
		{"2.7.12 malformed line", 400, `{"code":"invalid","message":"unable to parse 'infusion bad': missing fields"}`, false},
		{"1.8.10 field type conflict", 400, `{"code":"invalid","message":"partial write: field type conflict: input field \"x\" is type string, already exists as type float dropped=1"}`, true},
		{"2.7.12 field type conflict", 422, `{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict"}`, true},
		{"1.8.10 older than the retention", 400, `{"code":"invalid","message":"partial write: points beyond retention policy dropped=1"}`, true},
		{"too large for the server", 413, `{"code":"request too large","message":"request too large"}`, false},
	} {
		for _, at := range [][]int{{0}, {6}, {2, 3}, {0, 1, 2, 3, 4, 5, 6}} {
			t.Run(fmt.Sprintf("%s at %v", tt.name, at), func(t *testing.T) {
				server := newServer(t, refuser(tt.status, tt.body, tt.keepRest))
				s := newStore(t, Options{URL: server.URL})
				batch := observations(t, 7)
				for _, i := range at {
					o := observation(uint64(i+1), "1")
					o.Mode = "bad"
					batch[i] = record(t, spool.Observation, o)
				}
				out, err := s.Deliver(t.Context(), batch)
				must(t, err)
				var indexes []int
				for _, r := range out.Rejected {
					indexes = append(indexes, r.Index)
					if !strings.Contains(r.Reason, fmt.Sprint(tt.status)) {
						t.Errorf("reason %q lacks the server's words", r.Reason)
					}
				}
				if out.Accepted != len(batch) || !slices.Equal(indexes, at) {
					t.Errorf("Outcome = %d accepted, rejected %v; want %d and %v", out.Accepted, indexes, len(batch), at)
				}
				if want := len(batch) - len(at); len(server.stored) != want {
					t.Errorf("%d lines are stored, want %d", len(server.stored), want)
				}
			})
		}
	}
}

// What is before the first failure counts, what is behind does not.
// Covers GW-59.
func TestPrefixIsCounted(t *testing.T) {
	server := newServer(t, func(lines []string) ([]string, reply) {
		if len(lines) > 2 {
			return nil, reply{status: 413}
		}
		if strings.Contains(lines[0], "seq=5i") {
			return nil, reply{status: 503}
		}
		return lines, good
	})
	s := newStore(t, Options{URL: server.URL})
	out, err := s.Deliver(t.Context(), observations(t, 8))
	if err == nil || out.Accepted != 4 || len(out.Rejected) != 0 {
		t.Errorf("Deliver = %+v, %v; want 4 accepted and an error", out, err)
	}
	if len(server.stored) != 4 {
		t.Errorf("%d lines are stored, want 4", len(server.stored))
	}
}

// Covers GW-59.
func TestUndecodableRecordIsSetAside(t *testing.T) {
	server := newServer(t, func(lines []string) ([]string, reply) { return lines, good })
	s := newStore(t, Options{URL: server.URL})
	batch := observations(t, 4)
	batch[1].Payload = []byte(`{"gateway":`)
	batch[2].Kind = 99
	out, err := s.Deliver(t.Context(), batch)
	must(t, err)
	if out.Accepted != 4 || len(out.Rejected) != 2 || out.Rejected[0].Index != 1 || out.Rejected[1].Index != 2 {
		t.Errorf("Outcome = %+v", out)
	}
	if server.writes != 1 || len(server.stored) != 2 {
		t.Errorf("%d writes, %d lines", server.writes, len(server.stored))
	}
}

func TestRequest(t *testing.T) {
	server := newServer(t, func(lines []string) ([]string, reply) { return lines, good })
	token := "first"
	s := newStore(t, Options{
		URL: server.URL, Org: "home", Bucket: "edge/autogen",
		Token: func() (string, error) { return token, nil },
	})
	for range 2 {
		_, err := s.Deliver(t.Context(), observations(t, 6000))
		must(t, err)
		token = "second" // renewed without a restart
	}
	if server.writes != 4 {
		t.Errorf("%d writes for twice 6000 records, want two each", server.writes)
	}
	for i, want := range []string{"Token first", "Token first", "Token second", "Token second"} {
		r := server.asked[i]
		q := r.URL.Query()
		if r.Method != http.MethodPost || r.URL.Path != "/api/v2/write" || q.Get("precision") != "ns" || q.Get("bucket") != "edge/autogen" || q.Get("org") != "home" {
			t.Errorf("request %d: %s %s", i, r.Method, r.URL)
		}
		if r.Header.Get("Authorization") != want || r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("request %d: headers %v", i, r.Header)
		}
	}
}

func TestTokenUnreadable(t *testing.T) {
	server := newServer(t, func(lines []string) ([]string, reply) { return lines, good })
	s := newStore(t, Options{URL: server.URL, Token: func() (string, error) { return "", errors.New("no such file") }})
	_, err := s.Deliver(t.Context(), observations(t, 1))
	var f *relay.Failure
	if !errors.As(err, &f) || f.Code != CodeUnauthorized || server.writes != 0 {
		t.Errorf("Deliver = %v, %d writes", err, server.writes)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	answers := []reply{{status: 503, header: map[string]string{"Retry-After": "3600"}}}
	server := newServer(t, func(lines []string) ([]string, reply) { return lines, answers[0] })
	s := newStore(t, Options{URL: server.URL})
	if _, err := s.Deliver(t.Context(), observations(t, 1)); err == nil {
		t.Fatal("503 is no error")
	}
	if wait := time.Until(s.notBefore); wait < maxAsked/2 || wait > maxAsked {
		t.Errorf("waits %v, want at most %v of the hour that was asked for", wait, maxAsked)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Deliver(ctx, observations(t, 1)); !errors.Is(err, context.DeadlineExceeded) || server.writes != 1 {
		t.Errorf("while it waits: %v after %d writes", err, server.writes)
	}
	s.notBefore, answers[0] = time.Now(), good
	if out, err := s.Deliver(t.Context(), observations(t, 1)); err != nil || out.Accepted != 1 {
		t.Errorf("afterwards: %+v, %v", out, err)
	}
}

func TestServerAway(t *testing.T) {
	server := newServer(t, func(lines []string) ([]string, reply) { return lines, good })
	s := newStore(t, Options{URL: server.URL})
	server.Close()
	out, err := s.Deliver(t.Context(), observations(t, 2))
	var f *relay.Failure
	if !errors.As(err, &f) || f.Code != CodeUnreachable || f.Refuse || out.Accepted != 0 {
		t.Errorf("Deliver = %+v, %v", out, err)
	}
}

func TestLongWordsAreCut(t *testing.T) {
	line := strings.Repeat("µ", 5000)
	server := newServer(t, func(lines []string) ([]string, reply) {
		if strings.HasPrefix(lines[0], measurementHealth) {
			return lines, good
		}
		return nil, reply{400, jsonType, nil, fmt.Sprintf(`{"code":"invalid","message":"unable to parse '%s'"}`, line)}
	})
	s := newStore(t, Options{URL: server.URL})
	out, err := s.Deliver(t.Context(), observations(t, 1))
	must(t, err)
	if len(out.Rejected) != 1 || len(out.Rejected[0].Reason) > maxWords+10 || !strings.Contains(out.Rejected[0].Reason, "unable to parse") {
		t.Errorf("Outcome = %+v", out)
	}
}

// Covers GW-54.
func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want error
		says string
	}{
		{name: "plain to loopback", o: Options{URL: "http://127.0.0.1:8086", Bucket: "b"}},
		{name: "plain to localhost", o: Options{URL: "http://localhost:8086", Bucket: "b"}},
		{name: "TLS to anywhere", o: Options{URL: "https://db.example:8086", Bucket: "b"}},
		{name: "plain to another machine", o: Options{URL: "http://192.168.1.5:8086", Bucket: "b"}, want: ErrPlain},
		{name: "the same, said in words", o: Options{URL: "http://192.168.1.5:8086", Bucket: "b", Insecure: true}},
		{name: "unverified", o: Options{URL: "https://db.example", Bucket: "b", TLS: &tls.Config{InsecureSkipVerify: true}}, want: ErrUnverified},
		{name: "password in the URL", o: Options{URL: "https://u:secret@db.example", Bucket: "b"}, says: "must not carry"},
		{name: "not a web address", o: Options{URL: "db.example:8086", Bucket: "b"}, says: "http"},
		{name: "no bucket", o: Options{URL: "https://db.example"}, says: "bucket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.o)
			if (err == nil) != (tt.want == nil && tt.says == "") || (tt.want != nil && !errors.Is(err, tt.want)) {
				t.Fatalf("New = %v, want %v", err, tt.want)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("New = %v", err)
			}
		})
	}
}
