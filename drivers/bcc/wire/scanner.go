package wire

// Event is what a Scanner found.
type Event uint8

// The events.
const (
	Nothing  Event = iota
	Good           // a block
	Broken         // a frame ended or was given up, and is no good one: to be answered by NAK
	Positive       // ACK outside a frame
	Negative       // NAK outside a frame
)

// Scanner cuts frames out of a stream that may hold anything. SOH begins a frame, also inside another one; bytes outside frames are
// ignored. Make it with NewScanner. It allocates nothing after that.
type Scanner struct {
	stuffed bool
	inside  bool
	pending byte
	bad     int
	cause   error
	plain   []byte
}

// NewScanner returns a scanner for a line with or without character stuffing.
func NewScanner(stuffed bool) *Scanner {
	return &Scanner{stuffed: stuffed, plain: make([]byte, 0, MaxFrame)}
}

// Next takes bytes from in up to the first event, and puts a good block into b, whose views are valid until the next call. It returns
// how many bytes it took; without an event that is all of in.
func (s *Scanner) Next(in []byte, b *Block) (e Event, used int) {
	for i := 0; i < len(in); i++ {
		if s.inside && s.pending == 0 {
			if i += s.run(in[i:]); i == len(in) {
				break
			}
		}
		c := in[i]
		switch {
		case c == SOH:
			if s.inside {
				s.drop(ErrTruncated)
			}
			s.inside, s.pending = true, 0
			s.plain = append(s.plain[:0], c)
		case !s.inside:
			if c == ACK {
				return Positive, i + 1
			}
			if c == NAK {
				return Negative, i + 1
			}
		case c == EOT:
			s.plain = append(s.plain, c)
			if s.pending != 0 {
				s.drop(ErrStuffing)
				return Broken, i + 1
			}
			s.inside = false
			if _, cause := verify(s.plain, b); cause != nil {
				s.drop(cause)
				return Broken, i + 1
			}
			return Good, i + 1
		default:
			if cause := s.collect(c); cause != nil {
				s.drop(cause)
				return Broken, i + 1
			}
		}
	}
	return Nothing, len(in)
}

// run collects the bytes at the beginning of in that need no look, and returns how many.
func (s *Scanner) run(in []byte) int {
	special := &specialPlain
	if s.stuffed {
		special = &specialStuffed
	}
	in = in[:min(len(in), MaxFrame-1-len(s.plain))]
	n := 0
	for n < len(in) && !special[in[n]] {
		n++
	}
	s.plain = append(s.plain, in[:n]...)
	return n
}

// specialPlain and specialStuffed are the bytes that a frame does not hold as they are.
var specialPlain, specialStuffed = specials(""), specials("DEde")

func specials(stuffed string) (table [256]bool) {
	for c := range 0x20 {
		table[c] = true
	}
	for _, c := range []byte(stuffed) {
		table[c] = true
	}
	return table
}

// collect takes one byte inside a frame.
func (s *Scanner) collect(c byte) error {
	if s.stuffed {
		u, complete, ok := unstuff(s.pending, c)
		switch {
		case !ok:
			return ErrStuffing
		case !complete:
			s.pending = c
			return nil
		}
		s.pending, c = 0, u
	}
	if c < 0x20 && c != STX && c != ETX && c != ETB && c != RS && c != '\r' && c != '\n' || len(s.plain) >= MaxFrame-1 {
		return ErrMalformed
	}
	s.plain = append(s.plain, c)
	return nil
}

func (s *Scanner) drop(cause error) {
	s.inside, s.pending, s.cause = false, 0, cause
	s.bad++
}

// Pending says whether a frame was begun and not ended.
func (s *Scanner) Pending() bool { return s.inside }

// GiveUp counts a frame that was begun and will not end as bad; for the end of a wait.
func (s *Scanner) GiveUp() {
	if s.inside {
		s.drop(ErrTruncated)
	}
}

// Reset forgets a frame that was begun. Counts stay.
func (s *Scanner) Reset() { s.inside, s.pending = false, 0 }

// Bad returns how many frames were begun and dropped so far.
func (s *Scanner) Bad() int { return s.bad }

// LastBad returns why the last frame was dropped; nil when none was.
func (s *Scanner) LastBad() error { return s.cause }
