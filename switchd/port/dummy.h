/* dummy.h - what tests and the control socket do with ports of type "dummy". */
#pragma once

#include "switchd/port/port.h"

/* Receives FRAME (N bytes) on PORT, as if it came from the wire. */
void dummy_receive(struct port *port, const void *frame, size_t n);
/* FN is called with each packet that is sent on PORT. */
void dummy_set_observer(struct port *port,
                        void (*fn)(void *aux, struct port *port, const struct packet *packet),
                        void *aux);
bool port_is_dummy(const struct port *port);
