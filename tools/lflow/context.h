/* context.h - the small world in which weft-lflow answers: example ports, address sets and port groups.
 *
 * A language of names needs names. These are the ones that the project's vectors use, and they serve a person who tries
 * the language as well: ports eth0 5, eth1 6, lsp1 0x11, lsp2 0x12, lsp3 0x13, LOCAL 0xfffe; $set1 (IPv4), $set2 (IPv6),
 * $set3 (Ethernet), $set4 (empty); @pg1 (lsp1, lsp2, lsp3), @pg_empty; eth1 is bound here.
 */
#pragma once

#include "expr/expr.h"
#include "expr/norm.h"

/* The language's symbols and those for testing errors: bad_prereq, self_recurse, mutual_recurse_1 and 2, big_string. */
struct symtab *context_symtab(void);
extern const struct expr_names context_names;
extern const struct expr_world context_world;
extern const struct norm_ports context_ports;
bool context_port(const char *name, uint32_t *ret);
