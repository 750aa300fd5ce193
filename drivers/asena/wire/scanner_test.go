package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scanAll feeds data in pieces of size bytes and returns copies of all bodies.
func scanAll(s *Scanner, data []byte, size int) []string {
	var got []string
	for len(data) > 0 {
		piece := data[:min(size, len(data))]
		data = data[len(piece):]
		for len(piece) > 0 {
			body, used := s.Next(piece)
			if body != nil {
				got = append(got, string(body))
			}
			piece = piece[used:]
		}
	}
	return got
}

func framed(body string) string { return string(AppendFrame(nil, []byte(body))) }

// Covers GW-10.
func TestScannerRules(t *testing.T) {
	good, other := framed("ALARM^AL_OCCLU^ ^ "), framed("INF_RATE^5.00^ml/h")
	longest := strings.Repeat("A", MaxBody)
	rows := []struct {
		name, stream string
		want         []string
		bad          int
		cause        error
	}{
		{"one frame", good, []string{"ALARM^AL_OCCLU^ ^ "}, 0, nil},
		{"LF and NUL follow a frame", good + "\n\x00" + other, []string{"ALARM^AL_OCCLU^ ^ ", "INF_RATE^5.00^ml/h"}, 0, nil},
		{"noise outside is ignored", "INF|4961\r\xFFabc\x1b" + other, []string{"INF_RATE^5.00^ml/h"}, 0, nil},
		{"a new start restarts", "!ALARM^AL_N" + good, []string{"ALARM^AL_OCCLU^ ^ "}, 1, ErrTruncated},
		{"two starts are one", "!" + good, []string{"ALARM^AL_OCCLU^ ^ "}, 0, nil},
		{"escape cancels", good[:9] + "\x1b" + other, []string{"INF_RATE^5.00^ml/h"}, 1, ErrCancelled},
		{"what follows an escape is outside", good[:9] + "\x1b" + good[9:] + other, []string{"INF_RATE^5.00^ml/h"}, 1, ErrCancelled},
		{"a control byte drops", good[:9] + "\x11" + good[9:] + other, []string{"INF_RATE^5.00^ml/h"}, 1, ErrMalformed},
		{"a byte above ASCII drops", good[:9] + "\x80" + good[9:] + other, []string{"INF_RATE^5.00^ml/h"}, 1, ErrMalformed},
		{"bad checksum", "!INF_RATE^5.00^ml/h|0000\r" + good, []string{"ALARM^AL_OCCLU^ ^ "}, 1, ErrChecksum},
		{"checksum in lower case", "!COMMS_RESPONSE_MAX^4000^ms|dfdf\r" + good, []string{"ALARM^AL_OCCLU^ ^ "}, 1, ErrMalformed},
		{"no bar", "!INF4961\r" + good, []string{"ALARM^AL_OCCLU^ ^ "}, 1, ErrMalformed},
		{"two bars", framed("INF_RATE^5|00^ml/h") + good, []string{"ALARM^AL_OCCLU^ ^ "}, 1, ErrMalformed},
		{"no room for a body", "!|FFFF\r!\r" + good, []string{"ALARM^AL_OCCLU^ ^ "}, 2, ErrTruncated},
		{"the end is missing", strings.TrimSuffix(other, "\r") + good, []string{"ALARM^AL_OCCLU^ ^ "}, 1, ErrTruncated},
		{"the longest body is a frame", framed(longest), []string{longest}, 0, nil},
		{"a longer one is none", framed(longest+"A") + good, []string{"ALARM^AL_OCCLU^ ^ "}, 1, ErrMalformed},
	}
	for _, row := range rows {
		for _, size := range []int{1, 3, 7, 4096} {
			t.Run(row.name, func(t *testing.T) {
				var s Scanner
				if diff := cmp.Diff(row.want, scanAll(&s, []byte(row.stream), size)); diff != "" {
					t.Errorf("pieces of %d (-want +got):\n%s", size, diff)
				}
				if s.Bad() != row.bad || !errors.Is(s.LastBad(), row.cause) {
					t.Errorf("pieces of %d: %d bad frames (%v), want %d (%v)", size, s.Bad(), s.LastBad(), row.bad, row.cause)
				}
			})
		}
	}
}

func TestScannerResetForgetsABegunFrame(t *testing.T) {
	frame := framed("INF_RATE^5.00^ml/h")
	var s Scanner
	s.Next([]byte(frame[:4]))
	s.Reset()
	if body, _ := s.Next([]byte(frame[4:])); body != nil {
		t.Errorf("the end of a forgotten frame gave %q", body)
	}
}

// Covers GW-10.
func TestDecodeFrameRefuses(t *testing.T) {
	rows := map[string]struct {
		frame string
		cause error
	}{
		"empty":          {"", ErrMalformed},
		"only the start": {"!", ErrTruncated},
		"no end":         {"!INF|4961", ErrTruncated},
		"no body":        {"!|FFFF\r", ErrTruncated},
		"control byte":   {"!I\nF|4961\r", ErrMalformed},
		"escape":         {"!I\x1bF|4961\r", ErrMalformed},
		"no digits":      {"!INF|49G1\r", ErrMalformed},
		"wrong checksum": {"!INF|4962\r", ErrChecksum},
		"second start":   {"!!INF|4961\r", ErrMalformed},
		"too long":       {"!" + strings.Repeat("A", 300) + "\r", ErrMalformed},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			if body, err := DecodeFrame([]byte(row.frame)); !errors.Is(err, row.cause) {
				t.Errorf("%q, %v, want cause %v", body, err, row.cause)
			}
		})
	}
}

// Covers GW-114.
func TestScannerAndDecodeAllocateNothing(t *testing.T) {
	frame := vectors(t)["A7"].frame
	var s Scanner
	var r Reply
	if n := testing.AllocsPerRun(100, func() {
		body, _ := s.Next(frame)
		if err := Decode(body, Status, &r); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < r.Count; i++ {
			if !r.Good(i) {
				t.Fatal(i)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations per frame, want 0", n)
	}
}
