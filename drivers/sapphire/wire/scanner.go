package wire

// Scanner cuts good messages out of a stream that may hold anything. When a header, length or checksum
// does not fit, the search goes on one byte behind that start byte. It allocates nothing.
type Scanner struct {
	unchecked bool
	at, n     int
	bad       int
	cause     error
	buffer    [2 * MaxMessage]byte
}

// NewScanner returns a scanner; with check false it does not verify checksums.
func NewScanner(check bool) *Scanner { return &Scanner{unchecked: !check} }

// Next takes bytes from in and puts the next good message into m; its data is a view that is valid until the next
// call. It returns how many bytes it took. When it finds no message it took all of in; call it again with
// nothing to find further messages in what was taken.
func (s *Scanner) Next(in []byte, m *Message) (found bool, used int) {
	for {
		if s.at > 0 && s.at >= len(s.buffer)/2 || s.at == s.n {
			s.n = copy(s.buffer[:], s.buffer[s.at:s.n])
			s.at = 0
		}
		took := copy(s.buffer[s.n:], in[used:])
		s.n += took
		used += took
		if s.search(m) {
			return true, used
		}
		if used == len(in) {
			return false, used
		}
	}
}

// search looks for a message in the buffer and steps over what is none.
func (s *Scanner) search(m *Message) bool {
	for s.at < s.n {
		b := s.buffer[s.at:s.n]
		if b[0] != Start {
			s.at++
			continue
		}
		n := head(b)
		if n == 0 || n > len(b) {
			return false
		}
		if n < 0 {
			s.at++
			continue
		}
		if !s.unchecked && sum(b[1:n-1]) != b[n-1] {
			s.drop(ErrChecksum)
			continue
		}
		m.set(b[:n])
		s.at += n
		return true
	}
	return false
}

func (s *Scanner) drop(cause error) {
	s.at++
	s.bad++
	s.cause = cause
}

// Flush gives up the message that is being waited for and looks behind its start byte; for the end of a wait.
func (s *Scanner) Flush(m *Message) bool {
	for s.at < s.n {
		s.drop(ErrTruncated)
		if s.search(m) {
			return true
		}
	}
	return false
}

// Reset forgets what was taken and not used. Counts stay.
func (s *Scanner) Reset() { s.at, s.n = 0, 0 }

// Bad returns how many messages with a good header were dropped so far.
func (s *Scanner) Bad() int { return s.bad }

// LastBad returns why the last one was dropped: ErrChecksum or ErrTruncated; nil when none was.
func (s *Scanner) LastBad() error { return s.cause }
