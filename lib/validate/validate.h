/* validate.h - are the rows of a northbound database well-formed, and do they make sense together?
 *
 * Two questions, kept apart. What is malformed (a match that does not parse, an address that is
 * none, addresses of two versions where one is meant) can never work: northd, where it hosts the
 * database, refuses a transaction that writes it. What refers to a name that is not there (yet), or
 * is hidden by another rule, may be somebody's order of doing things: it is accepted, and told by
 * "weft-nbctl check" and in northd's log.
 *
 * Only what a transaction changes is judged: an element that the row held before, or a row that
 * nobody touches, is never an error, so that a database which somebody else filled can be served.
 *
 * checks.def and keys.def say which columns are judged how; value.c and key.c have the forms of values, row.c what must fit
 * together within a row, names.c what refers to what, shadow.c rules that never apply, twice.c what two rows of one owner have, way.c routes to nowhere, given.c ports without the address they ask for, lists.c
 * (see lists.h) of which owners.
 */
#pragma once

#include "base/diag.h"
#include "schema/row.h"

struct validate;

/* SCHEMA: of the rows; columns that it lacks are not judged. Borrowed. */
struct validate *validate_new(const struct schema *schema);
void validate_free(struct validate *v); /* NULL is allowed */

/* Judges what AFTER has that BEFORE (NULL: a new row) had not. 0, or ERR_INVALID with a sentence in
 * DIAG that names the table, the row, the column, the position in its text and what was expected. */
int validate_row(struct validate *v, const struct row *before, const struct row *after,
                 struct diag *diag) MUST_CHECK;

/* ---- names ---- */

/* Is there a row of TABLE that is called NAME? */
struct validate_names {
    void *aux;
    bool (*exists)(void *aux, const char *table, const char *name);
};
/* Calls REPORT with a sentence for each name in AFTER that nobody has, of columns that are not as in
 * BEFORE (NULL: of all). */
void validate_row_names(struct validate *v, const struct row *before, const struct row *after,
                        const struct validate_names *names,
                        void (*report)(void *aux, const char *sentence), void *aux);

/* Is TEXT a type that column "type" of Logical_Switch_Port knows? */
bool validate_is_port_type(const char *text);

/* ---- rules that never apply ---- */

/* ROWS are all ACLs, QoS rules or policies of one owner, IS_NEW says which to judge. Calls REPORT for
 * each whose match can never be true, and each that another of the same direction (tier, chain) and a
 * higher priority hides, whose match holds wherever its own does, or an equal priority doubles, if one
 * of both is new. */
void validate_rules(struct validate *v, const struct row *const *rows, const bool *is_new, size_t n,
                    void (*report)(void *aux, const char *sentence), void *aux);
