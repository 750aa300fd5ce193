package newera

import (
	"regexp"
	"strconv"
	"testing"

	"infusiond/drivers"
	"infusiond/drivers/newera/wire"
)

// scripted is a line of scripted pumps by address.
type scripted struct {
	t     testing.TB
	pumps map[int]map[wire.Query]string // status and data by query
	alarm map[int]byte                  // told and acknowledged with the next answer
	asked []int
}

var queryForm = regexp.MustCompile(`\A([0-9]{2})([A-Z]*)\r\z`)

func (s *scripted) respond(query []byte) []byte {
	m := queryForm.FindSubmatch(query)
	if m == nil {
		s.t.Fatalf("the pumps received %q", query)
	}
	address, _ := strconv.Atoi(string(m[1]))
	s.asked = append(s.asked, address)
	for _, q := range wire.Queries() {
		if q.Word() != string(m[2]) {
			continue
		}
		answer, ok := s.pumps[address][q]
		if !ok {
			return nil
		}
		if letter, alarm := s.alarm[address]; alarm {
			delete(s.alarm, address)
			answer = "A?" + string(rune(letter))
		}
		return wire.AppendReplyFrame(nil, []byte(string(m[1])+answer), wire.Basic)
	}
	s.t.Fatalf("the pumps received %q", query)
	return nil
}

func running() map[wire.Query]string {
	return map[wire.Query]string{
		wire.Status: "I", wire.Version: "INE1000V3.928", wire.Rate: "I5.000MH", wire.Dispensed: "II1.234W0.567ML", wire.Volume: "I10.00ML",
	}
}

func newLine(t testing.TB) *scripted {
	return &scripted{t: t, pumps: map[int]map[wire.Query]string{0: running()}, alarm: map[int]byte{}}
}

func driver(t testing.TB, settings map[string]string) drivers.Driver {
	t.Helper()
	d, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
