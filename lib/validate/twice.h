/* twice.h - what rows of one owner should not have in common; see struct validate_list. */
#pragma once

#include "schema/row.h"

#define TWICE(WHAT)                                                                                \
    void twice_##WHAT(const struct row *const *rows, const bool *is_new, size_t n,                 \
                      void (*report)(void *aux, const char *sentence), void *aux)
TWICE(addresses); /* Logical_Switch_Port: a MAC, or an IP address */
TWICE(
    networks); /* Logical_Router_Port: networks that overlap; each link has its own link-local ones */
TWICE(routes); /* Logical_Router_Static_Route: all that tells two apart */
TWICE(nats);   /* NAT: of one type, what is translated */
TWICE(vips);   /* Load_Balancer: a virtual address, port and protocol */
