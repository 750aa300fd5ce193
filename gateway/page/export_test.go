package page

// MaxClients is the number of live clients at once.
const MaxClients = maxClients
