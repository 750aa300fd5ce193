package asena

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
)

func explainer(t testing.TB) drivers.Explainer {
	t.Helper()
	e, ok := driver(t).(drivers.Explainer)
	if !ok {
		t.Fatal("the driver explains nothing")
	}
	return e
}

func TestExplainAnAlarm(t *testing.T) {
	got := explainer(t).Explain(drivers.FromPump, frame("ALARM^AL_OCCLU^ ^ "))
	want := []drivers.Explained{{
		Bytes: frame("ALARM^AL_OCCLU^ ^ "), Name: "reply ALARM",
		Fields: []drivers.ExplainedField{
			{Offset: 1, Length: 5, Name: "request", Value: "ALARM"},
			{Offset: 7, Length: 8, Name: "alarm_code", Value: "AL_OCCLU", Note: "occlusion"},
			{Offset: 16, Length: 1, Name: "first_text"},
			{Offset: 18, Length: 1, Name: "second_text"},
			{Offset: 20, Length: 4, Name: "checksum", Value: "5B3B", Note: "CRC-16/CCITT-FALSE over the body"},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExplainStreams(t *testing.T) {
	good := string(frame(inf(map[int]string{2: "A", 3: "HLD", 11: "24+", 4: "5.0"})))
	rows := []struct {
		name, stream string
		direction    drivers.Direction
		want         []string // names
		errs         []error
	}{
		{"request", "!INF|4961\r", drivers.ToPump, []string{"request INF"}, []error{nil}},
		{"control", "!INF_STOP|CD57\r", drivers.ToPump, []string{"control command INF_STOP, which infusiond never sends"}, []error{nil}},
		{"unknown", string(frame("PING")), drivers.ToPump, []string{"unknown request"}, []error{nil}},
		{"reply", good, drivers.FromPump, []string{"reply INF"}, []error{nil}},
		{"noise, reply, line feed", "xy" + good + "\n", drivers.FromPump, []string{"outside a frame", "reply INF", "outside a frame"}, []error{drivers.ErrMalformed, nil, drivers.ErrMalformed}},
		{"cancelled", good[:9] + "\x1b" + good, drivers.FromPump, []string{"frame that the pump cancelled", "reply INF"}, []error{drivers.ErrTruncated, nil}},
		{"restarted", good[:9] + good, drivers.FromPump, []string{"broken frame", "reply INF"}, []error{drivers.ErrTruncated, nil}},
		{"control byte", good[:9] + "\x01" + good, drivers.FromPump, []string{"broken frame", "reply INF"}, []error{drivers.ErrTruncated, nil}},
		{"checksum", "!INF|4962\r", drivers.ToPump, []string{"broken frame"}, []error{drivers.ErrChecksum}},
		{"cut off", good[:20], drivers.FromPump, []string{"broken frame"}, []error{drivers.ErrTruncated}},
		{"reply of another form", string(frame("INF^1")), drivers.FromPump, []string{"reply INF of another form"}, []error{drivers.ErrMalformed}},
		{"reply to nothing", string(frame("ERR^1")), drivers.FromPump, []string{"reply to none of the known requests"}, []error{drivers.ErrUnsupported}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := explainer(t).Explain(row.direction, []byte(row.stream))
			covered(t, got, []byte(row.stream))
			if len(got) != len(row.want) {
				t.Fatalf("%d pieces: %+v", len(got), got)
			}
			for i, e := range got {
				if e.Name != row.want[i] || !errors.Is(e.Err, row.errs[i]) {
					t.Errorf("piece %d: %q, %v; want %q, %v", i, e.Name, e.Err, row.want[i], row.errs[i])
				}
			}
		})
	}
	notes := map[string]string{}
	for _, f := range explainer(t).Explain(drivers.FromPump, []byte(good))[0].Fields {
		notes[f.Name] = f.Note
	}
	for name, want := range map[string]string{
		"alarm_flag": "alarm present", "mode": "on hold", "time_remaining": "more than 24 hours", "rate": "not of its form: the value is not used",
	} {
		if notes[name] != want {
			t.Errorf("note of %s: %q, want %q", name, notes[name], want)
		}
	}
}

// covered demands that every byte stands in one piece, in order, and every field in its piece.
func covered(t *testing.T, list []drivers.Explained, stream []byte) {
	t.Helper()
	at := 0
	for _, e := range list {
		if e.Offset != at || len(e.Bytes) == 0 || !bytes.Equal(e.Bytes, stream[at:at+len(e.Bytes)]) {
			t.Fatalf("piece at %d: % X at %d", at, e.Bytes, e.Offset)
		}
		at += len(e.Bytes)
		for _, f := range e.Fields {
			if f.Offset < 0 || f.Length < 0 || f.Offset+f.Length > len(e.Bytes) {
				t.Fatalf("field %+v in % X", f, e.Bytes)
			}
		}
	}
	if at != len(stream) {
		t.Fatalf("%d of %d bytes are explained", at, len(stream))
	}
}

// FuzzExplain: every byte is explained once, in order, and nothing panics.
func FuzzExplain(f *testing.F) {
	f.Add([]byte("!INF|4961\r\x1b!A"))
	f.Add(frame("ALARM^AL_OCCLU^ ^ "))
	f.Fuzz(func(t *testing.T, stream []byte) {
		e := explainer(t)
		for _, d := range []drivers.Direction{drivers.FromPump, drivers.ToPump} {
			covered(t, e.Explain(d, stream), stream)
		}
	})
}
