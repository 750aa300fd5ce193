package capture

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
)

// lines explains frames that begin with '(' and end with ')'.
type lines struct{}

func (lines) Explain(_ drivers.Direction, b []byte) []drivers.Explained {
	var out []drivers.Explained
	for at := 0; at < len(b); {
		f := drivers.Explained{Offset: at, Name: "text"}
		end := bytes.IndexByte(b[at:], ')')
		switch {
		case b[at] != '(':
			next := bytes.IndexByte(b[at:], '(')
			if next < 0 {
				next = len(b) - at
			}
			f.Bytes, f.Err, f.Name = b[at:at+next], drivers.ErrMalformed, ""
		case end < 0:
			f.Bytes, f.Err, f.Name = b[at:], drivers.ErrTruncated, ""
		default:
			f.Bytes = b[at : at+end+1]
		}
		at += len(f.Bytes)
		out = append(out, f)
	}
	return out
}

// gaps leaves bytes out, twice explains others and points outside.
type gaps struct{}

func (gaps) Explain(_ drivers.Direction, b []byte) []drivers.Explained {
	return []drivers.Explained{
		{Offset: 1, Bytes: b[1:2], Name: "one"},
		{Offset: 0, Bytes: b[0:2], Name: "back"},
		{Offset: 3, Name: "empty"},
		{Offset: 3, Bytes: b[3:4], Name: "two"},
		{Offset: len(b), Bytes: b[:1], Name: "outside"},
	}
}

func reader(out *[]string) Reader {
	return Reader{
		Driver: func(name string) (drivers.Explainer, error) {
			if name != "lines" {
				return nil, errors.New("not known")
			}
			return lines{}, nil
		},
		Show: func(f Frame) error {
			arrow := "<"
			if f.Direction == drivers.ToPump {
				arrow = ">"
			}
			if f.Discarded {
				arrow = "x"
			}
			text := fmt.Sprintf("%d %s %s %q", f.Line, f.Time, arrow, f.Bytes)
			if f.Err != nil {
				text += " " + f.Err.Error()
			}
			*out = append(*out, text)
			return nil
		},
	}
}

func at(i int, direction, text string) string {
	return fmt.Sprintf("%d.5 %s %s\n", i, direction, hex.EncodeToString([]byte(text)))
}

const head = "# infusiond capture 1 driver=lines address=/dev/x\n"

// Covers GW-24, GW-25.
func TestReadsAreJoined(t *testing.T) {
	text := head + at(1, ">", "(q)") + at(2, "<", "(a") + at(3, "<", "b)(c)") + at(4, ">", "(q)") + at(5, "<", "(d") +
		"# closed\n" + at(6, "<", "e)") + at(7, "x", "(old)") + at(8, "x", "no") + at(9, "<", "(f)")
	var got []string
	r := reader(&got)
	if err := r.Read(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`2 1.5 > "(q)"`, `3 2.5 < "(ab)"`, `4 3.5 < "(c)"`, `5 4.5 > "(q)"`, `6 5.5 < "(d" truncated`, `8 6.5 < "e)" malformed`,
		`9 7.5 x "(old)"`, `10 8.5 x "no" malformed`, `11 9.5 < "(f)"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A pump that sends by itself for hours is one stretch: it is cut between frames.
func TestALongStretchIsCutBetweenFrames(t *testing.T) {
	var text strings.Builder
	text.WriteString(head)
	frame := "(" + strings.Repeat("x", 95) + ")"
	all := strings.Repeat(frame, 10000)
	for i := 0; len(all) > 0; i++ {
		n := min(len(all), 61)
		text.WriteString(at(i, "<", all[:n]))
		all = all[n:]
	}
	n := 0
	r := Reader{Explainer: lines{}, Show: func(f Frame) error {
		if n++; f.Err != nil || string(f.Bytes) != frame {
			return fmt.Errorf("frame %d in line %d: %w", n, f.Line, errors.Join(f.Err, errors.New("is wrong")))
		}
		if want := (n-1)*97/61 + 2; f.Line != want {
			return fmt.Errorf("frame %d begins in line %d, said is %d", n, want, f.Line)
		}
		return nil
	}}
	if err := r.Read(strings.NewReader(text.String())); err != nil || n != 10000 {
		t.Errorf("%v, %d frames", err, n)
	}
}

// Covers GW-110.
func TestWhatIsNoCaptureIsNamedWithItsLine(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "line 1: the file is empty"},
		{"another text", "hello world\n", `line 1: "hello world" is not time, direction and bytes`},
		{"binary", "\x00\xff\xfe\x01 \x02\n", "line 1: "},
		{"bad hex", head + at(1, "<", "(a)") + "2.0 < 02zz\n", `line 3: bytes of "2.0 < 02zz": encoding/hex: invalid byte`},
		{"odd hex", head + "2.0 < 020\n", "line 2: bytes of"},
		{"direction", head + "2.0 ? 02\n", "has a direction that is none of >, < and x"},
		{"time", head + "2.0.1 < 02\n", "does not begin with a time in seconds"},
		{"no time", head + ". < 02\n", "does not begin with a time in seconds"},
		{"no driver", "2.0 < 02\n", "line 1: no remark before it says which driver was used; name it with --driver"},
		{"unknown driver", "# infusiond capture 1 driver=mars address=x\n2.0 < 02\n", `line 1: it names the driver "mars": not known`},
		{"huge line", head + "2.0 < " + strings.Repeat("00", maxLine) + "\n", "line 2: is longer than 1048576 characters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			r := reader(&got)
			err := r.Read(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("read = %v, want %s", err, tt.want)
			}
			if tt.name == "bad hex" && len(got) != 1 {
				t.Errorf("what was good before it: %v", got)
			}
		})
	}
}

func TestEveryByteComesOutOnce(t *testing.T) {
	var got []string
	for _, f := range Explain(gaps{}, drivers.FromPump, []byte("abcdef")) {
		got = append(got, fmt.Sprintf("%d %s %v", f.Offset, f.Bytes, f.Err != nil))
	}
	if diff := cmp.Diff([]string{"0 a true", "1 b false", "2 c true", "3 d false", "4 ef true"}, got); diff != "" {
		t.Error(diff)
	}
}

// Covers GW-25. Whatever the file holds, its bytes come out once and in order, or its error names a line.
func FuzzRead(f *testing.F) {
	f.Add([]byte(head + at(1, ">", "(q)") + at(2, "<", "(a") + at(3, "<", "b)")))
	f.Add([]byte("2 < zz\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var shown []byte
		r := Reader{Explainer: lines{}, Show: func(f Frame) error { shown = append(shown, f.Bytes...); return nil }}
		err := r.Read(bytes.NewReader(data))
		var want []byte
		for line := range bytes.Lines(data) {
			line = bytes.TrimRight(line, "\r\n")
			if len(line) == 0 || line[0] == '#' {
				continue
			}
			_, b, wrong := parse(line, 0)
			if wrong != nil {
				break
			}
			want = append(want, b...)
		}
		var named *LineError
		if err != nil && !errors.As(err, &named) {
			t.Errorf("error without a line: %v", err)
		}
		if !bytes.Equal(shown, want) {
			t.Errorf("shown %x, the file holds %x", shown, want)
		}
	})
}
