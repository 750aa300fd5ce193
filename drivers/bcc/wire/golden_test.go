package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type vector struct {
	direction string
	stuffed   bool
	frame     []byte
}

// vectors reads testdata/frames/vectors.hex: id | clause | direction | stuffing | hex.
func vectors(tb testing.TB) map[string]vector {
	tb.Helper()
	text, err := os.ReadFile("testdata/frames/vectors.hex")
	if err != nil {
		tb.Fatal(err)
	}
	all := make(map[string]vector)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, " | ")
		if len(cells) != 5 {
			tb.Fatalf("%q has %d cells, want 5", line, len(cells))
		}
		v := vector{direction: cells[2], stuffed: cells[3] == "stuffed"}
		if v.frame, err = hex.DecodeString(strings.ReplaceAll(cells[4], " ", "")); err != nil {
			tb.Fatalf("%s: %v", cells[0], err)
		}
		all[cells[0]] = v
	}
	return all
}

// golden holds address, information and whether it is the last block.
var golden = map[string]struct {
	address, info string
	last          bool
}{
	"B1":  {"1/1/1", "ADMIN:ALIVE", true},
	"B2":  {"1/1/1", "ADMIN:ALIVE", true},
	"B3":  {"SpaceCOM/1/1", "206,50100,GNACK,0", true},
	"B4":  {"SpaceCOM/1/1", "ADMIN:VERSION", true},
	"B5":  {"SpaceCOM/1/1", "207,50100,V3.30", true},
	"B6":  {"SpaceCOM/1/1", "MEM:GET", true},
	"B7":  {"SpaceCOM/1/1", "MEM:GETSLOT#13", true},
	"B8":  {"SpaceCOM/1/1", "624,50100,GNACK,0", true},
	"B9":  {"SpaceCOM/1/1", "626,50100,V3.30", true},
	"B10": {"Bed1/1/1", "MEM:GET", true},
	"B11": {"Bed1/1/1", "300,50100,FMNOR,1\x1e300,50100,FMSTAT,00051", false},
	"B12": {"Bed1/1/1", "300,50111,GNMODEL,688L030007\x1e300,50111,INRT,5.00\x1e300,50111,INVI,12.3\x1e300,50111,INA3,1", true},
	"B13": {"Bed1/1/1", "300,50111,GNMODEL,688L030007\x1e300,50111,INRT,5.00\x1e300,50111,INVI,12.3\x1e300,50111,INA3,1", true},
	"B14": {"Bed1/1/1", "300,50100,GNERR,68", true},
}

// Covers GW-11.
func TestGoldenFramesDecodeAndReencode(t *testing.T) {
	all := vectors(t)
	for id, want := range golden {
		t.Run(id, func(t *testing.T) {
			v := all[id]
			var b Block
			if _, err := DecodeFrame(v.frame, nil, v.stuffed, &b); err != nil {
				t.Fatal(err)
			}
			if string(b.Address) != want.address || string(b.Information) != want.info || b.Last != want.last {
				t.Errorf("%q %q last %v", b.Address, b.Information, b.Last)
			}
			s := NewScanner(v.stuffed)
			var scanned Block
			if e, used := s.Next(v.frame, &scanned); e != Good || used != len(v.frame) || !bytes.Equal(scanned.Information, b.Information) {
				t.Errorf("Scanner: event %d after %d bytes: %q", e, used, scanned.Information)
			}
			if again := b.Append(nil, v.stuffed); !bytes.Equal(again, v.frame) {
				t.Errorf("encoded again: % X, want % X", again, v.frame)
			}
		})
	}
	for id, want := range map[string]Event{"B15": Positive, "B16": Negative} {
		var b Block
		if e, _ := NewScanner(true).Next(all[id].frame, &b); e != want {
			t.Errorf("%s: event %d, want %d", id, e, want)
		}
	}
	if len(all) != len(golden)+2 {
		t.Errorf("%d vectors, want %d", len(all), len(golden)+2)
	}
}

// Covers GW-11.
func TestRecordsOfVectorB12(t *testing.T) {
	var b Block
	if _, err := DecodeFrame(vectors(t)["B12"].frame, nil, false, &b); err != nil {
		t.Fatal(err)
	}
	var got [][2]string
	var again []byte
	records := b.Records()
	for {
		var r Record
		ok, err := records.Next(&r)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		if r.Time != 300 || string(r.Address) != "50111" {
			t.Errorf("record %+v", r)
		}
		got = append(got, [2]string{string(r.Parameter), string(r.Value)})
		again = AppendRecord(again, &r)
	}
	want := [][2]string{{"GNMODEL", "688L030007"}, {"INRT", "5.00"}, {"INVI", "12.3"}, {"INA3", "1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !bytes.Equal(again, b.Information) {
		t.Errorf("encoded again: %q", again)
	}
}

// Covers GW-10.
func TestDecodeRefuses(t *testing.T) {
	good := vectors(t)["B3"].frame
	change := func(at int, c byte) []byte {
		b := bytes.Clone(good)
		b[at] = c
		return b
	}
	for _, row := range []struct {
		name    string
		frame   []byte
		stuffed bool
		want    error
	}{
		{"nothing", nil, false, ErrMalformed},
		{"no SOH", good[1:], false, ErrMalformed},
		{"no EOT", good[:len(good)-1], false, ErrTruncated},
		{"length too small", change(5, '3'), false, ErrMalformed},
		{"length too great", change(5, '5'), false, ErrTruncated},
		{"length of letters", change(5, 'x'), false, ErrMalformed},
		{"no STX", change(6, 'x'), false, ErrMalformed},
		{"check", change(20, '7'), false, ErrChecksum},
		{"check of letters", change(len(good)-2, 'x'), false, ErrMalformed},
		{"no ETX", change(len(good)-7, 'x'), false, ErrMalformed},
		{"no >", bytes.Replace(good, []byte(">"), []byte("<"), 1), false, ErrChecksum},
		{"E before Q", []byte("\x0100016\x02EQ\x0300000\x04"), true, ErrStuffing},
		{"D on a stuffed line", []byte("\x0100016\x02D\x0300000\x04"), true, ErrStuffing},
		{"ends in E", []byte("\x0100016\x02E"), true, ErrTruncated},
	} {
		t.Run(row.name, func(t *testing.T) {
			var b Block
			if _, err := DecodeFrame(row.frame, nil, row.stuffed, &b); !errors.Is(err, row.want) {
				t.Errorf("DecodeFrame: %v, want %v", err, row.want)
			}
		})
	}
	for name, info := range map[string]string{
		"two fields": "300,50100", "no time": ",50100,A,1", "time": "3x,50100,A,1", "address": "300,50200,A,1", "slot": "300,5011P,A,1", "short address": "300,501,A,1",
		"no parameter": "300,50111,,1", "empty record": "300,50111,A,1\x1e",
	} {
		b := Block{Information: []byte(info)}
		records := b.Records()
		var r Record
		var err error
		for ok := true; ok && err == nil; {
			ok, err = records.Next(&r)
		}
		if err == nil {
			t.Errorf("%s: %q is accepted", name, info)
		}
	}
}

// Section 3: EEX must become EX, and a value may hold commas.
func TestStuffingInOnePass(t *testing.T) {
	for plain, stuffed := range map[string]string{"EX": "EEX", "DE": "EXEE", "dex": "exeex", "ABC": "ABC", "ED": "EEEX"} {
		if got := string(AppendStuffed(nil, []byte(plain))); got != stuffed {
			t.Errorf("%s is stuffed to %s, want %s", plain, got, stuffed)
		}
	}
	b := Block{Address: []byte("Ed/1/1"), Information: []byte("1,50111,INSOL,a,b,EX"), Last: true}
	var got Block
	if _, err := DecodeFrame(b.Append(nil, true), nil, true, &got); err != nil || string(got.Information) != string(b.Information) {
		t.Fatalf("%q, %v", got.Information, err)
	}
	records := got.Records()
	var r Record
	if ok, err := records.Next(&r); !ok || err != nil || string(r.Value) != "a,b,EX" {
		t.Errorf("%q, %v", r.Value, err)
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, id := range []string{"B12", "B13"} {
		b.Run(id, func(b *testing.B) {
			v := vectors(b)[id]
			s := NewScanner(v.stuffed)
			b.SetBytes(int64(len(v.frame)))
			b.ReportAllocs()
			for b.Loop() {
				var block Block
				if e, _ := s.Next(v.frame, &block); e != Good {
					b.Fatal("not decoded")
				}
				records := block.Records()
				var r Record
				n := 0
				for ok := true; ok; n++ {
					var err error
					if ok, err = records.Next(&r); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(v.frame)), "ns/byte")
		})
	}
}
