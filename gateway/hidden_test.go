package gateway

import (
	"slices"
	"testing"

	"infusiond/drivers"
	"infusiond/gateway/normalize"
)

// Covers GW-94. A pump that shows one alarm at a time may hide one behind another: the hidden one does not end until
// the pump shows none.
func TestAnAlarmBehindAnotherOneDoesNotEnd(t *testing.T) {
	b := newBench(t, newMemory())
	show := func(codes ...drivers.AlarmCode) []string {
		b.play(func(in *normalize.Input) {
			for _, c := range codes {
				in.Report.Alarms = append(in.Report.Alarms, drivers.Alarm{Code: c, RawCode: string(c), Text: string(c)})
				in.Report.Uncertain = []string{"Alarms"}
			}
		})
		var open []string
		for _, a := range b.alerts().Alerts {
			open = append(open, a.Code)
		}
		slices.Sort(open)
		return open
	}
	if got := show(drivers.AlarmBatteryLow); !slices.Equal(got, []string{"battery_low"}) {
		t.Errorf("the first alarm: %v", got)
	}
	if got := show(drivers.AlarmOcclusionDownstream); !slices.Equal(got, []string{"battery_low", "occlusion_downstream"}) {
		t.Errorf("the second one hides the first: %v", got)
	}
	if got := show(); len(got) != 0 {
		t.Errorf("no alarm is shown: %v", got)
	}
}
