package drivers

import (
	"errors"
	"fmt"
)

// Causes of a failed exchange. A DecodeError wraps one of the first four.
var (
	// ErrTruncated says that the bytes end before the frame does.
	ErrTruncated = errors.New("truncated")
	// ErrChecksum says that the frame's checksum does not match.
	ErrChecksum = errors.New("checksum mismatch")
	// ErrMalformed says that the bytes do not follow the protocol's format.
	ErrMalformed = errors.New("malformed")
	// ErrUnsupported says that the pump does not know the query or the format is of another kind.
	ErrUnsupported = errors.New("unsupported")

	// ErrSilent says that the pump did not answer within the protocol's time and retries.
	ErrSilent = errors.New("pump does not answer")
	// ErrMismatch says that an answer belongs to another question; it never becomes a value.
	ErrMismatch = errors.New("answer to another question")
	// ErrForbidden says that a write is not on the driver's allow-list. Nothing was written.
	ErrForbidden = errors.New("write refused: not on the driver's allow-list")
	// ErrIdentity says that the pump is not the one that this port was opened for,
	// or changed within a session.
	ErrIdentity = errors.New("pump identity changed")
)

// DecodeError says where in which bytes a decoder stopped, and why.
type DecodeError struct {
	Offset int    // index of the first wrong byte
	Cause  error  // ErrTruncated, ErrChecksum, ErrMalformed or ErrUnsupported
	Raw    []byte // a copy of the bytes
	Detail string // what was expected, may be empty
}

func (e *DecodeError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("decode at byte %d of %d: %v", e.Offset, len(e.Raw), e.Cause)
	}
	return fmt.Sprintf("decode at byte %d of %d: %v: %s", e.Offset, len(e.Raw), e.Cause, e.Detail)
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Cause }
