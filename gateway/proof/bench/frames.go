package main

import (
	"errors"

	asena "infusiond/drivers/asena/wire"
	bcc "infusiond/drivers/bcc/wire"
	miva "infusiond/drivers/miva/wire"
	newera "infusiond/drivers/newera/wire"
	sapphire "infusiond/drivers/sapphire/wire"
)

// goodFrame is an answer of a protocol document's vectors.
type goodFrame struct {
	driver, name, hex string
	// decode makes what takes the frame apart into a struct that it owns, with text as views.
	decode func() func(frame []byte) error
}

func goodFrames() []goodFrame {
	return []goodFrame{
		{"miva", "log_record", "02524530303030303030443044343532333031463030303032343033363636363634313434434343443030453503", decodeMIVA(miva.LogRecord)},
		{"miva", "log_indices", "02524930303030303030303030303030303130394303", decodeMIVA(miva.LogIndices)},
		{"miva", "volume_infused", "02513530344432363003", decodeMIVA(miva.VolumeInfused)},
		{"miva", "serial_number", "02524E534E383030303038373103", decodeMIVA(miva.Serial)},
		{"miva", "pump_clock", "0252434630303132343030333203", decodeMIVA(miva.PumpClock)},
		{"miva", "combined_sensors", "025339354634323038313144374203", decodeMIVA(miva.CombinedSensors)},
		{"miva", "running", "0254525545343003", decodeMIVA(miva.TextRunning)},
		{"bcc", "pump_values", "01303031303802426564312F312F313E3330302C35303131312C474E4D4F44454C2C3638384C3033303030371E3330302C35303131312C494E52542C" +
			"352E30301E3330302C35303131312C494E56492C31322E331E3330302C35303131312C494E41332C3103303030333904", decodeBCC(false)},
		{"bcc", "pump_values_stuffed", "013030313038024265656578312F312F313E3330302C35303131312C474E4D4F455845454C2C3638384C3033303030371E3330302C35303131312C49" +
			"4E52542C352E30301E3330302C35303131312C494E56492C31322E331E3330302C35303131312C494E41332C3103303030333904", decodeBCC(true)},
		{"bcc", "alive", "013030303434025370616365434F4D2F312F313E3230362C35303130302C474E41434B2C3003303031303904", decodeBCC(false)},
		{"asena", "status", "21494E465E383030322D35313733335E415E484C445E302E30305E6D6C2F685E5E302E3936395E6D6C5E3533302E31355E6D6D48675E30303A30343A" +
			"30395E4556454E545E3231343732357C444239440D", decodeAsena(asena.Status)},
		{"asena", "alarm", "21414C41524D5E414C5F4F43434C555E205E207C354233420D", decodeAsena(asena.Alarm)},
		{"asena", "serial_number", "21494E53545F53455249414C4E4F5E383030322D35313734307C303530420D", decodeAsena(asena.SerialNo)},
		{"asena", "syringe", "21535952494E47455F5354415455535E424420504C4153544950414B5E2035305E434F4E467C314346380D", decodeAsena(asena.Syringe)},
		{"newera", "rate", "02303049352E3030304D4803", decodeNewera(newera.Rate)},
		{"newera", "dispensed", "0230304949312E32333457302E3030304D4C03", decodeNewera(newera.Dispensed)},
		{"newera", "rate_safe", "020E303049352E3030304D48343F03", decodeNewera(newera.Rate)},
		{"sapphire", "batch", "BB6700650100AB07000000000000000000000000000000000000000000000000000000000000000000000302010D4E61BC00000000FA003200000000" +
			"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" +
			"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000952600007B0000005F", decodeSapphire()},
	}
}

var errNoFrame = errors.New("no frame was found")

func decodeMIVA(q miva.Query) func() func([]byte) error {
	return func() func([]byte) error {
		scanner := miva.NewScanner(miva.Sum)
		var reply miva.Reply
		return func(frame []byte) error {
			payload, _ := scanner.Next(frame)
			return miva.Decode(payload, q, &reply)
		}
	}
}

func decodeBCC(stuffed bool) func() func([]byte) error {
	return func() func([]byte) error {
		scanner := bcc.NewScanner(stuffed)
		var block bcc.Block
		var record bcc.Record
		return func(frame []byte) error {
			if event, _ := scanner.Next(frame, &block); event != bcc.Good {
				return errNoFrame
			}
			records := block.Records()
			for more := true; more; {
				var err error
				if more, err = records.Next(&record); err != nil {
					return err
				}
			}
			return nil
		}
	}
}

func decodeAsena(q asena.Request) func() func([]byte) error {
	return func() func([]byte) error {
		var scanner asena.Scanner
		var reply asena.Reply
		return func(frame []byte) error {
			body, _ := scanner.Next(frame)
			return asena.Decode(body, q, &reply)
		}
	}
}

func decodeNewera(q newera.Query) func() func([]byte) error {
	return func() func([]byte) error {
		var scanner newera.Scanner
		var reply newera.Reply
		var value newera.Value
		return func(frame []byte) error {
			data, _, _ := scanner.Next(frame)
			if err := newera.DecodeReply(data, &reply); err != nil {
				return err
			}
			return value.Decode(reply.Data, q)
		}
	}
}

func decodeSapphire() func() func([]byte) error {
	return func() func([]byte) error {
		scanner := sapphire.NewScanner(true)
		var message sapphire.Message
		var batch sapphire.Batch
		return func(frame []byte) error {
			if found, _ := scanner.Next(frame, &message); !found {
				return errNoFrame
			}
			return batch.Decode(&message)
		}
	}
}
