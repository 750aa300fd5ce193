package wire

// Scanner cuts frames of both framings out of a stream that may hold anything. What is no good frame is given up one byte
// behind its STX. It allocates nothing.
type Scanner struct {
	at, n  int
	bad    int
	cause  error
	buffer [4 * MaxFrame]byte
}

// Next takes bytes from in and returns the data of the next good frame, a view that is valid until the next call, its framing and
// how many bytes it took. Without a frame it took all of in; call it again with nothing to find further
// frames in what was taken.
func (s *Scanner) Next(in []byte) (data []byte, f Framing, used int) {
	for {
		if s.at > 0 && (s.at == s.n || s.at >= len(s.buffer)/2) {
			s.n = copy(s.buffer[:], s.buffer[s.at:s.n])
			s.at = 0
		}
		took := copy(s.buffer[s.n:], in[used:])
		s.n += took
		used += took
		if data, f = s.search(); data != nil || used == len(in) {
			return data, f, used
		}
	}
}

func (s *Scanner) search() ([]byte, Framing) {
	for s.at < s.n {
		b := s.buffer[s.at:s.n]
		if b[0] != STX {
			s.at++
			continue
		}
		n, data, f, cause := judge(b)
		switch {
		case cause != nil:
			s.at++
			s.bad++
			s.cause = cause
		case n == 0:
			return nil, Basic
		default:
			s.at += n
			return data, f
		}
	}
	return nil, Basic
}

// Reset forgets what was taken and not used. Counts stay.
func (s *Scanner) Reset() { s.at, s.n = 0, 0 }

// Bad returns how many frames were begun and dropped so far.
func (s *Scanner) Bad() int { return s.bad }

// LastBad returns why the last frame was dropped; nil when none was.
func (s *Scanner) LastBad() error { return s.cause }
