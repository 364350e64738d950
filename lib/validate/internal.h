/* internal.h - what the files of lib/validate share. */
#pragma once

#include "base/hmap.h"
#include "expr/expr.h"
#include "net/addr.h"
#include "validate/validate.h"

struct validate {
    const struct schema *schema;
    struct symtab *symtab;
    struct expr_pool *pool;
};

/* Each judges one text: 0, or ERR_INVALID with what is wrong and what was expected, and with the
 * position where there is one. */
typedef int validate_form(struct validate *v, const char *text, struct diag *diag);
#define CHECK(TABLE, COLUMN, FORM) validate_form validate_##FORM;
#include "validate/checks.def"
#undef CHECK
#define KEY(TABLE, COLUMN, KEY, FORM) validate_form validate_##FORM;
#include "validate/keys.def"
#undef KEY

validate_form validate_address4, validate_addresses;

/* "IP", "IP:PORT", "[IP]:PORT": *port is 0 when there is none. */
bool validate_parse_endpoint(const char *text, struct ip_addr *ip, int64_t *port);
/* What fits together within a row. Sets *column to the one to name. */
int validate_combinations(struct validate *v, const struct row *before, const struct row *after,
                          const char **column, struct diag *diag);
/* dhcp.c: the options of a DHCP_Options row that BEFORE (NULL: a new row) had not; DIAG begins with the option's name. */
int validate_dhcp_options(struct validate *v, const struct row *before, const struct row *after,
                          struct diag *diag);
/* Calls UNKNOWN for those that no client is told of, for nobody knows their code. */
void validate_dhcp_names(const struct row *before, const struct row *row,
                         void (*unknown)(void *aux, const char *name), void *aux);
/* A match in the form that decides: annotated and simplified; NULL: malformed. Owned by the caller. */
struct expr *validate_normal_match(struct validate *v, const char *text);

/* The value of a column by name; NULL: the schema has none. */
const struct datum *validate_value(const struct row *row, const char *column);
/* Its first string, or "". */
const char *validate_text(const struct row *row, const char *column);
int64_t validate_integer(const struct row *row, const char *column);
