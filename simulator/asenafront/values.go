package asenafront

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"infusiond/drivers/asena/wire"
	"infusiond/simulator/pumpmodel"
)

// mbarPerMmHg is one millimetre of mercury.
const mbarPerMmHg = 1.33322

// noVTBI is the volume from which on nothing limits the infusion but the syringe.
const noVTBI = 9999

// encode joins fields to the body of a reply.
func encode(dst []byte, q wire.Request, fields []string) ([]byte, error) {
	r := wire.Reply{Request: q, Count: len(fields) + 1}
	for i, text := range fields {
		r.Fields[i+1] = []byte(text)
	}
	return wire.AppendReply(dst, &r)
}

// fields are what stands behind a reply's name.
func (f *Front) fields(q wire.Request, v *shown) []string {
	switch q {
	case wire.SerialNo:
		return []string{f.member.Serial}
	case wire.Protocol:
		return []string{f.o.Protocol}
	case wire.ResponseMax:
		return []string{"4000", "ms"}
	case wire.Status:
		return f.status(v)
	case wire.VolumeInfused:
		return []string{v.volume(), "ml"}
	case wire.VTBI:
		if v.unlimited() {
			return []string{"DEACT", "", "", ""}
		}
		return []string{"ACTIV", decimal(v.Program.VTBIML, 3), "ml", "STOP"}
	case wire.Rate:
		return []string{decimal(v.Program.Rate, 2), "ml/h"}
	case wire.RateMax:
		return []string{decimal(Physics().MaxRate, 2), "ml/h"}
	case wire.Syringe:
		return []string{f.o.Syringe, fmt.Sprintf("%3s", strconv.FormatFloat(f.o.SyringeML, 'f', -1, 64)), "CONF"}
	case wire.Alarm:
		return []string{alarmCode(&v.View), " ", " "}
	case wire.NoRequest:
	}
	return nil
}

func (f *Front) status(v *shown) []string {
	flag, mode := "-", "HLD"
	if alarmCode(&v.View) != none {
		flag = "A"
	}
	if v.State.Moving() {
		mode = "SET"
	}
	return []string{
		f.member.Serial, flag, mode, decimal(v.Rate, 2), "ml/h", f.member.Drug, v.volume(), "ml",
		decimal(v.DownstreamMbar/mbarPerMmHg, 2), "mmHg", v.remaining(), "EVENT", strconv.FormatUint(v.entry, 10),
	}
}

func decimal(v float64, places int) string {
	text := strconv.FormatFloat(v, 'f', places, 64)
	if v < 0 && math.Abs(v) < 0.5*math.Pow10(-places) {
		return text[1:] // no negative zero
	}
	return text
}

func (v *shown) volume() string { return decimal(math.Max(0, v.InfusedML-v.clearedML), 3) }

// unlimited says whether no volume to be infused is set.
func (v *shown) unlimited() bool { return v.Program.VTBIML <= 0 || v.Program.VTBIML >= noVTBI }

// remaining is the time until VTBI or syringe end: HH:MM:SS, "24+", or nothing.
func (v *shown) remaining() string {
	left := math.Inf(1)
	if !v.unlimited() {
		left = v.Program.VTBIML - v.InfusedML
	}
	if v.Reservoir {
		left = math.Min(left, v.ReservoirML)
	}
	rate := v.Rate
	if rate == 0 {
		rate = v.Program.Rate
	}
	if rate <= 0 {
		return ""
	}
	hours := math.Max(0, left) / rate
	if hours > 24 {
		return "24+"
	}
	s := int(time.Duration(hours * float64(time.Hour)).Seconds())
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

// none is the code of no alarm.
const none = "AL_NOALM"

// codes holds the codes of section 5 for the alarms of the model.
var codes = map[pumpmodel.Alarm]string{
	pumpmodel.AlarmPumpFault:           "AL_FAULT",
	pumpmodel.AlarmOcclusionDownstream: "AL_OCCLU",
	pumpmodel.AlarmNoDisposable:        "AL_SYRCO",
	pumpmodel.AlarmBatteryDepleted:     "AL_EMBAT",
	pumpmodel.AlarmReservoirEmpty:      "AL_EOIST",
	pumpmodel.AlarmComplete:            "AL_VTBIS",
	pumpmodel.AlarmUnattended:          "AL_CALLB",
	pumpmodel.AlarmBatteryLow:          "AL_LWBAT",
	pumpmodel.AlarmNearEnd:             "AL_NEOIN",
}

// kvoCodes replace those of codes while the vein is kept open.
var kvoCodes = map[pumpmodel.Alarm]string{pumpmodel.AlarmReservoirEmpty: "AL_EOIKV", pumpmodel.AlarmComplete: "AL_VTBIK"}

// alarmCode is the most urgent alarm that this pump has a word for.
func alarmCode(v *pumpmodel.View) string {
	for _, a := range v.Alarms {
		code, known := codes[a]
		if !known {
			continue
		}
		if kvo, has := kvoCodes[a]; has && v.State == pumpmodel.KVO {
			return kvo
		}
		return code
	}
	return none
}
