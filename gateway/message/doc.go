// Package message is the contract with subscribers: topics, payload types, the
// delivery_status enumeration, JSON Schema and AsyncAPI. README.md beside it
// explains the same to somebody who has only mosquitto_sub.
//
// Absent means absent: every optional field is left out when there is no value,
// and no number is ever written in place of a missing one. Field names carry units.
package message
