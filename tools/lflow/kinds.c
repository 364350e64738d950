/* kinds.c - the KINDs of weft-lflow that concern expressions; those of actions are in kinds_action.c. */
#include "tools/lflow/kinds.h"

#include <stdlib.h>

#include "expr/lexer.h"
#include "expr/norm.h"
#include "expr/parse.h"
#include "flow/key.h"
#include "net/addr.h"
#include "tools/lflow/context.h"
#include "tools/lflow/kinds_action.h"

void session_init(struct session *s)
{
    s->symtab = context_symtab();
    s->exprs = expr_pool_new(s->symtab);
    s->actions = action_pool_new(s->exprs);
}

void session_fini(struct session *s)
{
    action_pool_free(s->actions);
    expr_pool_free(s->exprs);
    symtab_free(s->symtab);
}

static void put_error(struct str *out, struct diag *diag)
{
    str_putf(out, "error: %s\n", diag_text(diag));
    diag_fini(diag);
}

static void put_expr(struct str *out, struct expr *e)
{
    str_put(out, "out: ");
    expr_print(e, EXPR_STYLE_CANONICAL, out);
    str_putc(out, '\n');
    expr_unref(e);
}

static void kind_tokens(struct session *s UNUSED, const char *line, struct str *out)
{
    struct lexer lx;
    lexer_init(&lx, line);
    str_put(out, "out:");
    for (; lx.token.type != LEX_END; lexer_get(&lx)) {
        str_putc(out, ' ');
        lex_token_print(&lx.token, out);
    }
    str_putc(out, '\n');
    lexer_fini(&lx);
}

static void kind_parse(struct session *s, const char *line, struct str *out)
{
    struct diag diag = DIAG_INIT;
    struct expr *e;
    if (expr_parse(s->exprs, line, &context_names, &e, &diag))
        put_error(out, &diag);
    else
        put_expr(out, e);
}

/* LINE parsed, expanded and annotated. */
static int annotated(struct session *s, const char *line, struct expr **ret, struct diag *diag)
{
    struct expr *e;
    int rc = expr_parse(s->exprs, line, &context_names, &e, diag);
    if (rc)
        return rc;
    struct expr *x = expr_expand(e, &context_world);
    expr_unref(e);
    rc = expr_annotate(x, ret, diag);
    expr_unref(x);
    return rc;
}

static void kind_annotate(struct session *s, const char *line, struct str *out)
{
    struct diag diag = DIAG_INIT;
    struct expr *e;
    if (annotated(s, line, &e, &diag))
        put_error(out, &diag);
    else
        put_expr(out, e);
}

static void kind_simplify(struct session *s, const char *line, struct str *out)
{
    struct diag diag = DIAG_INIT;
    struct expr *e;
    if (annotated(s, line, &e, &diag)) {
        put_error(out, &diag);
        return;
    }
    struct expr *simple = expr_simplify(e);
    expr_unref(e);
    put_expr(out, simple);
}

static void put_flows(const struct norm *norm, const char *prefix, struct str *out)
{
    for (size_t i = 0; i < norm->n; i++) {
        const struct norm_flow *f = &norm->flows[i];
        struct match match;
        match_init(&match);
        norm_flow_to_match(f, 0, &match);
        str_put(out, prefix);
        match_put(out, &match, -1, NULL);
        for (uint32_t j = 0; j < f->n_clauses; j++)
            str_putf(out, "%sconjunction(%u, %u/%u)", j ? ", " : ": ", f->clauses[j].conj,
                     f->clauses[j].clause, f->clauses[j].n_clauses);
        str_putc(out, '\n');
    }
    if (!norm->n)
        str_putf(out, "%s(no flows)\n", prefix);
}

static void kind_matches(struct session *s, const char *line, struct str *out)
{
    struct diag diag = DIAG_INIT;
    struct expr *e;
    struct norm norm;
    int rc = expr_parse(s->exprs, line, &context_names, &e, &diag);
    if (!rc) {
        rc = norm_from_expr(e, &context_world, &context_ports, 0, 0, &norm, &diag);
        expr_unref(e);
    }
    if (rc) {
        put_error(out, &diag);
        return;
    }
    put_flows(&norm, "out: ", out);
    norm_fini(&norm);
}

/* -- eval: a packet described by a conjunction. -- */

static u128 key_field(void *aux, const struct symbol *base)
{
    return base->field >= 0 ? key_get(aux, (enum field_id)base->field) : 0;
}

static bool key_port(void *aux UNUSED, const char *name, uint32_t *ret)
{
    return context_port(name, ret);
}

static bool key_resident(void *aux UNUSED, const char *port)
{
    return !strcmp(port, "eth1");
}

/* Puts into KEY what the equalities of E say. */
static void apply(const struct expr *e, struct flow_key *key)
{
    if (e->kind == EXPR_CMP && e->relop == EXPR_EQ && e->sym->field >= 0) {
        enum field_id id = (enum field_id)e->sym->field;
        key_set(key, id, (key_get(key, id) & ~e->mask) | e->value);
    }
    for (uint32_t i = 0; e->kind == EXPR_AND && i < e->n; i++)
        apply(e->sub[i], key);
}

static void kind_eval(struct session *s, const char *line, struct str *out)
{
    const char *tab = strchr(line, '\t');
    if (!tab) {
        str_put(out, "error: expecting PACKET, a tab, EXPRESSION\n");
        return;
    }
    struct diag diag = DIAG_INIT;
    struct expr *packet = NULL, *e = NULL;
    char *text = xstrndup(line, (size_t)(tab - line));
    int rc = annotated(s, text, &packet, &diag);
    if (!rc)
        rc = annotated(s, tab + 1, &e, &diag);
    if (rc) {
        put_error(out, &diag);
    } else {
        struct match match;
        match_init(&match);
        apply(packet, &match.key);
        struct expr_packet p = {&match.key, key_field, key_port, key_resident};
        str_putf(out, "out: %d\n", expr_eval(e, &p));
    }
    expr_unref(packet);
    expr_unref(e);
    free(text);
}

static void kind_fields(struct session *s, const char *line, struct str *out)
{
    const struct symbol *sym = symtab_find(s->symtab, line, strlen(line));
    if (!sym) {
        str_putf(out, "error: no symbol `%s'\n", line);
        return;
    }
    if (sym->expansion) {
        str_putf(out, "out: %s\n", sym->expansion);
        return;
    }
    const struct field *f = sym->field >= 0 ? field_get((enum field_id)sym->field) : NULL;
    const char *name = f ? f->nxm.name ? f->nxm.name : f->oxm.name : NULL;
    str_putf(out, "out: %s\n", name ? name : "(none)");
}

static void kind_masked_mac(struct session *s UNUSED, const char *line, struct str *out)
{
    struct mac mac, mask = mac_from_u64(0xffffffffffff);
    const char *slash = strchr(line, '/');
    char *text = slash ? xstrndup(line, (size_t)(slash - line)) : xstrdup(line);
    int64_t len;
    bool okay = !mac_parse(text, &mac);
    if (okay && slash) {
        if (!text_to_i64(slash + 1, 10, &len)) {
            okay = len >= 0 && len <= 48;
            mask =
                mac_from_u64(okay ? (uint64_t)(u128_ones(48) & ~u128_ones(48 - (unsigned)len)) : 0);
        } else {
            okay = !mac_parse(slash + 1, &mask);
        }
    }
    free(text);
    unsigned bits = u128_popcount(mac_to_u64(mask));
    bool is_prefix = mac_to_u64(mask) == (u128_ones(48) & ~u128_ones(48 - bits));
    if (!okay || !is_prefix) {
        str_put(out, "error: not an Ethernet address with an optional prefix mask\n");
        return;
    }
    str_put(out, "out: ");
    lex_value_print(out, LEX_MAC, mac_to_u64(mac));
    str_putc(out, '/');
    lex_value_print(out, LEX_MAC, mac_to_u64(mask));
    str_putc(out, ' ');
    lex_value_print(out, LEX_MAC, mac_to_u64(mac));
    str_putc(out, '/');
    str_putf(out, "%u\n", bits);
}

const struct kind kinds[] = {
    {"tokens", "the tokens of a text", kind_tokens},
    {"parse", "an expression in canonical spelling", kind_parse},
    {"canonical", "the same as parse", kind_parse},
    {"annotate", "with symbols replaced and prerequisites added", kind_annotate},
    {"expanded", "the same as annotate", kind_annotate},
    {"simplify", "with inequalities as masked equalities", kind_simplify},
    {"matches", "the flow matches that an expression becomes", kind_matches},
    {"eval", "PACKET, a tab, EXPRESSION: does the packet match", kind_eval},
    {"actions", "actions in canonical spelling, and their prerequisite", kind_actions},
    {"encodings", "the switch's instructions that actions become", kind_encodings},
    {"fields", "what a symbol stands for", kind_fields},
    {"masked-mac", "an Ethernet address with mask or prefix length", kind_masked_mac},
    {NULL, NULL, NULL},
};

/* -- explain -- */

static void explain_step(struct str *out, const char *title, const struct expr *e,
                         enum expr_style style)
{
    str_putf(out, "%s:\n  ", title);
    expr_print(e, style, out);
    str_putc(out, '\n');
}

int explain(struct session *s, const char *match, struct str *out)
{
    struct diag diag = DIAG_INIT;
    struct expr *e, *x, *a, *simple;
    struct norm norm;
    int rc = expr_parse(s->exprs, match, NULL, &e, &diag);
    if (rc) {
        if (diag.offset >= 0)
            str_putf(out, "%s\n%*s^\n", match, (int)MIN(diag.offset, 10000), "");
        str_putf(out, "%s\n", diag_text(&diag));
        diag_fini(&diag);
        return rc;
    }
    explain_step(out, "as written", e, EXPR_STYLE_TEXT);
    explain_step(out, "canonical", e, EXPR_STYLE_CANONICAL);
    x = expr_expand(e, &context_world);
    if (x != e)
        explain_step(out, "sets, groups and residence resolved", x, EXPR_STYLE_TEXT);
    rc = expr_annotate(x, &a, &diag);
    if (!rc) {
        explain_step(out, "with prerequisites", a, EXPR_STYLE_TEXT);
        simple = expr_simplify(a);
        if (simple != a)
            explain_step(out, "inequalities as masks", simple, EXPR_STYLE_CANONICAL);
        rc = norm_build(simple, &context_ports, NORM_MERGE, 0, &norm, &diag);
        expr_unref(simple);
        expr_unref(a);
    }
    expr_unref(x);
    expr_unref(e);
    if (rc) {
        str_putf(out, "%s\n", diag_text(&diag));
        diag_fini(&diag);
        return rc;
    }
    str_putf(out, "flows: %zu", norm.n);
    if (norm.n_conj)
        str_putf(out, ", conjunctions: %u", norm.n_conj);
    str_putc(out, '\n');
    put_flows(&norm, "  ", out);
    norm_fini(&norm);
    return 0;
}
