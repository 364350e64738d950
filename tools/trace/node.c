/* node.c - the tree of what happened, detailed, in summary, and as little as explains it. */
#include <stdlib.h>
#include <string.h>

#include "tools/trace/trace.h"

struct node *node_add(struct node *parent, enum node_kind kind, char *text)
{
    struct node *node = NEW(struct node);
    node->kind = kind;
    node->text = text;
    if (parent)
        vec_push(&parent->children, node);
    return node;
}

void node_free(struct node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->children.n; i++)
        node_free(node->children.data[i]);
    vec_fini(&node->children);
    free(node->text);
    free(node);
}

static void put_line(struct str *out, unsigned level, const char *text, const char *end)
{
    str_putf(out, "%*s%s%s\n", (int)level, "", text, end);
}

/* ---- detailed ---- */

static void put_title(struct str *out, unsigned level, const char *text)
{
    str_putc(out, '\n');
    put_line(out, level, text, "");
    str_putf(out, "%*s", (int)level, "");
    for (const char *p = text; *p; p++)
        str_putc(out, '-');
    str_putc(out, '\n');
}

static void put_detailed(const struct node *node, unsigned level, bool is_member, struct str *out)
{
    enum { STEP = 4 };
    unsigned inner = level;
    switch (node->kind) {
    case NODE_PIPELINE:
    case NODE_MULTICAST:
    case NODE_TRANSFORM:
        put_title(out, level, node->text);
        inner = level + (is_member || node->kind == NODE_MULTICAST ? STEP : 0);
        break;
    case NODE_TABLE:
        put_line(out, level, node->text, "");
        break;
    case NODE_ACTION:
    case NODE_JUMP:
    case NODE_END:
    case NODE_LOG:
    case NODE_FLOWS:
    case NODE_COMMENT:
        put_line(out, level + STEP, node->text, "");
        break;
    case NODE_OUTPUT:
    case NODE_MODIFY:
        return;
    }
    for (size_t i = 0; i < node->children.n; i++) {
        const struct node *child = node->children.data[i];
        bool member = node->kind == NODE_MULTICAST;
        /* The last of a group is not set off when it is where the packet came from. */
        bool set_off = !member || i + 1 < node->children.n || child->children.n != 1 ||
                       child->children.data[0]->kind != NODE_END;
        /* What goes on behind it is told apart from what it holds by the indentation. */
        bool goes_on = child->kind == NODE_TRANSFORM && i + 1 < node->children.n;
        put_detailed(child, (set_off ? inner : level) + (goes_on ? STEP : 0),
                     (member && set_off) || goes_on, out);
    }
}

/* ---- summary and minimal ---- */

static void put_nested(const struct node *node, enum node_form form, unsigned level,
                       struct str *out)
{
    enum { STEP = 4 };
    bool minimal = form == FORM_MINIMAL;
    bool braces = node->kind == NODE_TRANSFORM ||
                  (!minimal && (node->kind == NODE_PIPELINE || node->kind == NODE_MULTICAST));
    bool shown =
        minimal ? node->kind == NODE_MODIFY || node->kind == NODE_OUTPUT
                : node->kind == NODE_ACTION || node->kind == NODE_END || node->kind == NODE_COMMENT;
    shown = shown || node->kind == NODE_LOG || (!minimal && node->kind == NODE_FLOWS);
    bool ended = node->kind == NODE_COMMENT || node->kind == NODE_LOG ||
                 text_ends_with(node->text, ";") || text_starts_with(node->text, "cookie=");
    if (shown)
        put_line(out, level, node->text, ended ? "" : ";");
    size_t title = out->n;
    if (braces)
        put_line(out, level, node->text, " {");
    size_t before = out->n;
    for (size_t i = 0; i < node->children.n; i++)
        put_nested(node->children.data[i], form, level + (braces ? STEP : 0), out);
    if (braces && out->n > before) {
        put_line(out, level, "};", "");
    } else if (braces) { /* nothing in them */
        str_truncate(out, title);
        put_line(out, level, node->text, ";");
    }
}

void node_print(const struct node *root, enum node_form form, struct str *out)
{
    for (size_t i = 0; i < root->children.n; i++)
        if (form == FORM_DETAILED)
            put_detailed(root->children.data[i], 0, false, out);
        else
            put_nested(root->children.data[i], form, 0, out);
}
