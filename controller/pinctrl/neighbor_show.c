/* neighbor_show.c - neighbors/show: who is known behind router ports here, and what waits for those who are not.
 *
 * Room 11 of docs/architecture.md. Only from memory: rows of MAC_Binding as sb_index has them, and waiting.c's destinations. The columns are
 * those of weft-sbctl's command neighbors.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/pinctrl/pinctrl.h"

struct line {
    const char *port;
    struct ip_addr ip;
    bool is_waiting;
    const char *words[7]; /* own, but for the heading */
};

struct lines {
    struct pinctrl *pinctrl;
    const char *port; /* NULL: all */
    int64_t wall_ms;
    VEC(struct line) list;
};

static struct line *new_line(struct lines *lines, const char *port, const struct ip_addr *ip)
{
    struct line line = {.port = port, .ip = *ip};
    vec_push(&lines->list, line);
    struct line *ret = &lines->list.data[lines->list.n - 1];
    ret->words[0] = xstrdup(port);
    return ret;
}

static void add_known(const struct sb_mac_binding *row, void *lines_)
{
    struct lines *lines = lines_;
    const char *port = sb_mac_binding_logical_port(row);
    struct ip_addr ip;
    memset(&ip, 0, sizeof ip);
    if ((lines->port && strcmp(lines->port, port)) || ip_addr_parse(sb_mac_binding_ip(row), &ip))
        return;
    int64_t stamp = sb_mac_binding_timestamp(row),
            age = stamp ? MAX((lines->wall_ms - stamp) / 1000, (int64_t)0) : 0,
            limit = neighbor_threshold(lines->pinctrl, row, &ip);
    const char *chassis = sb_mac_binding_learned_from_value(row, "chassis"),
               *message = sb_mac_binding_learned_from_value(row, "message");
    struct line *line = new_line(lines, port, &ip);
    line->words[1] = xstrdup(sb_mac_binding_ip(row));
    line->words[2] = xstrdup(sb_mac_binding_mac(row));
    line->words[3] = xstrdup(!limit                ? "learned"
                             : age > limit         ? "expired"
                             : age > limit / 4 * 3 ? "stale"
                                                   : "fresh");
    line->words[4] = stamp ? xasprintf("%" PRId64, age) : xstrdup("-");
    line->words[5] = limit ? xasprintf("%" PRId64, limit) : xstrdup("-");
    line->words[6] = chassis && message ? xasprintf("%s, %s", chassis, message) : xstrdup("-");
}

static void add_waiting(const struct neighbor_key *key, int64_t age_ms, unsigned n, void *lines_)
{
    struct lines *lines = lines_;
    const struct sb_port_binding *row =
        sb_index_port(lines->pinctrl->options.sb, key->datapath, key->port);
    const char *port = row ? sb_port_binding_logical_port(row) : "-";
    if (lines->port && strcmp(lines->port, port))
        return;
    struct line *line = new_line(lines, port, &key->ip);
    struct str ip = STR_INIT;
    ip_addr_put(&ip, &key->ip);
    line->is_waiting = true;
    line->words[1] = str_steal(&ip);
    line->words[2] = xstrdup("-");
    line->words[3] = xstrdup("asked");
    line->words[4] = xasprintf("%" PRId64, age_ms / 1000);
    line->words[5] = xasprintf("%d", WAITING_AGE_MS / 1000);
    line->words[6] = xasprintf("%u packet%s wait%s", n, n == 1 ? "" : "s", n == 1 ? "s" : "");
}

static int compare(const void *a_, const void *b_)
{
    const struct line *a = a_, *b = b_;
    int c = strcmp(a->port, b->port);
    if (!c)
        c = ip_addr_compare(&a->ip, &b->ip);
    return c ? c : a->is_waiting - b->is_waiting;
}

static void print(const struct line *line, const size_t widths[7], struct str *out)
{
    for (size_t i = 0; i < 6; i++)
        str_putf(out, "%-*s ", (int)widths[i], line->words[i]);
    str_putf(out, "%s\n", line->words[6]);
}

bool neighbor_show(struct pinctrl *p, const char *port, struct str *out)
{
    static const struct line heading = {
        .words = {"port", "address", "mac", "state", "age", "limit", "taught by"}};
    struct lines lines = {p, port, env_wall_ms(loop_env(p->options.loop)), VEC_INIT};
    size_t widths[7] = {0};
    struct line *line;
    if (port && !sb_index_port_named(p->options.sb, port))
        return false;
    sb_index_for_each_neighbor(p->options.sb, add_known, &lines);
    waiting_for_each(p, add_waiting, &lines);
    if (lines.list.n)
        qsort(lines.list.data, lines.list.n, sizeof *lines.list.data, compare);
    for (size_t i = 0; i < 7; i++) {
        widths[i] = strlen(heading.words[i]);
        VEC_FOR_EACH (line, &lines.list)
            widths[i] = MAX(widths[i], strlen(line->words[i]));
    }
    print(&heading, widths, out);
    VEC_FOR_EACH (line, &lines.list) {
        print(line, widths, out);
        for (size_t i = 0; i < 7; i++)
            free((void *)line->words[i]);
    }
    vec_fini(&lines.list);
    return true;
}
