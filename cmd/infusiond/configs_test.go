package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"infusiond/gateway/config"
)

// Covers GW-111. The shipped configurations are valid with the real drivers, and show every one of them.
func TestShippedConfigurations(t *testing.T) {
	paths, err := filepath.Glob("../../configs/infusiond*.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatalf("%v, %v", paths, err)
	}
	shown := map[string]bool{}
	for _, path := range paths {
		c, err := config.Load(path, table())
		if err != nil {
			t.Error(err)
			continue
		}
		for _, p := range c.Pumps {
			shown[p.Driver] = true
		}
		var out, errOut bytes.Buffer
		if code := run(t.Context(), []string{"check-config", path}, &out, &errOut); code != 0 || !strings.HasSuffix(out.String(), "\nok\n") {
			t.Errorf("check-config %s: %d, %s%s", path, code, &out, &errOut)
		}
	}
	for _, name := range table().Names() {
		if !shown[name] {
			t.Errorf("no example of driver %s", name)
		}
	}
}

// Covers GW-26.
func TestTheTableNamesItsDrivers(t *testing.T) {
	for name, build := range table() {
		d, err := build(nil)
		if err != nil {
			t.Errorf("%s without settings: %v", name, err)
			continue
		}
		p := d.Profile()
		if p.Name != name || p.Models == "" || p.Line.Baud == 0 || len(p.Allow) == 0 || p.SeveralPumps != (p.Addressing != "") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
