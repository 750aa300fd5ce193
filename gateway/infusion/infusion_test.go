package infusion

import (
	"testing"
	"time"

	"infusiond/drivers"
)

func TestEveryRunStateHasItsOwnStatusAndOnlyUnknownIsUnknown(t *testing.T) {
	seen := map[DeliveryStatus]drivers.RunState{}
	for s := drivers.RunUnknown; s <= drivers.RunPoweredOff; s++ {
		status := StatusOf(s)
		if other, twice := seen[status]; twice {
			t.Errorf("%d and %d are both %s", s, other, status)
		}
		seen[status] = s
		if status.Known() != (s != drivers.RunUnknown) {
			t.Errorf("%d: %s known %v", s, status, status.Known())
		}
		if status.Infusing() != (s == drivers.RunInfusing || s == drivers.RunBolus) {
			t.Errorf("%d: %s infusing %v", s, status, status.Infusing())
		}
	}
	if StatusOf(200) != StatusUnknown || DeliveryStatus("").Known() {
		t.Error("a state that nobody knows is known")
	}
}

func TestTheZeroOptIsAbsentAndAZeroValueIsNot(t *testing.T) {
	var none Opt[int]
	if v, ok := none.Get(); ok || v != 0 || none.Present() {
		t.Error("the zero Opt is present")
	}
	if v, ok := Some(0).Get(); !ok || v != 0 || !Some(0).Present() {
		t.Error("a present zero is absent")
	}
}

func TestAgesAreOfTheBootClock(t *testing.T) {
	a := Instant{UTC: time.Unix(1000, 0), Boot: time.Minute}
	b := Instant{UTC: time.Unix(500, 0), Boot: 2 * time.Minute} // the wall clock was set back
	if b.Since(a) != time.Minute {
		t.Errorf("%v", b.Since(a))
	}
	if c := a.Add(time.Second); c.Since(a) != time.Second || c.UTC.Sub(a.UTC) != time.Second {
		t.Errorf("%+v", c)
	}
}
