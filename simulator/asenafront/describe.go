package asenafront

import (
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// Describe declares what these pumps are like.
func Describe() front.Info {
	return front.Info{
		Protocol: "asena", Models: "Alaris / Asena GS, GH, CC, TIVA syringe pumps", Baud: Baud, Gap: Gap,
		Serial: "SIM0-00001",
		CannotSay: []string{
			"more than one alarm: the most urgent is shown", "its event log, only the number of the newest entry",
			"air in the line, and an occlusion towards the syringe: it has no sensor for them",
			"battery charge", "its clock", "its pressure limit", "concentration and dose", "a bolus, but for its rate",
		},
		Announces: func(a pumpmodel.Alarm) bool { _, known := codes[a]; return known },
		OneAlarm:  true,
		Physics:   Physics,
	}
}

// Physics returns the constants of a syringe pump: a lead screw in place of strokes, a plunger that gives way, no bag
// and no line from one. Batteries are those of the model's default: a pump that stands on mains for weeks.
func Physics() pumpmodel.Config {
	c := pumpmodel.Default()
	c.StrokeML, c.CounterStepML = 0.001, 0.001
	c.RateStep, c.MaxRate = 0.01, 1200
	c.SetSigma, c.SetCut, c.Fatigue = 0.01, 0.02, 0
	c.CamAmplitude, c.CamStrokes = 0.02, 200 // one turn of the screw
	c.ComplianceMLPerBar = 1.5               // 0.9 to 2.1 for a 50 mL syringe
	c.LimitMbar = 700                        // 525 mmHg: a recorded alarm stood at 530
	c.UpstreamSensor, c.AirDetector = false, false
	c.BagSigma, c.DeadVolumeML, c.OverfillML = 0, 0, 0.5 // the pump ends before the plunger touches the bottom
	c.MotorMAHPerML = 0.05
	return c
}
