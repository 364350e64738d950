/* xlate_note.c - the notebook of a translation: what ofproto/trace shows of it, laid out as ovs-vswitchd lays out its own.
 *
 * A flow and its actions stand one level apart. The last action of a list goes on where the list stands, so that a chain of tables
 * reads as a column; what an earlier action leads to is set off by two levels. Nothing is done without a notebook. */
#include <stdarg.h>

#include "flow/rewrite.h"
#include "openflow/text.h"
#include "switchd/xlate_ctx.h"

static void indent(struct xctx *x, unsigned levels)
{
    for (unsigned i = 0; i < levels; i++)
        str_put(x->in->notes, "    ");
}

void xctx_note(struct xctx *x, const char *format, ...)
{
    if (!x->in->notes)
        return;
    indent(x, x->page.level);
    va_list args;
    va_start(args, format);
    str_vputf(x->in->notes, format, args);
    va_end(args);
    str_putc(x->in->notes, '\n');
}

static const struct port_names *shown_names(const struct xctx *x, struct bridge_port_names *names)
{
    bridge_names(x->br, names);
    return x->in->names ? &names->names : NULL;
}

void note_lookup(struct xctx *x, const struct rule *rule)
{
    if (!x->in->notes)
        return;
    struct str s = STR_INIT;
    struct bridge_port_names names;
    if (rule) {
        struct match match;
        cls_rule_match(&rule->cls, &match);
        match_put(&s, &match, -1, shown_names(x, &names));
        str_putf(&s, "%spriority %d", s.n ? ", " : "", rule->cls.priority);
        if (rule->cookie)
            str_putf(&s, ", cookie 0x%llx", (unsigned long long)rule->cookie);
    } else {
        str_put(&s, "No match.");
    }
    indent(x, x->page.level - x->page.below);
    str_putf(x->in->notes, "%2u. %s\n", x->table_id, str_c(&s));
    x->page.below = 0;
    if (!rule && !x->br->miss_to_controller)
        xctx_note(x, "    drop");
    str_fini(&s);
}

void note_action(struct xctx *x, const struct of_action *a, const void *end)
{
    if (!x->in->notes)
        return;
    x->page.last = x->page.list_last && (const uint8_t *)a + a->len == end;
    struct bridge_port_names names;
    struct str s = STR_INIT;
    of_actions_put(&s, a, a->len, shown_names(x, &names));
    xctx_note(x, "    %s", str_c(&s));
    str_fini(&s);
}

struct xpage note_table(struct xctx *x)
{
    struct xpage outer = x->page;
    if (!x->page.last ||
        (!x->page.level && !xlate_set_is_empty(&x->action_set))) { /* the action set follows */
        x->page.level += 2;
        x->page.below = 1;
    }
    x->page.list_last = true;
    return outer;
}

struct xpage note_bucket(struct xctx *x, const struct of_bucket *bucket)
{
    struct xpage outer = x->page;
    xctx_note(x, "    bucket %u", bucket->id);
    x->page.level += 2;
    x->page.list_last = true;
    return outer;
}

struct xpage note_inner(struct xctx *x)
{
    struct xpage outer = x->page;
    x->page.list_last = x->page.last;
    return outer;
}

struct xpage note_bridge(struct xctx *x)
{
    struct xpage outer = x->page;
    if (!x->in->notes)
        return outer;
    struct str title = STR_INIT;
    unsigned level = x->page.last ? x->page.level : x->page.level + 1;
    str_putf(&title, "bridge(\"%s\")", x->br->name);
    if (x->depth) { /* not the first one */
        str_putc(x->in->notes, '\n');
        indent(x, level);
    }
    str_putf(x->in->notes, "%s\n", str_c(&title));
    if (x->depth)
        indent(x, level);
    for (size_t i = 0; i < title.n; i++)
        str_putc(x->in->notes, '-');
    str_putc(x->in->notes, '\n');
    str_fini(&title);
    if (x->depth && !x->page.last)
        x->page.level += 2;
    x->page.list_last = x->page.last = true;
    return outer;
}

void note_value(struct xctx *x, const struct subfield *sub)
{
    if (!x->in->notes)
        return;
    const struct field *field = field_get(sub->id);
    struct str s = STR_INIT;
    subfield_put(&s, sub);
    str_put(&s, " is now ");
    struct tun_value wide;
    if (FIELD_IS_TUN_METADATA(sub->id)) {
        key_get_tun(&x->key, &x->opts, sub->id, &wide);
        struct tun_value bits = {{0}};
        tun_value_place(&bits, 0, &wide, sub->ofs, sub->n_bits);
        tun_value_put(&s, &bits, NULL);
        xctx_note(x, "     -> %s", str_c(&s));
        str_fini(&s);
        return;
    }
    u128 value = key_get_bits(&x->key, sub);
    if (sub->n_bits == field->n_bits && field->format != FORMAT_DECIMAL)
        field_put(&s, field, value, u128_ones(field->n_bits), NULL);
    else
        field_put(&s, field_get(FIELD_XXREG0), value, u128_ones(128), NULL);
    xctx_note(x, "     -> %s", str_c(&s));
    str_fini(&s);
}

void note_action_set(struct xctx *x, const char *verb)
{
    if (!x->in->notes)
        return;
    struct str s = STR_INIT;
    struct of_actions ordered = OF_ACTIONS_INIT;
    xlate_order_set(&x->action_set, &ordered);
    if (ordered.n)
        of_actions_put(&s, ordered.data, ordered.n, NULL);
    of_actions_fini(&ordered);
    xctx_note(x, "     -> action set %s%s%s", verb, s.n ? ": " : " ", s.n ? str_c(&s) : "empty");
    str_fini(&s);
}

void note_learned(struct xctx *x, const struct of_flow_mod *fm)
{
    if (!x->in->notes)
        return;
    if (!x->in->may_learn) {
        xctx_note(x, "     >> suppressing side effects, so learn action ignored");
        return;
    }
    struct str s = STR_INIT;
    str_putf(&s, "table=%u ", fm->table_id);
    match_put(&s, &fm->match, -1, NULL);
    str_putf(&s, " priority=%d", fm->priority);
    if (fm->idle_timeout)
        str_putf(&s, " idle=%u", fm->idle_timeout);
    if (fm->hard_timeout)
        str_putf(&s, " hard=%u", fm->hard_timeout);
    if (fm->cookie)
        str_putf(&s, " cookie=0x%llx", (unsigned long long)fm->cookie);
    str_put(&s, " actions=");
    of_actions_put(&s, fm->actions.data, fm->actions.n, NULL);
    xctx_note(x, "     -> %s", str_c(&s));
    str_fini(&s);
}
