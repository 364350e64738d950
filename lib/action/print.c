/* print.c - actions to text: the only place where they become text; see action.h.
 *
 * Most actions print by their shape. The operands of FUNC and RESULT actions are separated by ", "; an OPERAND_OPTION prints
 * as its name and the sign that its action uses between name and value; the rest is in the table of separators below.
 */
#include "action/action.h"
#include "action/ops.h"
#include "expr/lexer.h"
#include "expr/parse.h"

static enum lex_format lex_format_of(enum const_format f)
{
    static const enum lex_format table[] = {
        [CONST_DECIMAL] = LEX_DECIMAL, [CONST_HEX] = LEX_HEX, [CONST_IP4] = LEX_IP4,
        [CONST_IP6] = LEX_IP6,         [CONST_MAC] = LEX_MAC,
    };
    return table[f];
}

static void print_sequence(const struct actions *as, struct str *out);

static void print_braces(const struct actions *as, struct str *out)
{
    str_put(out, "{ ");
    print_sequence(as, out);
    str_put(out, " }");
}

static void print_operand(const struct operand *o, struct str *out)
{
    switch (o->kind) {
    case OPERAND_FIELD:
        sym_bits_print(o->field, out);
        break;
    case OPERAND_VALUE:
        if (o->is_masked && o->format == CONST_HEX && !o->value) {
            str_put(out, "0x0/"); /* peers want value and mask in one format */
            str_put(out, o->mask ? "" : "0x0");
            if (o->mask)
                lex_hex_print(out, o->mask);
        } else if (o->is_masked)
            lex_masked_print(out, lex_format_of(o->format), o->value, o->mask);
        else
            lex_value_print(out, lex_format_of(o->format), o->value);
        break;
    case OPERAND_STRING:
        lex_string_print(out, o->text->s, o->text->n);
        break;
    case OPERAND_WORD:
    case OPERAND_OPTION:
        str_put(out, o->text->s);
        break;
    case OPERAND_ACTIONS:
        print_braces(o->actions, out);
        break;
    }
}

/* Operands FROM.. as a list: options with their values, the others one by one. */
static void print_list(const struct action *a, uint32_t from, struct str *out)
{
    const struct op_detail *info = op_detail(a->op);
    for (uint32_t i = from; i < a->n;) {
        if (i > from)
            str_put(out, info->separator);
        const struct operand *o = &a->operand[i++];
        print_operand(o, out);
        if (o->kind != OPERAND_OPTION)
            continue;
        uint32_t n = 0;
        while (i + n < a->n && a->operand[i + n].kind != OPERAND_OPTION)
            n++;
        if (!n)
            continue;
        str_put(out, info->assign);
        bool braces = n > 1 && info->braces;
        if (braces)
            str_putc(out, '{');
        for (uint32_t j = 0; j < n; j++) {
            if (j)
                str_put(out, info->list_separator);
            print_operand(&a->operand[i + j], out);
        }
        if (braces)
            str_putc(out, '}');
        i += n;
    }
}

/* dst = select(id=weight, ...) or dst = select(values=(id=weight, ...); hash_fields="..."). */
static void print_select(const struct action *a, struct str *out)
{
    uint32_t n = 1;
    while (n < a->n && a->operand[n].kind == OPERAND_VALUE)
        n++;
    print_operand(&a->operand[0], out);
    str_put(out, n < a->n ? " = select(values=(" : " = select(");
    for (uint32_t i = 1; i < n; i++)
        str_putf(out, "%s%u=%u", i > 1 ? ", " : "", (unsigned)a->operand[i].value,
                 (unsigned)a->operand[i].mask);
    if (n < a->n) {
        str_put(out, "); ");
        print_list(a, n, out);
    }
    str_putc(out, ')');
}

static void print_next(const struct action *a, struct str *out)
{
    str_put(out, "next");
    if (a->n == 2)
        str_putf(out, "(pipeline=%s, table=%u)", a->operand[1].text->s,
                 (unsigned)a->operand[0].value);
    else if (a->n == 1)
        str_putf(out, "(%u)", (unsigned)a->operand[0].value);
}

/* ct_dnat, ct_snat: "(ip)", "(ip,ports)" */
static void print_args_tight(const struct action *a, struct str *out)
{
    str_put(out, op_info(a->op)->name);
    for (uint32_t i = 0; i < a->n; i++) {
        str_put(out, i ? "," : "(");
        print_operand(&a->operand[i], out);
    }
    if (a->n)
        str_putc(out, ')');
}

static void print_special(const struct action *a, struct str *out)
{
    const char *name = op_info(a->op)->name;
    switch (a->op) {
    case ACTION_NEXT:
        print_next(a, out);
        break;
    case ACTION_LOAD:
    case ACTION_MOVE:
    case ACTION_EXCHANGE:
        print_operand(&a->operand[0], out);
        str_putc(out, ' ');
        str_put(out, name);
        str_putc(out, ' ');
        print_operand(&a->operand[1], out);
        break;
    case ACTION_DEC_TTL:
        str_put(out, name);
        break;
    case ACTION_CT_COMMIT:
        str_put(out, name);
        if (a->n) {
            str_putc(out, ' ');
            print_operand(&a->operand[0], out);
        }
        break;
    case ACTION_CT_LB:
    case ACTION_CT_LB_MARK:
    case ACTION_CT_LB_MARK_LOCAL:
        str_put(out, name);
        if (a->n) {
            str_putc(out, '(');
            print_list(a, 0, out);
            str_putc(out, ')');
        }
        break;
    default:
        print_args_tight(a, out);
    }
}

static void print_action(const struct action *a, struct str *out)
{
    const struct op_info *info = op_info(a->op);
    switch (info->shape) {
    case SHAPE_WORD:
        str_put(out, info->name);
        break;
    case SHAPE_NEST:
        str_put(out, info->name);
        str_putc(out, ' ');
        print_operand(&a->operand[0], out);
        break;
    case SHAPE_FUNC:
        str_put(out, info->name);
        str_putc(out, '(');
        print_list(a, 0, out);
        str_putc(out, ')');
        break;
    case SHAPE_RESULT:
        if (a->op == ACTION_SELECT) {
            print_select(a, out);
            break;
        }
        print_operand(&a->operand[0], out);
        str_putf(out, " = %s(", info->name);
        print_list(a, 1, out);
        str_putc(out, ')');
        break;
    case SHAPE_SPECIAL:
        print_special(a, out);
    }
    str_putc(out, ';');
}

static void print_sequence(const struct actions *as, struct str *out)
{
    if (!as->n)
        str_put(out, "drop;");
    for (uint32_t i = 0; i < as->n; i++) {
        if (i)
            str_putc(out, ' ');
        print_action(as->action[i], out);
    }
}

void actions_print(const struct actions *as, struct str *out)
{
    print_sequence(as, out);
}

char *actions_to_text(const struct actions *as)
{
    struct str s = STR_INIT;
    actions_print(as, &s);
    return str_steal(&s);
}

const char *action_op_name(enum action_op op)
{
    return op_info(op)->name;
}
