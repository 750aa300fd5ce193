package publish

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"infusiond/gateway/relay"
)

// The codes of the conditions that a Publisher reports. Their subject is "mqtt".
const (
	CodeDNS         = "broker_dns"            // the name cannot be resolved
	CodeRefused     = "broker_refused"        // the host answers, the broker does not let us in
	CodeUnreachable = "broker_unreachable"    // no answer, or the connection was lost
	CodeTLS         = "broker_tls"            // a certificate is not accepted, on either side
	CodeAuth        = "broker_auth"           // user, password or right to connect
	CodeTimeout     = "broker_timeout"        // connected, but nothing is acknowledged
	CodeDuplicate   = "mqtt_duplicate_client" // suspected: somebody else uses our client id
)

// errClosed says that the broker ended the connection.
var errClosed = errors.New("the broker closed the connection")

// errNoAck says that the broker takes messages and confirms none.
var errNoAck = errors.New("the broker acknowledges nothing")

// classify gives a connection's error its code and hint.
func classify(err error) *relay.Failure {
	if f, ok := errors.AsType[*relay.Failure](err); ok {
		return f
	}
	fail := func(code, hint string, refuse bool) *relay.Failure {
		return &relay.Failure{Code: code, Hint: hint, Err: err, Refuse: refuse}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return fail(CodeDNS, "check the host name in mqtt.url and the internet connection", false)
	}
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return fail(CodeAuth, "check mqtt.username, the password file and the broker's access list", true)
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return fail(CodeRefused, "the broker does not accept the client id; see its access list", true)
	case errors.Is(err, packets.ErrorRefusedServerUnavailable), errors.Is(err, packets.ErrorRefusedBadProtocolVersion):
		return fail(CodeRefused, "see the broker's log", false)
	case tlsTrouble(err):
		return fail(CodeTLS, "check the CA, certificate and key files, their dates, the host name in mqtt.url and this machine's clock", true)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail(CodeRefused, "the host answers but nothing listens there: check that the broker runs and its port", false)
	case errors.Is(err, errNoAck):
		return fail(CodeTimeout, "check the broker's disk and load; nothing is lost, records wait on disk", false)
	}
	return fail(CodeUnreachable, "check the internet connection and firewall; nothing is lost, records wait on disk", false)
}

// tlsTrouble says whether the two sides could not agree on TLS or a certificate.
func tlsTrouble(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "remote error" || e.Op == "local error") {
		return true // how crypto/tls names an alert
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	var handshake *handshakeError
	return errors.As(err, &handshake)
}

// handshakeError is any failure of the TLS handshake, a network failure excepted.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return "TLS handshake: " + e.err.Error() }

// Unwrap returns the cause.
func (e *handshakeError) Unwrap() error { return e.err }

// closedByPeer says whether the other side ended the connection.
func closedByPeer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// lostError explains the end of a connection by what its reader saw, which says more than
// the client's own words.
func lostError(told, cause error) error {
	if closedByPeer(cause) {
		return fmt.Errorf("%w: %w", errClosed, cause)
	}
	if closedByPeer(told) {
		return fmt.Errorf("%w: %w", errClosed, told)
	}
	return fmt.Errorf("connection lost: %w", told)
}
