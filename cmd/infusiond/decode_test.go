package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"infusiond/drivers"
	"infusiond/gateway/capture"
)

// From the protocol document of asena, vectors A1 and A3.
const (
	statusQuery = "21494e467c343936310d"
	serialReply = "21494e53545f53455249414c4e4f5e383030322d35313734307c303530420d"
)

// decode runs the command and returns what it prints and its exit code.
func decode(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = run(t.Context(), append([]string{"decode"}, args...), &out, &errOut)
	return out.String(), errOut.String(), code
}

// Covers GW-25.
func TestDecodeHex(t *testing.T) {
	out, errOut, code := decode(t, "--driver", "asena", "ff", strings.ToUpper(serialReply))
	if code != 0 || !strings.Contains(out, "8002-51740") || !strings.Contains(out, "no frame: ") {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
	out, errOut, code = decode(t, "--driver", "asena", "--from", "host", "--json", statusQuery)
	var got []jsonFrame
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || len(got) != 1 || got[0].Error != "" || got[0].Direction != "to_pump" || got[0].Hex != statusQuery {
		t.Errorf("%v, %d: %s%s", err, code, out, errOut)
	}
}

// Covers GW-24, GW-25.
func TestDecodeCapture(t *testing.T) {
	text := "# infusiond capture 1 driver=asena address=/dev/ttyUSB0\n" +
		"0012.250000 > " + statusQuery + "\n0012.300000 < " + serialReply[:20] + "\n0012.400000 < " + serialReply[20:] + "\n13.000000 x 0d0a\n"
	path := filepath.Join(t.TempDir(), "a capture.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errOut, code := decode(t, path)
	if code != 0 || !strings.Contains(out, "0012.300000 < 31 bytes") || !strings.Contains(out, "discarded unread: ") {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
	out, errOut, code = decode(t, "--json", path)
	var got []jsonFrame
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || len(got) < 3 || got[1].TimeS != "12.300000" || got[1].Line != 3 || !got[len(got)-1].Discarded {
		t.Errorf("%v, %d: %s%s", err, code, out, errOut)
	}
	if err := os.WriteFile(path, []byte(text+"14.0 < 0g\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errOut, code = decode(t, "--json", path)
	if code != exitUsage || !strings.Contains(errOut, "line 6: ") || !json.Valid([]byte(out)) {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
}

// Covers GW-110.
func TestDecodeSaysWhatIsWrong(t *testing.T) {
	for _, row := range []struct {
		name string
		args []string
		want string
	}{
		{"no such file", []string{"none.capture"}, "no such file"},
		{"hex without driver", []string{statusQuery}, "bytes in hex need --driver: asena"},
		{"neither", []string{"--driver", "asena", "xyz"}, "neither a file nor bytes in hex"},
		{"half a byte", []string{"--driver", "asena", "123"}, "neither a file nor bytes in hex"},
		{"unknown driver", []string{"--driver", "mars", "00"}, `driver "mars" is not known; known are asena`},
		{"setting", []string{"--driver", "miva", "--setting", "checksum=crc", "00"}, "settings of miva"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if out, errOut, code := decode(t, row.args...); code != exitUsage || !strings.Contains(errOut, row.want) {
				t.Errorf("%d: %s%s, want %s", code, out, errOut, row.want)
			}
		})
	}
}

// covers says whether b begins with x, in which stars stand for the characters of a code that is not shown.
func covers(b, x []byte) bool {
	if len(x) > len(b) {
		return false
	}
	for i, c := range x {
		if c != b[i] && c != '*' {
			return false
		}
	}
	return true
}

// Covers GW-25. Whatever the bytes are, every driver explains each of them once, and what is printed is printable and valid.
func FuzzDecode(f *testing.F) {
	names := table().Names()
	for i := range names {
		for _, text := range []string{statusQuery, serialReply, "02524e413003", "3030524154 0d", "010253"} {
			b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), true, b)
			f.Add(uint8(i), false, b)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, fromPump bool, b []byte) {
		d, err := table()[names[int(which)%len(names)]](nil)
		if err != nil {
			t.Fatal(err)
		}
		e, can := d.(drivers.Explainer)
		if !can {
			return
		}
		direction := drivers.ToPump
		if fromPump {
			direction = drivers.FromPump
		}
		at := 0
		var rows, doc bytes.Buffer
		both := []printer{&tablePrinter{out: &rows}, &jsonPrinter{out: &doc}}
		for _, x := range e.Explain(direction, b) {
			if x.Offset != at || len(x.Bytes) == 0 || !covers(b[at:], x.Bytes) {
				t.Fatalf("%s: frame at %d of %x, %d bytes were explained before it", d.Profile().Name, x.Offset, b, at)
			}
			at += len(x.Bytes)
			for _, field := range x.Fields {
				if field.Offset < 0 || field.Length < 0 || field.Offset+field.Length > len(x.Bytes) {
					t.Errorf("%s: field %+v of %x", d.Profile().Name, field, x.Bytes)
				}
			}
			for _, p := range both {
				if err := p.show(capture.Frame{Direction: direction, Explained: x}); err != nil {
					t.Error(err)
				}
			}
		}
		if at != len(b) {
			t.Errorf("%s: %d of %d bytes are explained", d.Profile().Name, at, len(b))
		}
		if err := both[1].end(); err != nil || !json.Valid(doc.Bytes()) {
			t.Errorf("%v: %s", err, &doc)
		}
		if i := bytes.IndexFunc(rows.Bytes(), func(r rune) bool { return r < 0x20 && r != '\n' || r == 0x7f }); i >= 0 {
			t.Errorf("control character in %q", &rows)
		}
	})
}
