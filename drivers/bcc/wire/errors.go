package wire

import (
	"errors"
	"fmt"
)

// Causes of a failed decode. A DecodeError wraps one of them.
var (
	// ErrTruncated says that the bytes end before the frame or the fields do.
	ErrTruncated = errors.New("truncated")
	// ErrChecksum says that the frame's check does not match.
	ErrChecksum = errors.New("checksum mismatch")
	// ErrMalformed says that the bytes do not follow the protocol's format.
	ErrMalformed = errors.New("malformed")
	// ErrStuffing says that an E or e is followed by something else than section 3 allows.
	ErrStuffing = errors.New("broken character stuffing")
)

// DecodeError says where in which bytes a decoder stopped, and why.
type DecodeError struct {
	Offset int    // index of the first wrong byte
	Cause  error  // one of the causes above
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

func fail(raw []byte, offset int, cause error, detail string) error {
	return &DecodeError{Offset: offset, Cause: cause, Raw: append([]byte(nil), raw...), Detail: detail}
}
