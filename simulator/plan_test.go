package simulator

import (
	"strings"
	"testing"
)

func TestParsePlan(t *testing.T) {
	pumps, err := ParsePlan("miva:2,asena:1,miva:1", "/tmp/x", "")
	must(t, err)
	var got []string
	for _, p := range pumps {
		got = append(got, p.Name+" "+p.Model+" "+p.Link)
	}
	if want := "miva-01 miva /tmp/x/miva-01|miva-02 miva /tmp/x/miva-02|asena-01 asena /tmp/x/asena-01|miva-03 miva /tmp/x/miva-03"; strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
	if pumps[0].Rate == pumps[1].Rate {
		t.Error("all pumps run at one rate")
	}
	if list, err := lines(pumps); err != nil || len(list) != 4 || list[2].pumps[0].Serial != "SIM0-00003" {
		t.Errorf("%d lines, %v", len(list), err)
	}
	pumps, err = ParsePlan("miva:2", "", "127.0.0.1:7100")
	must(t, err)
	if pumps[1].TCP != "127.0.0.1:7101" || pumps[1].Link != "" {
		t.Errorf("second line at %q, link %q", pumps[1].TCP, pumps[1].Link)
	}
	for plan, says := range map[string]string{
		"": "known miva", "miva": "1 to 1000", "miva:x": "MODEL:PUMPS", "miva:0": "1 to 1000", "nonsense:3": "asena", "miva:4@2": "alone on its line", "miva:4@x": "MODEL:PUMPS",
	} {
		if _, err := ParsePlan(plan, "", ""); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want it to say %q", plan, err, says)
		}
	}
	if _, err := ParsePlan("miva:1", "", "nowhere"); err == nil || !strings.Contains(err.Error(), "host:port") {
		t.Errorf("address nowhere: %v", err)
	}
}

func TestKeysBelongToTheirProtocol(t *testing.T) {
	for text, says := range map[string]string{
		"name=a,checksum=xor,model=asena":             "checksum is a key of model=miva; this pump speaks asena",
		"name=a,model=asena,colour=red":               "for model=asena syringe",
		"name=a,model=asena,serial=SIM00001":          "SIM0-00001",
		"name=a,address=11":                           "alone on its line",
		"name=a,model=bcc,device=pump,stuffing=maybe": "known infusomat, perfusor",
		"name=a,baud=9601":                            "115200",
		"name=a,baud=fast":                            "115200",
		"name=a,model=asena,syringe=large":            "above 0 to 100",
		"name=a,checksum=crc,logfill=-1,stroke=full":  "sum, xor",
	} {
		if _, err := ParsePump(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v\nwant it to say %q", text, err, says)
		}
	}
}

func TestModelsAreComplete(t *testing.T) {
	for _, p := range protocols() {
		if p.Protocol == "" || p.Models == "" || p.Baud == 0 || len(p.CannotSay) == 0 || p.Announces == nil || p.Physics == nil || p.prepare == nil {
			t.Errorf("%+v lacks something", p.Info)
		}
		if (p.serials == nil) != (p.Serial == "") || p.serials != nil && (!p.serials.MatchString(p.serial(1)) || !p.serials.MatchString(p.Serial)) {
			t.Errorf("%s: serial number %q", p.Protocol, p.Serial)
		}
		if (p.address == nil) != (p.Addresses == "") {
			t.Errorf("%s: addresses %q", p.Protocol, p.Addresses)
		}
		o, err := PumpOf(p.Protocol, "a")
		must(t, err)
		v, err := NewVirtual(o, 1)
		must(t, err)
		if s := v.Status(); s.Model != p.Protocol || s.Says.State != "running" {
			t.Errorf("%s: %+v", p.Protocol, s)
		}
	}
}
