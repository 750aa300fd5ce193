package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"

	"infusiond/gateway/relay"
)

// The codes of why records cannot be stored now.
const (
	CodeUnreachable  = "influxdb_unreachable"  // no answer, or one that says to come again
	CodeRefused      = "influxdb_refused"      // it answers, but takes nothing
	CodeUnauthorized = "influxdb_unauthorized" // the token is missing, wrong or unreadable
	CodeForbidden    = "influxdb_forbidden"    // the token may not write here
	CodeNotFound     = "influxdb_not_found"    // no such bucket, organisation or retention policy
	CodeTLS          = "influxdb_tls"          // a certificate is not accepted, on either side
)

// answer is what the server said to a write.
type answer int

const (
	stored  answer = iota
	badData        // some point of the batch is refused
	tooBig         // the batch is
	waiting        // nothing of this concerns the data; see the failure
)

// maxWords bounds the server's words: they quote whole lines, in bytes.
const maxWords = 300

// judge sorts the result of one write.
func judge(err error) (answer, *relay.Failure) {
	if err == nil {
		return stored, nil
	}
	e, ok := errors.AsType[*influxhttp.Error](err)
	if !ok || e.StatusCode == 0 {
		return waiting, unanswered(err)
	}
	fail := func(code, hint string, refuse bool) (answer, *relay.Failure) {
		return waiting, &relay.Failure{Code: code, Hint: hint, Err: errors.New(words(e)), Refuse: refuse}
	}
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return badData, nil
	case http.StatusRequestEntityTooLarge:
		return tooBig, nil
	case http.StatusUnauthorized:
		return fail(CodeUnauthorized, "check influxdb.token_file; for 1.8 the token is user:password", true)
	case http.StatusForbidden:
		return fail(CodeForbidden, "give the token the right to write to the bucket", true)
	case http.StatusNotFound:
		return fail(CodeNotFound, "check influxdb.org and influxdb.bucket (for 1.8: database/retention policy) and create what is missing", true)
	case http.StatusTooManyRequests:
		return fail(CodeUnreachable, "the database asks for fewer writes; nothing is lost, records wait on disk", false)
	}
	switch {
	case e.StatusCode >= 500 && strings.Contains(e.Message, "retention policy not found"): // 1.8
		return fail(CodeNotFound, "check influxdb.bucket: for 1.8 it is database/retention policy, and the policy must exist", true)
	case e.StatusCode >= 500:
		return fail(CodeUnreachable, "see the database's log; nothing is lost, records wait on disk", false)
	}
	return fail(CodeRefused, "check influxdb.url: something else may answer there", true)
}

// unanswered explains a write without an answer.
func unanswered(err error) *relay.Failure {
	fail := func(code, hint string, refuse bool) *relay.Failure {
		return &relay.Failure{Code: code, Hint: hint, Err: shorter(err), Refuse: refuse}
	}
	if _, ok := errors.AsType[*secretError](err); ok {
		return fail(CodeUnauthorized, "check that influxdb.token_file exists and may be read", true)
	}
	if errors.Is(err, errNotInflux) {
		return fail(CodeRefused, "check influxdb.url, and whether the network asks for a login", true)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "remote error" || e.Op == "local error") {
		return fail(CodeTLS, "check the CA, certificate and key files and their dates", true)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fail(CodeTLS, "check the CA file, the host name in influxdb.url, the certificate's dates and this machine's clock", true)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return fail(CodeUnreachable, "check the host name in influxdb.url and the internet connection", false)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fail(CodeUnreachable, "the database does not answer in time; see its load", false)
	}
	return fail(CodeUnreachable, "check influxdb.url and that the database runs; nothing is lost, records wait on disk", false)
}

// words are what the server said, short enough to be kept.
func words(e *influxhttp.Error) string {
	text := e.Message
	if text == "" {
		text = e.Header.Get("X-Influxdb-Error")
	}
	text = strings.Join(strings.Fields(text), " ")
	return cut(strings.TrimSuffix(fmt.Sprintf("%d %s: %s", e.StatusCode, http.StatusText(e.StatusCode), text), ": "))
}

func wordsOf(err error) string {
	if e, ok := errors.AsType[*influxhttp.Error](err); ok {
		return words(e)
	}
	return cut(err.Error())
}

func cut(text string) string {
	if len(text) <= maxWords {
		return text
	}
	return strings.ToValidUTF8(text[:maxWords], "") + "…"
}

// shorter keeps the chain of err but bounds its text.
func shorter(err error) error { return &short{err: err} }

type short struct{ err error }

func (s *short) Error() string { return cut(s.err.Error()) }

// Unwrap returns the whole error.
func (s *short) Unwrap() error { return s.err }
