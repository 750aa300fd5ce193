package simulator

import (
	"time"

	"infusiond/simulator/fault"
	"infusiond/simulator/pumpmodel"
)

// Status is what one pump says of itself, beside what really happens.
type Status struct {
	Name    string `json:"name"`
	Model   string `json:"model"`
	Serial  string `json:"serial"`
	Drug    string `json:"drug,omitempty"` // in the bag; the pump need not know it
	Port    string `json:"port,omitempty"`
	TCP     string `json:"tcp,omitempty"`
	Plugged bool   `json:"plugged"`
	Says    Says   `json:"says"`
	Truth   Truth  `json:"truth"`
	Wire    Wire   `json:"wire"`
}

// Says is what the pump knows. Its protocol may tell less.
type Says struct {
	State          string            `json:"state"`
	ProgrammedRate float64           `json:"programmed_rate_ml_per_h"`
	RunningRate    float64           `json:"running_rate_ml_per_h"`
	Infused        float64           `json:"volume_infused_ml"`
	VTBI           float64           `json:"vtbi_ml"`
	Reservoir      *float64          `json:"reservoir_ml,omitempty"` // only when it counts one
	BatteryVolts   float64           `json:"battery_v"`
	PressureMbar   float64           `json:"sensed_pressure_mbar"`
	ClockS         int64             `json:"clock_s"`
	Alarms         []pumpmodel.Alarm `json:"alarms"`
	LogHead        uint32            `json:"log_head"`
}

// Truth is what really happens, which no pump tells.
type Truth struct {
	ElapsedS        float64 `json:"elapsed_s"` // simulated time
	PatientRate     float64 `json:"patient_rate_ml_per_h"`
	PatientVolume   float64 `json:"patient_volume_ml"`
	LostVolume      float64 `json:"lost_volume_ml"`
	CommandedVolume float64 `json:"commanded_volume_ml"`
	PressureMbar    float64 `json:"line_pressure_mbar"`
	StoredVolume    float64 `json:"stored_volume_ml"` // reaches the patient at once on release
	Bag             float64 `json:"bag_ml"`
	Occlusion       float64 `json:"occlusion_share"`
	Upstream        bool    `json:"upstream_closed"`
	Disconnected    bool    `json:"disconnected"`
	SetShare        float64 `json:"set_share"`
	MotorFactor     float64 `json:"motor_factor"`
	SetError        float64 `json:"set_error"`
	BatteryPercent  float64 `json:"battery_percent"`
}

// Wire is what went over the line.
type Wire struct {
	Queries   int          `json:"queries"`
	Control   int          `json:"control_commands"` // a gateway must leave this at 0
	Unknown   int          `json:"unknown_queries"`
	BadFrames int          `json:"bad_frames"`
	Faults    []fault.Kind `json:"faults"`
}

func (u *unit) status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.catchUp()
	v, t, c := u.model.View(), u.model.Truth(), u.front.Counts()
	s := Status{
		Name: u.o.Name, Model: u.o.Model, Serial: u.o.Serial, Drug: u.o.Drug,
		Says: Says{
			State: v.State.String(), ProgrammedRate: v.Program.Rate, RunningRate: v.Rate, Infused: v.InfusedML, VTBI: v.Program.VTBIML,
			BatteryVolts: v.BatteryVolts, PressureMbar: v.DownstreamMbar, ClockS: int64(v.Clock / time.Second),
			Alarms: append([]pumpmodel.Alarm{}, v.Alarms...), LogHead: u.front.LogHead(),
		},
		Truth: Truth{
			ElapsedS: u.model.Elapsed().Seconds(), PatientRate: t.PatientRate, PatientVolume: t.PatientML, LostVolume: t.LostML,
			CommandedVolume: t.CommandedML, PressureMbar: t.LineMbar, StoredVolume: t.StoredML, Bag: t.BagML, Occlusion: t.Occlusion,
			Upstream: t.Upstream, Disconnected: t.Disconnected, SetShare: t.SetShare, MotorFactor: t.MotorFactor, SetError: t.SetError,
			BatteryPercent: 100 * t.BatteryCharge,
		},
		Wire: Wire{
			Queries: c.Received, Control: c.Control, Unknown: c.Unknown, BadFrames: c.BadFrames,
			Faults: append([]fault.Kind{}, u.wire.Active(u.last)...),
		},
	}
	if v.Reservoir {
		s.Says.Reservoir = &v.ReservoirML
	}
	if u.pty != nil {
		s.Port, s.Plugged = u.pty.Address(), u.pty.Plugged()
	}
	if u.tcp != nil {
		s.TCP = u.tcp.Address()
	}
	return s
}

// Entry is one event of the pump's log, for scoring what a gateway reported.
type Entry struct {
	Seq      uint64  `json:"seq"`
	Kind     string  `json:"kind"`
	ClockS   int64   `json:"clock_s"`   // on the pump's clock
	ElapsedS float64 `json:"elapsed_s"` // true simulated time
	Code     uint16  `json:"code"`
	A        float64 `json:"a"`
	B        float64 `json:"b"`
}

func (u *unit) entries(from uint64) []Entry {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.catchUp()
	list := []Entry{}
	for _, e := range u.model.Events(from) {
		list = append(list, Entry{e.Seq, e.Kind.String(), int64(e.Clock / time.Second), e.True.Seconds(), e.Code, e.A, e.B})
	}
	return list
}
