package simulator

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"infusiond/drivers/miva/wire"
	"infusiond/simulator/asenafront"
	"infusiond/simulator/bccfront"
	"infusiond/simulator/front"
	"infusiond/simulator/mivafront"
	"infusiond/simulator/newerafront"
	"infusiond/simulator/sapphirefront"
)

// protocols is the table of everything that a simulated pump can speak. The first row is what a pump speaks that names no model.
func protocols() []protocol {
	return []protocol{miva(), bcc(), asena(), newera(), sapphire()}
}

func miva() protocol {
	o := []key[mivafront.Options]{
		{name: "checksum", help: "sum or xor", set: choose(map[string]func(*mivafront.Options){
			"sum": func(o *mivafront.Options) { o.Checksum = wire.Sum }, "xor": func(o *mivafront.Options) { o.Checksum = wire.XOR },
		})},
		{name: "firmware", help: "new or old (Q1, Q2 and dates instead of texts and seconds)", set: choose(map[string]func(*mivafront.Options){
			"new": func(o *mivafront.Options) { o.OldFirmware = false }, "old": func(o *mivafront.Options) { o.OldFirmware = true },
		})},
		{name: "form", help: "short or long: records of a logged program, 2 or 16; long tells the drug", set: choose(map[string]func(*mivafront.Options){
			"short": func(o *mivafront.Options) { o.LongProgram = false }, "long": func(o *mivafront.Options) { o.LongProgram = true },
		})},
		{name: "platform", help: "answer to RM: 00 or 01; without it the pump gives none", set: func(o *mivafront.Options, value string) error {
			o.Platform = value
			return nil
		}},
		{name: "logstart", help: "ring index of the first log record, 0 to 43263", set: upTo(wire.RingSize, func(o *mivafront.Options, n int) { o.LogStart = uint32(n) })},
		{name: "logfill", help: "older log records, 0 to 43264", set: upTo(wire.RingSize, func(o *mivafront.Options, n int) { o.LogFill = n })},
	}
	return protocol{Info: mivafront.Describe(), serials: regexp.MustCompile(`^SIM[0-9]{5}$`), serial: numbered("SIM00000")}.settled(
		with(o, func(o mivafront.Options, m []front.Member, _ func() time.Duration) (front.Front, error) {
			o.Serial, o.Drug = m[0].Serial, m[0].Drug
			return made(mivafront.New(m[0].Pump, o))
		}))
}

func bcc() protocol {
	o := []key[bccfront.Options]{
		{name: "bed", help: "bed id of the station, SpaceCOM unless said", set: func(o *bccfront.Options, value string) error {
			o.BedID = value
			return nil
		}},
		{name: "stuffing", help: "on or off: character stuffing of the device", set: choose(map[string]func(*bccfront.Options){
			"on": func(o *bccfront.Options) { o.Plain = false }, "off": func(o *bccfront.Options) { o.Plain = true },
		})},
		{name: "cyclic", help: "the device sends by itself so often, e.g. 5s; without it it is asked", set: duration(func(o *bccfront.Options) *time.Duration { return &o.Cyclic })},
		{name: "alarms", help: "flags or words: how the device is set to tell alarms", set: choose(map[string]func(*bccfront.Options){
			"flags": func(o *bccfront.Options) { o.Words = false }, "words": func(o *bccfront.Options) { o.Words = true },
		})},
		{name: "device", help: "infusomat or perfusor, of each pump", setOwn: func(o *bccfront.Options, address, value string) error {
			model, known := map[string]string{"infusomat": "687L030007", "perfusor": "688L030007"}[value]
			if !known {
				return fmt.Errorf("%q: known infusomat, perfusor", value)
			}
			if o.Models == nil {
				o.Models = map[string]string{}
			}
			o.Models[address] = model
			return nil
		}},
	}
	return protocol{
		Info: bccfront.Describe(), serials: regexp.MustCompile(`^SIM[0-9]{5}$`), serial: numbered("SIM00000"),
		address: func(i int) string { // eight a pillar, from the bottom
			if i > 23 {
				return ""
			}
			return fmt.Sprintf("%d%d", i/8+1, i%8+1)
		},
	}.settled(with(o, func(o bccfront.Options, m []front.Member, now func() time.Duration) (front.Front, error) {
		o.Now = now
		return made(bccfront.New(o, m))
	}))
}

func asena() protocol {
	o := []key[asenafront.Options]{
		{name: "syringe", help: "size of the syringe, mL", set: func(o *asenafront.Options, value string) error {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil || !(v > 0 && v <= 100) {
				return fmt.Errorf("%q: known above 0 to 100", value)
			}
			o.SyringeML = v
			return nil
		}},
	}
	return protocol{Info: asenafront.Describe(), serials: regexp.MustCompile(`^SIM[0-9]-[0-9]{5}$`), serial: numbered("SIM0-00000")}.settled(
		with(o, func(o asenafront.Options, m []front.Member, now func() time.Duration) (front.Front, error) {
			o.Now = now
			return made(asenafront.New(o, m))
		}))
}

func newera() protocol {
	o := []key[newerafront.Options]{
		{name: "version", help: "answer to VER, NE1000V3.928 unless said", set: func(o *newerafront.Options, value string) error {
			o.Version = value
			return nil
		}},
		{name: "reset", help: "yes: the pumps were just powered and have that alarm to tell", set: choose(map[string]func(*newerafront.Options){
			"yes": func(o *newerafront.Options) { o.ResetAlarm = true }, "no": func(o *newerafront.Options) { o.ResetAlarm = false },
		})},
	}
	return protocol{Info: newerafront.Describe(), address: func(i int) string {
		if i > 99 {
			return ""
		}
		return fmt.Sprintf("%02d", i)
	}}.settled(with(o, func(o newerafront.Options, m []front.Member, now func() time.Duration) (front.Front, error) {
		o.Now = now
		return made(newerafront.New(o, m))
	}))
}

func sapphire() protocol {
	o := []key[sapphirefront.Options]{
		{name: "every", help: "time between two batches, e.g. 200ms", set: duration(func(o *sapphirefront.Options) *time.Duration { return &o.Every })},
		{name: "length", help: "bytes of a batch's data, 171 to 2048", set: upTo(2048, func(o *sapphirefront.Options, n int) { o.Length = n })},
		{name: "unknown", help: "zero or noise: what the unknown bytes of a batch hold", set: choose(map[string]func(*sapphirefront.Options){
			"zero": func(o *sapphirefront.Options) { o.Noise = false }, "noise": func(o *sapphirefront.Options) { o.Noise = true },
		})},
		{name: "heartbeats", help: "how many the pump must hear before it begins to push", set: upTo(100, func(o *sapphirefront.Options, n int) { o.Heartbeats = n })},
	}
	return protocol{
		Info: sapphirefront.Describe(), serials: regexp.MustCompile(`^42900[0-9]{5}$`),
		serial: func(n int) string { return fmt.Sprintf("42900%05d", n) },
	}.settled(with(o, func(o sapphirefront.Options, m []front.Member, now func() time.Duration) (front.Front, error) {
		o.Now = now
		return made(sapphirefront.New(o, m))
	}))
}

// made keeps a nil front of a constructor that failed from becoming an interface that is not nil.
func made[F front.Front](f F, err error) (front.Front, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// upTo makes a setter for a whole number from 0 to most.
func upTo[O any](most int, set func(*O, int)) func(*O, string) error {
	return func(o *O, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > most {
			return fmt.Errorf("%q: known 0 to %d", value, most)
		}
		set(o, n)
		return nil
	}
}

// duration makes a setter for a time above 0.
func duration[O any](target func(*O) *time.Duration) func(*O, string) error {
	return func(o *O, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is not a duration such as 200ms or 5s", value)
		}
		*target(o) = d
		return nil
	}
}
