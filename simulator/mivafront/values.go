package mivafront

import (
	"math"
	"strconv"
	"time"

	"infusiond/drivers/miva/wire"
	"infusiond/simulator/pumpmodel"
)

// The scale of the occlusion sensors: counts = offset + gain * mbar, cut to 10 bits.
const (
	downGain, downOffset = 0.3, 300
	upGain, upOffset     = 0.8, 300
	// motorCalibration * 0.000005 mL is the volume of one rotation.
	motorCalibration = 2000
)

func counts(mbar, gain, offset float64) uint32 {
	return uint32(math.Round(math.Max(0, math.Min(1023, offset+gain*mbar))))
}

func hundredths(v float64) uint32 { return uint32(math.Round(math.Max(0, v) * 100)) }

func seconds(d time.Duration) uint32 { return uint32(d / time.Second) }

// fill puts the value of one query into r. False: this pump does not answer it.
func (f *Front) fill(r *wire.Reply, v *pumpmodel.View) bool {
	switch {
	case r.Query == wire.LogIndices:
		r.N = [2]uint32{f.log.tail(), f.log.head()}
		return true
	case r.Query == wire.LogRecord:
		r.Record = f.log.at(r.Index)
		return r.Index < wire.RingSize
	case f.fillText(r, v), f.fillSensor(r, v), f.fillInfusion(r, v), f.fillService(r, v):
		return true
	}
	return false
}

// fillText answers with words; every query that is a word or a decimal belongs here.
func (f *Front) fillText(r *wire.Reply, v *pumpmodel.View) bool {
	text, known := "", true
	switch r.Query { //nolint:exhaustive // the other queries are answered elsewhere
	case wire.Serial, wire.TextSerial:
		text = f.o.Serial
	case wire.Firmware:
		text = f.o.Firmware
	case wire.Library:
		text = "SIMLIB 1.0          "
	case wire.Platform:
		text, known = f.o.Platform, f.o.Platform != ""
	case wire.TextIdentity:
		text = "ZYNO MEDICAL,MIVA," + f.o.Serial + "," + f.o.Firmware
	case wire.TextProgram:
		text, known = v.Program.Name, v.Program.Name != ""
	case wire.TextProgrammedRate:
		text = decimal(v.Program.Rate)
	case wire.TextRate:
		text, known = decimal(v.Rate), !f.o.OldFirmware
	case wire.OldRunning:
		text, known = flag(v.State.Moving()), f.o.OldFirmware
	case wire.BolusRunning:
		text = flag(v.State == pumpmodel.Bolus)
	case wire.Mode:
		text = "CONT"
	case wire.RateUnit, wire.ProgrammedRateUnit:
		text = "ML/HR"
	case wire.ProgrammedTimeUnit:
		text = "SEC"
	default:
		return false
	}
	r.Text = []byte(text)
	return known
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func (f *Front) fillInfusion(r *wire.Reply, v *pumpmodel.View) bool {
	switch r.Query { //nolint:exhaustive // the other queries are answered elsewhere
	case wire.TextRunning:
		r.True = v.State.Moving()
		return !f.o.OldFirmware
	case wire.OldRate:
		r.N[0] = hundredths(v.Rate)
		return f.o.OldFirmware
	case wire.InfusionTime:
		r.N[0] = seconds(v.InfusionTime)
	case wire.VolumeInfused:
		r.N[0] = hundredths(v.InfusedML)
	case wire.VTBI, wire.ProgrammedVTBI:
		r.N[0] = hundredths(v.Program.VTBIML)
	case wire.ProgrammedTime:
		if v.Program.Rate > 0 {
			r.N[0] = seconds(time.Duration(v.Program.VTBIML / v.Program.Rate * float64(time.Hour)))
		}
	case wire.BolusRate, wire.ProgrammedBolusRate:
		r.N[0] = hundredths(v.BolusRate)
	case wire.BolusInfused:
		r.N[0] = hundredths(v.BolusInfused)
	case wire.BolusVTBI:
		r.N[0] = hundredths(v.BolusVTBI)
	default:
		return false
	}
	return true
}

func (f *Front) fillSensor(r *wire.Reply, v *pumpmodel.View) bool {
	up, down := counts(v.SuctionMbar, upGain, upOffset), counts(v.DownstreamMbar, downGain, downOffset)
	switch r.Query { //nolint:exhaustive // the other queries are answered elsewhere
	case wire.OcclusionSensors:
		r.N = [2]uint32{up, down}
	case wire.OcclusionThresholds:
		r.N = [2]uint32{counts(v.SuctionLimit, upGain, upOffset), counts(v.LimitMbar, downGain, downOffset)}
	case wire.SensorCalibration:
		for i, c := range [4]float32{upGain, upOffset, downGain, downOffset} {
			r.Bits[i] = wire.FloatBits(c)
		}
	case wire.CombinedSensors:
		r.Sensors = wire.Sensors{
			Hall: v.State.Moving() && v.Strokes%2 == 1, MotorRunning: v.State.Moving(),
			Upstream: uint16(up), Downstream: uint16(down), Battery: uint16(hundredths(v.BatteryVolts)),
		}
	case wire.Battery:
		r.N[0] = hundredths(v.BatteryVolts)
	case wire.BatteryCalibration:
		r.N = [2]uint32{1000, hundredths(v.BatteryVolts)}
	default:
		return false
	}
	return true
}

func (f *Front) fillService(r *wire.Reply, v *pumpmodel.View) bool {
	switch r.Query { //nolint:exhaustive // the other queries are answered elsewhere
	case wire.BaseYear:
		r.N[0] = 2000
	case wire.TotalVolume:
		r.N[0] = uint32(v.TotalML*10) & 0xFFFF
	case wire.MotorCalibration:
		r.N[0] = motorCalibration
	case wire.MotorLife:
		r.N = [2]uint32{motorCalibration, uint32(v.TotalML/(motorCalibration*0.000005)) & 0xFFFFFF}
	case wire.PowerOnTime, wire.TextTotalTime, wire.TextServiceTime:
		r.N[0] = seconds(v.PoweredTime)
	case wire.PumpClock:
		r.Clock = wire.NewClock(seconds(v.Clock))
		if f.o.OldFirmware {
			r.Clock = wire.Clock{Old: true, Date: f.date(v.Clock)}
		}
	default:
		return false
	}
	return true
}

// date is the pump's clock as old firmware shows it.
func (f *Front) date(clock time.Duration) wire.Date {
	t := f.o.Epoch.Add(clock)
	return wire.Date{
		Year: uint8(t.Year() - 2000), Month: uint8(t.Month()), Day: uint8(t.Day()),
		Hour: uint8(t.Hour()), Minute: uint8(t.Minute()), Second: uint8(t.Second()),
	}
}
