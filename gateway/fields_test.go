package gateway

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
	"infusiond/gateway/normalize"
)

// paths are the fields of a payload's type, as paths with dots.
func paths(t reflect.Type, at string, out map[string]bool) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous {
			paths(f.Type, at, out)
			continue
		}
		out[at+name] = true
		if f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct {
			paths(f.Type.Elem(), at+name+".", out)
		}
	}
}

// Covers GW-49, GW-131. Every value of a report has a name of the contract, and every name is a field.
func TestFieldNames(t *testing.T) {
	known := map[string]bool{}
	paths(reflect.TypeFor[message.Observation](), "", known)
	for from, to := range fieldNames {
		if !known[to] {
			t.Errorf("%s: %s is no field of an observation", from, to)
		}
	}
	notValues := []string{
		"Address", "AtLeast", "Uncertain", "AlarmsKnown", "AlarmsReason", "Log", "LogGaps", "Anchor", "LogSeen", "Unavailable", "BadFrames", "Unsolicited",
	}
	for f := range reflect.TypeFor[drivers.Report]().Fields() {
		if fieldNames[f.Name] == "" && !slices.Contains(notValues, f.Name) {
			t.Errorf("report field %s has no name in the contract", f.Name)
		}
	}
	if got := fields([]string{"State", "Surprise"}); !slices.Equal(got, []string{"delivery_status", "Surprise"}) {
		t.Errorf("fields = %v", got)
	}
}

func everything() drivers.Report {
	return drivers.Report{
		Identity: drivers.Identity{Serial: "SIM00001"}, State: drivers.RunInfusing, AlarmsKnown: true,
		Concentration: drivers.Number(20, -2, drivers.MilligramPerMilliliter), DoseRate: drivers.Number(50, -2, drivers.MicrogramPerKilogramPerMinute),
		TimeRemaining: drivers.Number(86400, 0, drivers.Second), ContainerSize: drivers.Number(50, 0, drivers.Milliliter),
		BatteryTime: drivers.Number(3600, 0, drivers.Second), ExternalPower: drivers.Yes,
		DownstreamSensor: drivers.Number(33, 0, drivers.PercentOfLimit),
		Uncertain:        []string{"State"}, AtLeast: []string{"TimeRemaining"},
	}
}

// Covers GW-131.
func TestReadingSaysWhatThePumpSaid(t *testing.T) {
	r := everything()
	o := normalize.Observation(normalize.Input{Pump: "blue", At: noon, Report: &r, Link: infusion.Link{State: infusion.LinkOnline, Since: noon}})
	if len(o.Problems) != 0 {
		t.Fatalf("refused: %v", o.Problems)
	}
	text, err := json.Marshal(reading(o))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"delivery_status":"infusing","time_remaining_s":86400,"container_size_ml":50,"pump_concentration":{"value":0.20,"unit":"mg/mL"},` +
		`"pump_dose_rate":{"value":0.50,"unit":"ug/kg/min"},"battery":{"ts":"2026-03-02T12:00:00.000Z","remaining_s":3600,"external_power":"yes"},` +
		`"occlusion_sensors":{"ts":"2026-03-02T12:00:00.000Z","unit":"percent_of_limit","downstream":33},"pump_alarms":{"known":"yes"},` +
		`"uncertain":["delivery_status"],"at_least":["time_remaining_s"]}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
}

// Covers GW-21, GW-131. Whatever unit a driver can give, what goes out is a message of the contract.
func TestEveryUnitIsPublishedOrRefused(t *testing.T) {
	b := newBench(t, newMemory())
	for u := drivers.UnitNone; u <= drivers.MilligramPerKilogramPerHour; u++ {
		for _, mantissa := range []int64{0, 7, -7, 101} {
			q := drivers.Number(mantissa, 0, u)
			out := b.play(func(in *normalize.Input) {
				r := in.Report
				r.ProgrammedRate, r.VolumeInfused, r.Concentration, r.DoseRate, r.TimeRemaining, r.ContainerSize = q, q, q, q, q, q
				r.BatteryTime, r.BatteryLevel, r.BatteryVolts, r.PumpClockS, r.UpstreamSensor, r.DownstreamThreshold = q, q, q, q, q, q
			})
			last := out[len(out)-1]
			if err := schema.Validate(message.SchemaObservation, last.Payload); err != nil {
				t.Errorf("%d %s: %v", mantissa, u, err)
			}
		}
	}
}
