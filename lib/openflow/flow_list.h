/* flow_list.h - the flows of a switch, asked for once, by their cookies: for tools that tell what a logical flow has become.
 *
 * A controller's cookies are the first 32 bits of the uuid of the row that a flow comes from.
 */
#pragma once

#include "base/diag.h"
#include "base/str.h"

struct flow_list;
struct tls_config;

/* Connects to TARGET (a bridge's name, a socket's path, or a target), waits for all its flows, at most 10 seconds for each part, and
 * disconnects. TLS is for ssl: (NULL: none). STATS: their texts will have counters, ages and priorities; else they are table, match and actions. *RET is NULL after
 * an error: ERR_NOT_FOUND, ERR_IO, ERR_TIMEOUT, or what the answer was malformed by; with a sentence in DIAG. */
int flow_list_fetch(const char *target, struct tls_config *tls, bool stats, struct flow_list **ret,
                    struct diag *diag) MUST_CHECK;
void flow_list_free(struct flow_list *list); /* NULL is allowed */
/* Appends a line each, INDENT in front, for the flows with COOKIE, by table and then priority, the highest first. */
void flow_list_put(const struct flow_list *list, uint32_t cookie, const char *indent,
                   struct str *out);
