/* shadow.c - rules that never apply: their match is never true, or another rule with the same match
 * comes before. Matches are compared in their normal form, where equal ones are the same node. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "expr/norm.h"
#include "validate/internal.h"

struct rule {
    const struct row *row;
    bool is_new;
    struct expr *match; /* NULL: malformed */
    const char *group;  /* rules of different groups have nothing to do with each other */
    int64_t tier, priority;
};

struct expr *validate_normal_match(struct validate *v, const char *text)
{
    struct expr *e, *annotated, *simple = NULL;
    if (expr_parse(v->pool, text, NULL, &e, NULL))
        return NULL;
    /* Sets and groups may change: what holds them is compared as it is written. */
    if (e->n_refs_text)
        return e;
    if (!expr_annotate(e, &annotated, NULL)) {
        simple = expr_simplify(annotated);
        expr_unref(annotated);
    }
    expr_unref(e);
    return simple;
}

/* Every port is somewhere. */
static bool any_port(void *aux, const struct symbol *sym UNUSED, const char *name, uint32_t *ret)
{
    (void)aux;
    *ret = (uint32_t)hash_text(name) | 1;
    return true;
}

/* Does it leave no flow? What holds sets or groups, or costs much, is not asked. */
static bool is_impossible(const struct expr *match)
{
    enum { MAX_FLOWS = 1000 };
    const struct norm_ports ports = {NULL, any_port};
    struct norm norm;
    if (match->n_refs_text || norm_build(match, &ports, 0, MAX_FLOWS, &norm, NULL))
        return false;
    bool impossible = !norm.n && !norm.is_true;
    norm_fini(&norm);
    return impossible;
}

static int compare_rules(const void *a_, const void *b_)
{
    const struct rule *a = a_, *b = b_;
    if (a->match != b->match)
        return (uintptr_t)a->match < (uintptr_t)b->match ? -1 : 1;
    int c = strcmp(a->group, b->group);
    if (c)
        return c;
    if (a->tier != b->tier)
        return a->tier < b->tier ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    return uuid_compare(&a->row->uuid, &b->row->uuid);
}

static void tell(const struct rule *rule, const struct rule *other, const char *format,
                 void (*report)(void *aux, const char *sentence), void *aux)
{
    char uuid[UUID_TEXT_LEN + 1], second[UUID_TEXT_LEN + 1];
    struct str text = STR_INIT;
    str_putf(&text, "table %s, row %s, priority %lld, match \"%s\": %s", rule->row->table->name,
             uuid_print(&rule->row->uuid, uuid), (long long)rule->priority,
             validate_text(rule->row, "match"), format);
    if (other)
        str_putf(&text, " row %s (priority %lld, match \"%s\")",
                 uuid_print(&other->row->uuid, second), (long long)other->priority,
                 validate_text(other->row, "match"));
    report(aux, str_c(&text));
    str_fini(&text);
}

static bool is_beside(const struct rule *a, const struct rule *b)
{
    return a->match && a->match == b->match && !strcmp(a->group, b->group) && a->tier == b->tier;
}

void validate_rules(struct validate *v, const struct row *const *rows, const bool *is_new, size_t n,
                    void (*report)(void *aux, const char *sentence), void *aux)
{
    struct rule *rules = xcalloc(n + 1, sizeof *rules);
    for (size_t i = 0; i < n; i++) {
        const char *direction = validate_text(rows[i], "direction");
        rules[i] = (struct rule){
            .row = rows[i],
            .is_new = is_new[i],
            .match = validate_normal_match(v, validate_text(rows[i], "match")),
            .group = *direction ? direction : validate_text(rows[i], "chain"),
            .tier = validate_integer(rows[i], "tier"),
            .priority = validate_integer(rows[i], "priority"),
        };
    }
    qsort(rules, n, sizeof *rules, compare_rules);
    const struct rule *first = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct rule *r = &rules[i];
        if (r->is_new && r->match && is_impossible(r->match))
            tell(r, NULL, "no packet can match", report, aux);
        else if (!first || !is_beside(r, first))
            first = r;
        else if (r->is_new || first->is_new)
            tell(r, first, r->priority == first->priority ? "says the same as" : "is hidden by",
                 report, aux);
    }
    for (size_t i = 0; i < n; i++)
        expr_unref(rules[i].match);
    free(rules);
}
