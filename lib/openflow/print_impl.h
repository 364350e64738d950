/* print_impl.h - what print.c, print_stats.c and print_state.c share. */
#pragma once

#include "openflow/print.h"

/* Names of the bits that are set, numbers for those without a name; "0" for none. */
void print_bits(struct str *s, uint32_t bits, const char *const *names, size_t n, char separator);
/* The body of a multipart or tunnel-option reply. 0, or the OF_ERROR of decoding. */
int print_stats(struct str *s, const struct of_msg *msg, const struct port_names *ports,
                const struct table_names *tables, int verbosity);
/* What tables do and who controls: the rest. */
int print_state(struct str *s, const struct of_msg *msg);
/* Requests and instructions. */
int print_request(struct str *s, const struct of_msg *msg, int verbosity,
                  const struct port_names *ports, const struct table_names *tables);
