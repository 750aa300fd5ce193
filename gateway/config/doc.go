// Package config reads the one configuration file of a gateway, strictly: raw YAML in,
// finished types out, every problem reported at once with its line and the mend. Defaults
// stand in one place (the readers below) and are documented in configs/infusiond.yaml.
// Secrets never stand in the file, only the names of files that hold them.
package config
