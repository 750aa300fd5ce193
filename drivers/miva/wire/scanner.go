package wire

// Scanner cuts good frames out of a stream that may hold anything, under the
// receiver rules of section 3: a new STX restarts collection, a control byte or a
// byte above 0x7E inside a frame drops it, so do more than 256 bytes without ETX, and
// bytes outside frames are ignored. The zero Scanner uses Sum. It allocates nothing.
type Scanner struct {
	rule   Checksum
	inside bool
	n      int
	bad    int
	cause  error
	body   [MaxFrame]byte
}

// NewScanner returns a scanner for pumps with the given checksum rule.
func NewScanner(c Checksum) *Scanner { return &Scanner{rule: c} }

// Next takes bytes from in up to the end of the first good frame. It returns
// the frame's payload, a view that is valid until the next call, and how many bytes
// it took. Without a good frame it takes all of in and returns nil.
func (s *Scanner) Next(in []byte) (payload []byte, used int) {
	for i, b := range in {
		if s.inside && printable(b) {
			if s.n < len(s.body) {
				s.body[s.n] = b
				s.n++
				continue
			}
			s.drop(ErrMalformed)
			continue
		}
		switch {
		case b == STX:
			if s.inside && s.n > 0 {
				s.drop(ErrTruncated)
			}
			s.inside, s.n = true, 0
		case !s.inside:
		case b == ETX:
			s.inside = false
			payload, cause := verify(s.body[:s.n], s.rule)
			if cause == nil {
				return payload, i + 1
			}
			s.drop(cause)
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

// LastBad returns why the last frame was dropped: ErrTruncated, ErrChecksum or
// ErrMalformed; nil when none was.
func (s *Scanner) LastBad() error { return s.cause }
