/* lists.h - does what one owner has get in its own way? The ports of a switch, the rules, routes, NATs, load balancers of a switch or
 * router: rules that never apply, routes to nowhere, and what should be there once.
 *
 * "weft-nbctl check" asks it of all owners, northd of what a transaction changes; lists.c says what is told of which list.
 */
#pragma once

#include "validate/validate.h"

struct validate_list_world {
    void *aux;
    const struct row *(*find)(void *aux, const struct schema_table *table, const struct uuid *uuid);
    /* Has this child changed? Asked only of what BEFORE of validate_list had already. */
    bool (*is_changed)(void *aux, const struct row *row);
    void (*report)(void *aux, const char *sentence);
};

/* Tells what is wrong with those of ROWS, children of OWNER, that are new. */
typedef void validate_judge_list(struct validate *v, const struct row *owner,
                                 const struct row *const *rows, const bool *is_new, size_t n,
                                 const struct validate_list_world *world);

/* Column COLUMN of table OWNER refers to rows of CHILD. */
struct validate_list {
    const char *owner, *column, *child;
    const char *columns[8]; /* of the child: what decides */
    /* Tells what ROWS have in common, where one of the two is new. */
    void (*tell)(const struct row *const *rows, const bool *is_new, size_t n,
                 void (*report)(void *aux, const char *sentence), void *aux);
    validate_judge_list *judge; /* neither: they are rules */
    bool at_rest; /* asked only where no transaction is under way, as northd answers later */
};
extern const struct validate_list validate_lists[];
extern const size_t validate_n_lists;

/* Nothing that decides differs between two versions of a child. */
bool validate_list_same(const struct validate_list *list, const struct row *before,
                        const struct row *after);

/* Calls REPORT for what is wrong with LIST of OWNER on account of what has changed in it since BEFORE (NULL: of all of it). Takes time
 * in proportion to the list. */
void validate_list(struct validate *v, const struct validate_list *list, const struct row *before,
                   const struct row *owner, const struct validate_list_world *world);
