package bcc

import "infusiond/drivers/bcc/wire"

// parameter is one of those of section 5 that this driver reads. Others are skipped.
type parameter uint8

const (
	gnErr parameter = iota
	gnModel
	gnNew
	inSerNum
	inNr
	dsStatus
	inRt
	inVI
	inVTB
	volRemain
	inSyr
	inRMT
	inAkku
	inBoRt
	inBoVal
	inSol
	inSolSN
	inDCon
	inDConU
	doRt
	doRtU
	inP2
	opMode
	runState
	lastDA
	inM2
	inM3
	inM6
	inM8
	inM10
	inM14
	alarm1
	alarm2
	preAlarm
	status1
	parameters // how many there are
)

var parameterNames = [parameters]string{
	gnErr: "GNERR", gnModel: "GNMODEL", gnNew: "GNNEW", inSerNum: "INSERNUM", inNr: "INNR", dsStatus: "DSSTATUS", inRt: "INRT", inVI: "INVI", inVTB: "INVTB",
	volRemain: "VOLREMAIN", inSyr: "INSYR", inRMT: "INRMT", inAkku: "INAKKU", inBoRt: "INBORT", inBoVal: "INBOVAL", inSol: "INSOL", inSolSN: "INSOLSN",
	inDCon: "INDCON", inDConU: "INDCONU", doRt: "DORT", doRtU: "DORTU", inP2: "INP2", opMode: "OPMODE", runState: "RUNSTATE", lastDA: "LASTDA",
	inM2: "INM2", inM3: "INM3", inM6: "INM6", inM8: "INM8", inM10: "INM10", inM14: "INM14",
	alarm1: "ALARM1", alarm2: "ALARM2", preAlarm: "PREALARM", status1: "STATUS1",
}

var parameterByName = func() map[string]parameter {
	all := make(map[string]parameter, parameters)
	for p, name := range parameterNames {
		all[name] = parameter(p)
	}
	return all
}()

// mostFlags is up to which number INAx is looked for: a firmware that knows more alarms than the document must not announce them in vain.
const mostFlags = 64

// values are what one block says of one pump: views of the block. What the block does not hold is nil.
type values struct {
	of    [parameters][]byte
	flags [mostFlags + 1][]byte // INA1 and on, by number
}

// place returns where a parameter's value is kept; nil for those that are skipped.
func (v *values) place(name []byte) *[]byte {
	if p, known := parameterByName[string(name)]; known {
		return &v.of[p]
	}
	if n := flagNumber(name); n > 0 {
		return &v.flags[n]
	}
	return nil
}

// flagNumber returns x of INAx, without leading zeros, and 0 for all other names.
func flagNumber(name []byte) int {
	if len(name) < 4 || len(name) > 5 || string(name[:3]) != "INA" || name[3] == '0' {
		return 0
	}
	n := 0
	for _, c := range name[3:] {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	if n > mostFlags {
		return 0
	}
	return n
}

// put keeps the value of a record. It returns false when the parameter was there with another value.
func (v *values) put(r *wire.Record) bool {
	place := v.place(r.Parameter)
	switch {
	case place == nil:
		return true
	case *place != nil:
		return string(*place) == string(r.Value)
	case r.Value == nil:
		*place = []byte{}
	default:
		*place = r.Value
	}
	return true
}

// has says whether a parameter has a value: there, and neither "no value" nor "not available for the moment".
func (v *values) has(p parameter) bool { return !absent(v.of[p]) }

func absent(text []byte) bool {
	return len(text) == 0 || string(text) == "_NV" || string(text) == "_NA"
}
