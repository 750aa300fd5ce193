// Package publish is the MQTT sink. It owns the connection to the broker: a new client
// for each connection, clean session, no automatic reconnect, QoS 1 only. Each connection begins
// with the birth and the whole retained set, so that the current truth never waits behind
// a backlog; the records of the spool follow in order. A record counts as delivered when
// the broker acknowledged it on the very connection that carried it; anything else is sent
// again, so subscribers see repeats with the same key, and no loss and no disorder.
//
// It subscribes to nothing: what a broker sends is not listened to. Run owns the goroutines (paho
// starts its own for each connection and ends them with it); Deliver and Status may be
// called from others. The package is the only importer of paho.mqtt.golang.
package publish
