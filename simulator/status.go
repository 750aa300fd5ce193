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
	Serial  string `json:"serial,omitempty"`  // empty where the protocol has none
	Address string `json:"address,omitempty"` // where a line carries several pumps
	Drug    string `json:"drug,omitempty"`    // in the bag; the pump need not know it
	Port    string `json:"port,omitempty"`
	TCP     string `json:"tcp,omitempty"`
	Plugged bool   `json:"plugged"`
	Hung    bool   `json:"adapter_hung,omitempty"`
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
	LogHead        uint32            `json:"log_head,omitempty"` // of a pump whose log has ring indices
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
	TemperatureC    float64 `json:"temperature_c"` // of the pump
	AirVolume       float64 `json:"air_ml"`        // of bubbles that passed it
	HeightCM        float64 `json:"height_cm"`
	DoorOpen        bool    `json:"door_open"`
	SetDetached     bool    `json:"set_detached"`
	ProgramHung     bool    `json:"program_hung"` // the motor stands, the pump says what it last knew
}

// Wire is what went over the line, for all of its pumps.
type Wire struct {
	Queries   int          `json:"queries"`
	Control   int          `json:"control_commands"` // a gateway must leave this at 0
	Unknown   int          `json:"unknown_queries"`
	BadFrames int          `json:"bad_frames"`
	Faults    []fault.Kind `json:"faults"`
}

// status belongs to a pump that was advanced to now.
func (p *pump) status() Status {
	at := p.at
	v, t, c := p.model.View(), p.model.Truth(), at.counts()
	s := Status{
		Name: p.o.Name, Model: p.o.Model, Serial: p.o.Serial, Address: at.place(p), Drug: p.o.Drug, Plugged: at.port.plugged(), Hung: at.port.hung,
		Says: Says{
			State: v.State.String(), ProgrammedRate: v.Program.Rate, RunningRate: v.Rate, Infused: v.InfusedML, VTBI: v.Program.VTBIML,
			BatteryVolts: v.BatteryVolts, PressureMbar: v.DownstreamMbar, ClockS: int64(v.Clock / time.Second),
			Alarms: append([]pumpmodel.Alarm{}, v.Alarms...),
		},
		Truth: Truth{
			ElapsedS: p.model.Elapsed().Seconds(), PatientRate: t.PatientRate, PatientVolume: t.PatientML, LostVolume: t.LostML,
			CommandedVolume: t.CommandedML, PressureMbar: t.LineMbar, StoredVolume: t.StoredML, Bag: t.BagML, Occlusion: t.Occlusion,
			Upstream: t.Upstream, Disconnected: t.Disconnected, SetShare: t.SetShare, MotorFactor: t.MotorFactor, SetError: t.SetError,
			BatteryPercent: 100 * t.BatteryCharge, TemperatureC: t.TemperatureC, AirVolume: t.AirML, HeightCM: t.HeightCM,
			DoorOpen: t.Door, SetDetached: t.Detached, ProgramHung: t.Hung,
		},
		Wire: Wire{
			Queries: c.Received, Control: c.Control, Unknown: c.Unknown, BadFrames: c.BadFrames,
			Faults: append([]fault.Kind{}, at.port.wire.Active(at.fleet.now())...),
		},
	}
	if f, ok := at.front.(interface{ LogHead() uint32 }); ok {
		s.Says.LogHead = f.LogHead()
	}
	if v.Reservoir {
		s.Says.Reservoir = &v.ReservoirML
	}
	if at.port.pty != nil {
		s.Port = at.port.pty.Address()
	}
	if at.port.tcp != nil {
		s.TCP = at.port.tcp.Address()
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

func (p *pump) entries(from uint64) []Entry {
	list := []Entry{}
	for _, e := range p.model.Events(from) {
		list = append(list, Entry{e.Seq, e.Kind.String(), int64(e.Clock / time.Second), e.True.Seconds(), e.Code, e.A, e.B})
	}
	return list
}
