// Package relay reads the spool and drives the sinks, with one durable cursor each.
package relay
