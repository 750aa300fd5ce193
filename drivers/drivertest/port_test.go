package drivertest

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
)

var testProfile = drivers.Profile{
	Name: "test", CommandGap: 30 * time.Millisecond,
	Allow: drivers.AllowList{{Name: "ask", Exact: []byte("ask")}},
}

func TestPortRefusesWhatIsNotAllowed(t *testing.T) {
	p := NewPort(testProfile, func([]byte) []byte { t.Fatal("the pump was asked"); return nil })
	if n, err := p.Write([]byte("stop")); n != 0 || !errors.Is(err, drivers.ErrForbidden) {
		t.Errorf("Write: %d, %v", n, err)
	}
	if len(p.Refused()) != 1 || len(p.Writes()) != 0 {
		t.Errorf("refused %q, written %q", p.Refused(), p.Writes())
	}
}

// read asks once and reads until the deadline.
func read(t *testing.T, p *Port) (string, error) {
	t.Helper()
	if _, err := p.Write([]byte("ask")); err != nil {
		t.Fatal(err)
	}
	return drain(p)
}

func drain(p *Port) (string, error) {
	_ = p.SetReadTimeout(500 * time.Millisecond)
	var got []byte
	b := make([]byte, 16)
	for {
		n, err := p.Read(b)
		got = append(got, b[:n]...)
		if err != nil {
			return string(got), err
		}
	}
}

func TestPortKeepsVirtualTime(t *testing.T) {
	p := NewPort(testProfile, func([]byte) []byte { return []byte("reply") })
	p.SetChunk(2)
	got, err := read(t, p)
	if got != "reply" || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %q, %v", got, err)
	}
	if want := 30*time.Millisecond + answerDelay + 500*time.Millisecond; p.Now() != want {
		t.Errorf("%v passed, want %v", p.Now(), want)
	}
}

func TestPortDeliversLatePiecesLaterAndInOrder(t *testing.T) {
	p := NewPort(testProfile, func([]byte) []byte { return []byte("1") })
	p.SetTamper(func(_ int, _, reply []byte) []Piece { return []Piece{{After: 800 * time.Millisecond, Bytes: reply}} })
	if got, err := read(t, p); got != "" || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("too early: %q, %v", got, err)
	}
	if err := p.ResetInputBuffer(); err != nil {
		t.Fatal(err)
	}
	p.SetTamper(func(int, []byte, []byte) []Piece { return []Piece{{Bytes: []byte("2")}} })
	if got, _ := read(t, p); got != "12" {
		t.Errorf("read %q, want the late answer before the new one", got)
	}
	p.Inject(Piece{Bytes: []byte("old")})
	if err := p.ResetInputBuffer(); err != nil {
		t.Fatal(err)
	}
	if got, _ := drain(p); got != "" {
		t.Errorf("read %q after the input was emptied", got)
	}
}

func TestPortIsLostForGood(t *testing.T) {
	p := NewPort(testProfile, func([]byte) []byte { return nil })
	p.SetTamper(func(int, []byte, []byte) []Piece { return []Piece{{Err: errLost}} })
	if _, err := read(t, p); !errors.Is(err, errLost) {
		t.Errorf("Read: %v", err)
	}
	if _, err := p.Write([]byte("ask")); !errors.Is(err, errLost) {
		t.Errorf("Write: %v", err)
	}
	if err := p.ResetInputBuffer(); !errors.Is(err, errLost) {
		t.Errorf("ResetInputBuffer: %v", err)
	}
}

func TestPumpPushesByItself(t *testing.T) {
	p := NewPort(testProfile, func(query []byte) []byte {
		if query == nil {
			return []byte("p")
		}
		return []byte("reply")
	})
	p.SetPush(200 * time.Millisecond)
	p.Advance(time.Second)
	if err := p.ResetInputBuffer(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("ask")); err != nil {
		t.Fatal(err)
	}
	if err := p.SetReadTimeout(500 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var got []string
	b := make([]byte, 16)
	for range 3 {
		n, err := p.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b[:n]))
	}
	if strings.Join(got, ",") != "p,reply,p" || len(p.Writes()) != 1 {
		t.Errorf("read %q behind %d queries", got, len(p.Writes()))
	}
}

func TestLogMustFollow(t *testing.T) {
	all := []string{"1", "2", "3", "4"}
	for _, row := range []struct {
		name string
		got  []string
		gaps int
		good bool
	}{
		{"all", all, 0, true},
		{"its end", []string{"3", "4"}, 0, true},
		{"one left out", []string{"1", "2", "4"}, 0, false},
		{"one left out and told", []string{"1", "2", "4"}, 1, true},
		{"one twice", []string{"3", "3", "4"}, 1, false},
		{"out of order", []string{"2", "1", "3", "4"}, 1, false},
		{"not to its end", []string{"1", "2", "3"}, 1, false},
		{"nothing", nil, 0, false},
		{"a stranger", []string{"4", "5"}, 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if problem := logFollows(all, row.got, row.gaps); (problem == "") != row.good {
				t.Errorf("problem %q", problem)
			}
		})
	}
}

func TestInventedValuesAreFound(t *testing.T) {
	rate := func(n int64) drivers.Quantity { return drivers.Number(n, -2, drivers.MilliliterPerHour) }
	record := drivers.LogRecord{ID: "1", RawCode: "9/2"}
	said := drivers.Report{
		Identity: drivers.Identity{Serial: "SIM00001"}, State: drivers.RunPaused, ProgrammedRate: rate(111),
		AlarmsKnown: true, Alarms: []drivers.Alarm{{Code: drivers.AlarmBatteryLow, RawCode: "30"}}, Log: []drivers.LogRecord{record},
	}
	rows := []struct {
		name   string
		change func(r *drivers.Report)
		want   string // part of the only problem; empty for none
	}{
		{"the same", func(*drivers.Report) {}, ""},
		{"absent", func(r *drivers.Report) { *r = drivers.Report{Identity: r.Identity} }, ""},
		{"coarser state", func(r *drivers.Report) { r.State = drivers.RunStopped }, ""},
		{"age left out", func(r *drivers.Report) { r.Log[0].AgeS = drivers.Quantity{} }, ""},
		{"another rate", func(r *drivers.Report) { r.ProgrammedRate = rate(112) }, "ProgrammedRate"},
		{"rate in the wrong field", func(r *drivers.Report) { r.PumpReportedRate = rate(111) }, "PumpReportedRate"},
		{"another state", func(r *drivers.Report) { r.State = drivers.RunInfusing }, "State"},
		{"alarm hidden", func(r *drivers.Report) { r.Alarms = nil }, "Alarms"},
		{"another serial number", func(r *drivers.Report) { r.Identity.Serial = "SIM00002" }, "Identity"},
		{"another log record", func(r *drivers.Report) { r.Log[0].ID = "2" }, "Log"},
		{"age made up", func(r *drivers.Report) { r.Log[0].AgeS = drivers.Number(1, 0, drivers.Second) }, "Log"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			report := said
			report.Log = []drivers.LogRecord{record}
			row.change(&report)
			problems := invented(report, said)
			if row.want == "" && len(problems) > 0 || row.want != "" && (len(problems) != 1 || !strings.Contains(problems[0], row.want)) {
				t.Errorf("problems %q, want %q", problems, row.want)
			}
		})
	}
}
