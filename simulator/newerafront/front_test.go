package newerafront

import (
	"math/rand/v2"
	"testing"
	"time"

	"infusiond/drivers/newera/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

func newFront(t *testing.T, addresses ...string) (*Front, []*pumpmodel.Pump) {
	t.Helper()
	var members []front.Member
	var pumps []*pumpmodel.Pump
	for i, address := range addresses {
		pump, err := pumpmodel.New(Physics(), pumpmodel.Setup{Program: pumpmodel.Program{Rate: 5, VTBIML: 40}}, rand.New(rand.NewPCG(1, uint64(i))))
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, front.Member{Pump: pump, Address: address})
		pumps = append(pumps, pump)
	}
	f, err := New(Options{}, members)
	if err != nil {
		t.Fatal(err)
	}
	return f, pumps
}

func ask(f *Front, text string) string { return string(f.Handle([]byte(text + "\r"))) }

func TestBasicModeAnswersAsTheManualSays(t *testing.T) {
	f, pumps := newFront(t, "00", "07")
	for _, row := range []struct{ text, want string }{
		{"", "\x0200S\x03"},
		{"0", "\x0200S\x03"},
		{"ver", "\x0200SNE1000V3.928\x03"},
		{"07 RAT", "\x0207S5.000MH\x03"},
		{"7VOL", "\x0207S40.00ML\x03"},
		{"DIS", "\x0200SI0.000W0.000ML\x03"},
		{"DIR", "\x0200SINF\x03"},
		{"DIA", "\x0200S26.59\x03"},
		{"PHN", "\x0200S1\x03"},
		{"FUN", "\x0200SRAT\x03"},
		{"AL", "\x0200S0\x03"},
		{"XYZ", "\x0200S?\x03"},
		{"STP", "\x0200S?NA\x03"},
		{"DIA 99", "\x0200S?OOR\x03"},
		{"09RAT", ""},
	} {
		if got := ask(f, row.text); got != row.want {
			t.Errorf("%q: %q, want %q", row.text, got, row.want)
		}
	}
	if got := ask(f, "7RUN"); got != "\x0207I\x03" || pumps[1].View().State != pumpmodel.Running || pumps[0].View().State != pumpmodel.Stopped {
		t.Errorf("RUN: %q", got)
	}
	if got := ask(f, "7RAT 30 UM"); got != "\x0207I\x03" || pumps[1].View().Program.Rate != 1.8 {
		t.Errorf("RAT: %q, %v mL/h", got, pumps[1].View().Program.Rate)
	}
	if got := ask(f, "7RAT"); got != "\x0207I30.00UM\x03" {
		t.Errorf("RAT: %q", got)
	}
}

func TestAnAlarmIsToldOnceInPlaceOfTheAnswer(t *testing.T) {
	f, pumps := newFront(t, "00")
	if err := pumps[0].Run(); err != nil {
		t.Fatal(err)
	}
	if err := pumps[0].Pressurise(time.Second); err != nil {
		t.Fatal(err)
	}
	pumps[0].Advance(30 * time.Second)
	if got := ask(f, "RAT"); got != "\x0200A?S\x03" {
		t.Errorf("first answer: %q", got)
	}
	if got := ask(f, "RAT"); got != "\x0200S5.000MH\x03" {
		t.Errorf("second answer: %q", got)
	}
}

// The beginning of a known client: a safe-framed SAF0, then VER; and safe mode with its time-out.
func TestSafeModeStopsAPumpWhoseHostIsSilent(t *testing.T) {
	f, pumps := newFront(t, "00")
	if got := string(f.Handle(wire.AppendSafe(nil, []byte("0SAF0")))); got != string(wire.AppendSafe(nil, []byte("00S"))) {
		t.Errorf("SAF0: %q", got)
	}
	ask(f, "SAF5")
	if got := ask(f, "RAT"); got != "" {
		t.Errorf("a basic query in safe mode: %q", got)
	}
	if got := string(f.Handle(wire.AppendSafe(nil, []byte("0RUN")))); got != string(wire.AppendSafe(nil, []byte("00I"))) {
		t.Errorf("RUN: %q", got)
	}
	pumps[0].Advance(4 * time.Second)
	if got := f.Unsolicited(); got != nil {
		t.Errorf("after 4 s: %q", got)
	}
	pumps[0].Advance(2 * time.Second)
	if got := string(f.Unsolicited()); got != string(wire.AppendSafe(nil, []byte("00A?T"))) || pumps[0].View().State.Moving() {
		t.Errorf("after 6 s: %q, %v", got, pumps[0].View().State)
	}
}

func TestNumbersHaveFourDigits(t *testing.T) {
	for v, want := range map[float64]wire.Number{
		5: {Mantissa: 5000, Decimals: 3, Valid: true}, 0.0004: {Decimals: 3, Valid: true}, 9.9996: {Mantissa: 1000, Decimals: 2, Valid: true},
		47.5: {Mantissa: 4750, Decimals: 2, Valid: true}, 123.46: {Mantissa: 1235, Decimals: 1, Valid: true}, 1699: {Mantissa: 1699, Valid: true},
	} {
		if got := float(v); got != want {
			t.Errorf("%v: %+v, want %+v", v, got, want)
		}
	}
}
