/* shadow.c - rules that never apply: their match is never true, or another rule comes before wherever it is. Matches that are equal in their
 * normal form are the same node, which finds them in lists of any length; that one holds wherever another does is asked of their cubes,
 * each with each, so only in lists that are not very long, and a limited number of times. One rule is enough to hide another; what several
 * hide together is not told.
 *
 * Which actions two rules have does not matter, as the first that matches decides, also one that passes on to the next tier; where they act
 * does: rules of a switch after load balancing come in a later stage, QoS rules mark in one and limit in another, and stateless ACLs
 * keep out of tracking even what another allows.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hmap.h"
#include "base/str.h"
#include "expr/norm_cover.h"
#include "validate/internal.h"

enum {
    MAX_CUBES = 1000,    /* of a match */
    MAX_COVERED = 2000,  /* rules of a list that are compared by their cubes */
    MAX_LOOKS = 2000000, /* comparisons of two cubes, in all */
};

enum does { DECIDES = 1, UNTRACKS = 2, MARKS = 4, LIMITS = 8 };

struct rule {
    const struct row *row;
    bool is_new, is_told;
    struct expr *match; /* NULL: malformed */
    struct norm cubes;  /* none: sets or groups, or it costs much; then it is compared as a whole */
    const char *group;  /* rules of different groups have nothing to do with each other */
    int64_t tier, priority;
    bool is_late; /* after load balancing */
    unsigned does;
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

/* Each name of a port has its number. */
struct name {
    struct hnode node;
    const char *text; /* borrowed */
    uint32_t number;
};

static bool number_of(void *names, const struct symbol *sym UNUSED, const char *text, uint32_t *ret)
{
    struct hmap *map = names;
    struct name *name;
    uint64_t hash = hash_text(text);
    HMAP_FOR_EACH_WITH_HASH (name, node, hash, map)
        if (!strcmp(name->text, text)) {
            *ret = name->number;
            return true;
        }
    name = NEW(struct name);
    *name = (struct name){.text = text, .number = *ret = (uint32_t)map->n + 1};
    hmap_insert(map, &name->node, hash);
    return true;
}

static void free_names(struct hmap *names)
{
    struct name *name;
    HMAP_FOR_EACH_SAFE (name, node, names)
        free(name);
    hmap_fini(names);
}

/* What holds sets or groups, or costs much, has no cubes. */
static void find_cubes(struct rule *r, struct hmap *names)
{
    const struct norm_ports ports = {names, number_of};
    if (!r->match || r->match->n_refs_text ||
        norm_build(r->match, &ports, NORM_NO_CONJ, MAX_CUBES, &r->cubes, NULL))
        r->cubes = (struct norm){0};
}

static bool is_impossible(const struct rule *r)
{
    return r->cubes.arena && !r->cubes.n;
}

/* ---- what a rule does ---- */

static int64_t number_at(const struct row *row, const char *column, const char *key)
{
    const struct datum *map = validate_value(row, column);
    for (size_t i = 0; map && i < map->n; i++)
        if (!strcmp(map->atoms[i].string->s, key))
            return datum_values(map)[i].integer;
    return -1;
}

static unsigned does(const struct row *row)
{
    if (!strcmp(row->table->name, "QoS")) {
        int64_t dscp = number_at(row, "action", "dscp");
        bool marks = (dscp >= 0 && dscp < 64) || number_at(row, "action", "mark") >= 0;
        return (marks ? MARKS : 0) | (number_at(row, "bandwidth", "rate") >= 0 ? LIMITS : 0);
    }
    const char *action = validate_text(row, "action");
    return !strcmp(action, "jump")              ? 0 /* to a chain: northd does not act on it */
           : !strcmp(action, "allow-stateless") ? DECIDES | UNTRACKS
                                                : DECIDES;
}

static bool is_late(const struct row *row)
{
    const struct datum *options = validate_value(row, "options");
    const char *text = options && !strcmp(row->table->name, "ACL")
                           ? datum_map_text(options, "apply-after-lb")
                           : NULL;
    return text && !strcmp(text, "true") && !strcmp(validate_text(row, "direction"), "from-lport");
}

/* ---- who comes before whom ---- */

/* Of those that a packet passes one after the other. */
static int compare_lists(const struct rule *a, const struct rule *b)
{
    int c = strcmp(a->group, b->group);
    if (c || a->is_late != b->is_late)
        return c ? c : a->is_late - b->is_late;
    return a->tier == b->tier ? 0 : a->tier < b->tier ? -1 : 1;
}

static int compare_order(const void *a_, const void *b_)
{
    const struct rule *a = a_, *b = b_;
    int c = compare_lists(a, b);
    if (c)
        return c;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    return uuid_compare(&a->row->uuid, &b->row->uuid);
}

static int compare_matches(const void *a_, const void *b_)
{
    const struct rule *a = a_, *b = b_;
    if (a->match != b->match)
        return (uintptr_t)a->match < (uintptr_t)b->match ? -1 : 1;
    return compare_order(a, b);
}

/* All that R does A does, too. */
static bool is_instead(const struct rule *a, const struct rule *r)
{
    return r->does && !(r->does & ~a->does);
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

typedef void report_fn(void *aux, const char *sentence);

static void tell_impossible(struct rule *rules, size_t n, report_fn *report, void *aux)
{
    for (size_t i = 0; i < n; i++)
        if (is_impossible(&rules[i])) {
            rules[i].is_told = true;
            if (rules[i].is_new)
                tell(&rules[i], NULL, "no packet can match", report, aux);
        }
}

static void tell_equal(struct rule *rules, size_t n, report_fn *report, void *aux)
{
    const struct rule *first = NULL;
    qsort(rules, n, sizeof *rules, compare_matches);
    for (size_t i = 0; i < n; i++) {
        struct rule *r = &rules[i];
        if (r->is_told || !r->match)
            continue;
        if (!first || r->match != first->match || compare_lists(r, first)) {
            first = r;
        } else if (is_instead(first, r)) {
            r->is_told = true;
            if (r->is_new || first->is_new)
                tell(r, first, r->priority == first->priority ? "says the same as" : "is hidden by",
                     report, aux);
        }
    }
}

static void tell_covered(struct rule *rules, size_t n, report_fn *report, void *aux)
{
    size_t looks = MAX_LOOKS, begin = 0; /* of the list */
    qsort(rules, n, sizeof *rules, compare_order);
    for (size_t i = 0; i < n && looks; i++) {
        struct rule *r = &rules[i];
        if (compare_lists(r, &rules[begin]))
            begin = i;
        for (size_t j = begin; j < i && !r->is_told && r->cubes.n; j++) {
            const struct rule *a = &rules[j];
            r->is_told = a->priority > r->priority && (a->is_new || r->is_new) &&
                         is_instead(a, r) && norm_covers(&a->cubes, &r->cubes, &looks);
            if (r->is_told)
                tell(r, a, "is hidden by", report, aux);
        }
    }
}

void validate_rules(struct validate *v, const struct row *const *rows, const bool *is_new, size_t n,
                    report_fn *report, void *aux)
{
    struct rule *rules = xcalloc(n + 1, sizeof *rules);
    struct hmap names = HMAP_INIT;
    for (size_t i = 0; i < n; i++) {
        const char *direction = validate_text(rows[i], "direction");
        struct rule *r = &rules[i];
        *r = (struct rule){
            .row = rows[i],
            .is_new = is_new[i],
            .match = validate_normal_match(v, validate_text(rows[i], "match")),
            .group = *direction ? direction : validate_text(rows[i], "chain"),
            .tier = validate_integer(rows[i], "tier"),
            .priority = validate_integer(rows[i], "priority"),
            .is_late = is_late(rows[i]),
            .does = does(rows[i]),
        };
        if (r->is_new || n <= MAX_COVERED)
            find_cubes(r, &names);
    }
    tell_impossible(rules, n, report, aux);
    tell_equal(rules, n, report, aux);
    if (n <= MAX_COVERED)
        tell_covered(rules, n, report, aux);
    for (size_t i = 0; i < n; i++) {
        norm_fini(&rules[i].cubes);
        expr_unref(rules[i].match);
    }
    free_names(&names);
    free(rules);
}
