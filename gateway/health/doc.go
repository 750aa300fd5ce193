// Package health holds the gateway's own conditions: broker, database, disk, clock, configuration.
// Every condition is declared once in a table with a stable code, priority,
// text and hint; parts of the gateway report it by code and subject. It starts no goroutine.
package health
