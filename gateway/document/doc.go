// Package document reads a YAML file strictly: every key must be known, every
// value has its type and range, and every problem is reported at once with file,
// line, key, value and the mend. It knows nothing of what the files mean.
//
// The YAML reader is go.yaml.in/yaml/v4: the YAML organisation's own successor of the
// archived yaml.v3, stable since 4.0, and its nodes keep line and source text, so that
// "0.5" can be told from ".5".
package document
