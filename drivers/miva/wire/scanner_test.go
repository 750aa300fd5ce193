package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scanAll feeds data in pieces of size bytes and returns copies of all payloads.
func scanAll(s *Scanner, data []byte, size int) []string {
	var got []string
	for len(data) > 0 {
		piece := data[:min(size, len(data))]
		data = data[len(piece):]
		for len(piece) > 0 {
			payload, used := s.Next(piece)
			if payload != nil {
				got = append(got, string(payload))
			}
			piece = piece[used:]
		}
	}
	return got
}

// Covers GW-10.
func TestScannerRules(t *testing.T) {
	good := string(AppendFrame(nil, []byte("Q504D2"), Sum))
	other := string(AppendFrame(nil, []byte("Q62710"), Sum))
	longest := string(AppendFrame(nil, []byte(strings.Repeat("A", MaxFrame-2)), Sum))
	tooLong := string(AppendFrame(nil, []byte(strings.Repeat("A", MaxFrame-1)), Sum))
	rows := []struct {
		name, stream string
		want         []string
		bad          int
		cause        error
	}{
		{"one frame", good, []string{"Q504D2"}, 0, nil},
		{"CR, LF and NUL follow a frame", good + "\r\n\x00" + other, []string{"Q504D2", "Q62710"}, 0, nil},
		{"noise outside is ignored", "RN\x03\xFFabc" + good, []string{"Q504D2"}, 0, nil},
		{"a new STX restarts", "\x02Q50" + good, []string{"Q504D2"}, 1, ErrTruncated},
		{"two STX are one start", "\x02" + good, []string{"Q504D2"}, 0, nil},
		{"a control byte drops", "\x02Q5\x1104D260\x03" + good, []string{"Q504D2"}, 1, ErrMalformed},
		{"a byte above ASCII drops", "\x02Q5\x8004D260\x03" + good, []string{"Q504D2"}, 1, ErrMalformed},
		{"bad checksum", "\x02Q504D200\x03" + good, []string{"Q504D2"}, 1, ErrChecksum},
		{"checksum in lower case", "\x02RC1f2\x03" + good, []string{"Q504D2"}, 1, ErrMalformed},
		{"no room for a payload", "\x0200\x03\x02\x03" + good, []string{"Q504D2"}, 2, ErrTruncated},
		{"256 bytes are a frame", longest, []string{strings.Repeat("A", MaxFrame-2)}, 0, nil},
		{"257 bytes are none", tooLong + good, []string{"Q504D2"}, 1, ErrMalformed},
	}
	for _, row := range rows {
		for _, size := range []int{1, 3, 7, 4096} {
			t.Run(row.name, func(t *testing.T) {
				s := NewScanner(Sum)
				if diff := cmp.Diff(row.want, scanAll(s, []byte(row.stream), size)); diff != "" {
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
	frame := AppendFrame(nil, []byte("Q504D2"), Sum)
	s := NewScanner(Sum)
	s.Next(frame[:4])
	s.Reset()
	if payload, _ := s.Next(frame[4:]); payload != nil {
		t.Errorf("the end of a forgotten frame gave %q", payload)
	}
}

func TestDecodeFrameRefuses(t *testing.T) {
	rows := map[string]struct {
		frame string
		cause error
	}{
		"empty":          {"", ErrMalformed},
		"only STX":       {"\x02", ErrTruncated},
		"no ETX":         {"\x02RNA0", ErrTruncated},
		"no payload":     {"\x02A0\x03", ErrTruncated},
		"control byte":   {"\x02R\nNA0\x03", ErrMalformed},
		"no digits":      {"\x02RNZZ\x03", ErrMalformed},
		"wrong checksum": {"\x02RNA1\x03", ErrChecksum},
		"too long":       {"\x02" + strings.Repeat("A", 300) + "\x03", ErrMalformed},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			if payload, err := DecodeFrame([]byte(row.frame), Sum); !errors.Is(err, row.cause) {
				t.Errorf("%q, %v, want cause %v", payload, err, row.cause)
			}
		})
	}
}

// Covers GW-114.
func TestScannerAndDecodeAllocateNothing(t *testing.T) {
	frame := vectors(t)["M9"].frame
	s := NewScanner(Sum)
	var r Reply
	if n := testing.AllocsPerRun(100, func() {
		payload, _ := s.Next(frame)
		if err := Decode(payload, LogRecord, &r); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per frame, want 0", n)
	}
	if !bytes.Equal(r.Record[:2], []byte{13, 0x45}) {
		t.Errorf("record % X", r.Record)
	}
}
