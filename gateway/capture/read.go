package capture

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"infusiond/drivers"
)

// Limits of what is read.
const (
	maxLine    = 1 << 20  // characters; the longest read that is captured has some thousand bytes
	maxStretch = 64 << 10 // bytes that are explained together
)

// ErrNotCapture says that a line does not belong to a capture.
var ErrNotCapture = errors.New("is no line of a capture")

// LineError is what is wrong with a line of the file.
type LineError struct {
	Line int
	Text string
	Err  error // may be nil
}

func (e *LineError) Error() string {
	text := fmt.Sprintf("line %d: %s", e.Line, e.Text)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// Frame is one frame of a capture, or a stretch of bytes that is none.
type Frame struct {
	Line      int    // of its first byte, in the file
	Time      string // of the read or write that its first byte belongs to, seconds; empty on the command line
	Direction drivers.Direction
	Discarded bool // dropped unread before a query: no value ever came from it
	drivers.Explained
}

// header begins the first remark of a capture.
const header = "# infusiond capture 1 "

// Reader turns a capture into frames.
type Reader struct {
	// Driver gives the explainer of the driver that a capture names.
	Driver func(name string) (drivers.Explainer, error)
	// Explainer, when set, is used whatever the capture names.
	Explainer drivers.Explainer
	// Show takes each frame; an error ends the reading.
	Show func(Frame) error
}

// chunk is one line with bytes.
type chunk struct {
	line      int
	time      string
	direction byte // as in the capture: > < x
	offset    int  // in the stretch
}

// stretch is what is explained together: consecutive chunks of one direction.
type stretch struct {
	bytes  []byte
	chunks []chunk
}

// Read reads a whole capture. What was good before an error was shown.
func (r *Reader) Read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	var s stretch
	named := r.Explainer
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimRight(lines.Bytes(), "\r")
		if len(line) == 0 {
			continue
		}
		if line[0] == '#' {
			if err := r.flush(named, &s, true); err != nil {
				return err
			}
			e, err := r.named(named, string(line), n)
			if err != nil {
				return err
			}
			named = e
			continue
		}
		c, data, err := parse(line, n)
		if err != nil {
			return errors.Join(r.flush(named, &s, true), err)
		}
		if named == nil {
			return &LineError{Line: n, Text: "no remark before it says which driver was used; name it with --driver"}
		}
		if len(s.chunks) > 0 && s.chunks[0].direction != c.direction || len(s.bytes)+len(data) > maxStretch {
			if err := r.flush(named, &s, len(s.chunks) > 0 && s.chunks[0].direction != c.direction); err != nil {
				return err
			}
		}
		c.offset = len(s.bytes)
		s.chunks, s.bytes = append(s.chunks, c), append(s.bytes, data...)
	}
	err := r.flush(named, &s, true)
	switch scanned := lines.Err(); {
	case errors.Is(scanned, bufio.ErrTooLong):
		err = errors.Join(err, &LineError{Line: n + 1, Text: fmt.Sprintf("is longer than %d characters", maxLine), Err: ErrNotCapture})
	case scanned != nil:
		err = errors.Join(err, fmt.Errorf("read capture: %w", scanned))
	case n == 0:
		err = errors.Join(err, &LineError{Line: 1, Text: "the file is empty", Err: ErrNotCapture})
	}
	return err
}

// named returns the explainer that holds from a remark on.
func (r *Reader) named(now drivers.Explainer, line string, n int) (drivers.Explainer, error) {
	rest, first := strings.CutPrefix(line, header)
	if !first || r.Explainer != nil {
		return now, nil
	}
	for word := range strings.FieldsSeq(rest) {
		name, is := strings.CutPrefix(word, "driver=")
		if !is {
			continue
		}
		e, err := r.Driver(name)
		if err != nil {
			return nil, &LineError{Line: n, Text: "it names the driver " + strconv.Quote(name), Err: err}
		}
		return e, nil
	}
	return now, nil
}

// parse reads "1234.567890 < 0252…".
func parse(line []byte, n int) (chunk, []byte, error) {
	words := bytes.Fields(line)
	bad := func(text string) (chunk, []byte, error) {
		return chunk{}, nil, &LineError{Line: n, Text: fmt.Sprintf("%.40q %s", line, text), Err: ErrNotCapture}
	}
	if len(words) != 3 {
		return bad("is not time, direction and bytes")
	}
	if !seconds(words[0]) {
		return bad("does not begin with a time in seconds")
	}
	if len(words[1]) != 1 || !bytes.Contains([]byte("><x"), words[1]) {
		return bad("has a direction that is none of >, < and x")
	}
	data := make([]byte, hex.DecodedLen(len(words[2])))
	if _, err := hex.Decode(data, words[2]); err != nil {
		return chunk{}, nil, &LineError{Line: n, Text: fmt.Sprintf("bytes of %.40q", line), Err: err}
	}
	return chunk{line: n, time: string(words[0]), direction: words[1][0]}, data, nil
}

// seconds says whether a word is digits with at most one point.
func seconds(word []byte) bool {
	points := 0
	for _, c := range word {
		switch {
		case c == '.':
			points++
		case c < '0' || c > '9':
			return false
		}
	}
	return points <= 1 && len(word) > points && len(word) < 32
}

// flush explains a stretch and begins a new one. When it was cut only because of its length, a last frame that is
// not complete goes on in the new one.
func (r *Reader) flush(e drivers.Explainer, s *stretch, whole bool) error {
	if len(s.bytes) == 0 {
		return nil
	}
	direction := drivers.FromPump
	if s.chunks[0].direction == '>' {
		direction = drivers.ToPump
	}
	frames := Explain(e, direction, s.bytes)
	rest := len(s.bytes)
	if last := frames[len(frames)-1]; !whole && last.Err != nil && last.Offset > 0 {
		rest = last.Offset
		frames = frames[:len(frames)-1]
	}
	at := 0
	for _, f := range frames {
		for at+1 < len(s.chunks) && s.chunks[at+1].offset <= f.Offset {
			at++
		}
		c := s.chunks[at]
		if err := r.Show(Frame{Line: c.line, Time: c.time, Direction: direction, Discarded: c.direction == 'x', Explained: f}); err != nil {
			return fmt.Errorf("show frame: %w", err)
		}
	}
	s.keep(rest)
	return nil
}

// keep drops the first n bytes and the chunks that belong to them alone.
func (s *stretch) keep(n int) {
	if n >= len(s.bytes) {
		*s = stretch{}
		return
	}
	i := 0
	for i+1 < len(s.chunks) && s.chunks[i+1].offset <= n {
		i++
	}
	var left stretch
	left.bytes = append(left.bytes, s.bytes[n:]...)
	for _, c := range s.chunks[i:] {
		c.offset = max(c.offset-n, 0)
		left.chunks = append(left.chunks, c)
	}
	*s = left
}

// errNotExplained marks bytes that a driver left out.
var errNotExplained = errors.New("the driver does not explain these bytes")

// Explain has bytes explained and makes sure that the result covers all of them once and in order.
func Explain(e drivers.Explainer, d drivers.Direction, b []byte) []drivers.Explained {
	var out []drivers.Explained
	at := 0
	gap := func(to int) {
		if to > at {
			out = append(out, drivers.Explained{Offset: at, Bytes: b[at:to], Err: errNotExplained})
			at = to
		}
	}
	for _, f := range e.Explain(d, b) {
		if f.Offset < at || len(f.Bytes) == 0 || f.Offset+len(f.Bytes) > len(b) {
			continue
		}
		gap(f.Offset)
		out = append(out, f)
		at += len(f.Bytes)
	}
	gap(len(b))
	return out
}
