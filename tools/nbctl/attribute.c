/* attribute.c - what the commands that show or set one column of one row have in common, and the
 * numbers and words that arguments consist of. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

/* ---- showing: each finds the row that the first argument names ---- */

int nb_put_texts(struct ctl_call *call, const struct nb_kind *kind, const char *column)
{
    const struct row *row;
    int err = nb_find(call, kind, call->argv[0], true, &row);
    const struct datum *value = err ? NULL : row_value(row, column);
    for (size_t i = 0; value && i < value->n; i++)
        str_putf(&call->out, "%s\n", value->atoms[i].string->s);
    return err;
}

int nb_put_bool(struct ctl_call *call, const struct nb_kind *kind, const char *column,
                bool if_empty, const char *yes, const char *no)
{
    const struct row *row;
    int err = nb_find(call, kind, call->argv[0], true, &row);
    if (!err)
        str_putf(&call->out, "%s\n", row_bool(row, column, if_empty) ? yes : no);
    return err;
}

int nb_put_options(struct ctl_call *call, const struct nb_kind *kind)
{
    const struct row *row;
    int err = nb_find(call, kind, call->argv[0], true, &row);
    const struct datum *options = err ? NULL : row_value(row, "options");
    for (size_t i = 0; options && i < options->n; i++)
        str_putf(&call->out, "%s=%s\n", options->atoms[i].string->s,
                 datum_values(options)[i].string->s);
    return err;
}

/* ---- setting ---- */

int nb_set_texts(struct ctl_call *call, const struct nb_kind *kind, const char *column)
{
    const struct row *row;
    int err = nb_find(call, kind, call->argv[0], true, &row);
    if (!err)
        view_set_texts(call->view, row, column, call->argv + 1, (size_t)call->argc - 1);
    return err;
}

int nb_set_enabled(struct ctl_call *call, const struct nb_kind *kind)
{
    const struct row *row;
    int err = nb_find(call, kind, call->argv[0], true, &row);
    if (err)
        return err;
    bool enabled = !strcmp(call->argv[1], "enabled");
    if (!enabled && strcmp(call->argv[1], "disabled"))
        return ctl_fail(call, "%s: state must be \"enabled\" or \"disabled\"", call->argv[1]);
    view_set_bool(call->view, row, "enabled", enabled);
    return 0;
}

void nb_set_pairs(struct ctl_call *call, const struct row *row, const char *column, char **words,
                  int n)
{
    row = view_clear(call->view, row, column);
    for (int i = 0; i < n; i++) {
        const char *equals = strchr(words[i], '=');
        if (!equals)
            continue; /* as the field's tool: a word without a value says nothing */
        char *key = xstrndup(words[i], (size_t)(equals - words[i]));
        row = view_set_key(call->view, row, column, key, equals + 1);
        free(key);
    }
}

int nb_set_options(struct ctl_call *call, const struct nb_kind *kind)
{
    const struct row *row;
    int err = nb_find(call, kind, call->argv[0], true, &row);
    if (!err)
        nb_set_pairs(call, row, "options", call->argv + 1, call->argc - 1);
    return err;
}

/* ---- arguments ---- */

bool nb_parse_integer(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    return !text_to_i64(text, 10, ret) && *ret >= min && *ret <= max;
}

int nb_parse_priority(struct ctl_call *call, const char *text, int64_t *ret)
{
    enum { MAX_PRIORITY = 32767 };
    if (nb_parse_integer(text, 0, MAX_PRIORITY, ret))
        return 0;
    return ctl_fail(call, "%s: priority must in range 0...32767", text);
}

/* A beginning of the word is enough. */
int nb_parse_direction(struct ctl_call *call, const char *what, const char *text, const char **ret)
{
    *ret = *text == 't' ? "to-lport" : "from-lport";
    if (*text == 't' || *text == 'f')
        return 0;
    return ctl_fail(call, "%s: %s must be \"to-lport\" or \"from-lport\"", text, what);
}

char *nb_normal_address(const char *text, unsigned version)
{
    struct ip_addr ip;
    if (ip_addr_parse(text, &ip) || (version && ip.version != version))
        return NULL;
    struct str s = STR_INIT;
    ip_addr_put(&s, &ip);
    return str_steal(&s);
}

char *nb_normal_prefix(const char *text, struct ip_prefix *ret)
{
    if (ip_prefix_parse(text, ret))
        return NULL;
    ret->addr = ip_prefix_network(ret);
    struct str s = STR_INIT;
    ip_prefix_put_short(&s, ret);
    return str_steal(&s);
}
