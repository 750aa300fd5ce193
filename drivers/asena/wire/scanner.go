package wire

// Scanner cuts good frames out of a stream that may hold anything: an exclamation mark restarts
// collection, an escape character cancels the frame being received, any other control byte or a byte above
// 0x7E inside a frame drops it, so do too many bytes without an end, and bytes
// outside frames are ignored. The zero Scanner is ready. It allocates nothing.
type Scanner struct {
	inside bool
	n      int
	bad    int
	cause  error
	body   [MaxBody + tail]byte
}

// Next takes bytes from in up to the end of the first good frame. It returns the frame's body, a
// view that is valid until the next call, and how many bytes it took. Without a good frame it
// takes all of in and returns nil.
func (s *Scanner) Next(in []byte) (body []byte, used int) {
	for i, b := range in {
		if s.inside && printable(b) && b != Start {
			if s.n < len(s.body) {
				s.body[s.n] = b
				s.n++
				continue
			}
			s.drop(ErrMalformed)
			continue
		}
		switch {
		case b == Start:
			if s.inside && s.n > 0 {
				s.drop(ErrTruncated)
			}
			s.inside, s.n = true, 0
		case !s.inside:
		case b == End:
			s.inside = false
			body, cause := verify(s.body[:s.n])
			if cause == nil {
				return body, i + 1
			}
			s.drop(cause)
		case b == Cancel:
			s.drop(ErrCancelled)
		default:
			s.drop(ErrMalformed)
		}
	}
	return nil, len(in)
}

func (s *Scanner) drop(cause error) {
	s.inside, s.n, s.cause = false, 0, cause
	s.bad++
}

// Reset forgets a frame that was begun. Counts stay.
func (s *Scanner) Reset() { s.inside, s.n = false, 0 }

// Bad returns how many frames were begun and dropped so far.
func (s *Scanner) Bad() int { return s.bad }

// LastBad returns why the last frame was dropped: ErrTruncated, ErrChecksum, ErrMalformed or
// ErrCancelled; nil when none was.
func (s *Scanner) LastBad() error { return s.cause }
