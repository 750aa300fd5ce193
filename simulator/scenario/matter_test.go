package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"infusiond/simulator"
)

// unseen are the commands that change what goes over the wire and nothing in a pump: no fact can see them.
var unseen = []string{"swap", "freeze"}

// Every step to a pump matters: without it a fact does not hold, on one protocol at least.
func TestEveryStepIsHeldByAFact(t *testing.T) {
	for _, s := range all(t) {
		for i, step := range s.Steps {
			if step.Do == "" || slices.Contains(unseen, strings.Fields(step.Do)[0]) {
				continue
			}
			t.Run(fmt.Sprintf("%s line %d %s", s.ID, step.Line, step.Do), func(t *testing.T) {
				less := *s
				less.Steps = slices.Delete(slices.Clone(s.Steps), i, i+1)
				for _, info := range simulator.Models() {
					if len(s.Missing(info.Protocol)) > 0 {
						continue
					}
					stage, err := NewVirtual(&less, info.Protocol, 1)
					if err != nil {
						t.Fatal(err)
					}
					result, err := Run(t.Context(), &less, stage, Options{})
					if err != nil || len(result.Wrong)+len(result.Refused) > 0 {
						return
					}
				}
				t.Error("without this step every fact holds, too")
			})
		}
	}
}
