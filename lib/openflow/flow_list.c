/* flow_list.c - see flow_list.h.
 *
 * A switch of a thousand networks holds half a million flows, whose texts take a tenth of the room that the flows would take as structs:
 * each is turned into its line when it comes, and what is kept of it besides is where the line stands.
 */
#include "openflow/flow_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "openflow/bridge.h"
#include "openflow/connection.h"
#include "openflow/text.h"

enum { SILENCE_US = 10 * 1000 * 1000 };

struct line {
    uint32_t cookie;
    uint16_t priority;
    uint8_t table;
    size_t at; /* in texts */
};

struct flow_list {
    bool stats;
    VEC(struct line) lines;
    struct str texts; /* each ends with a newline */
};

struct fetch {
    struct flow_list *list;
    bool has_ended;
    int err;
    struct diag *diag;
};

static void end(struct fetch *f, int err, const char *reason)
{
    if (!f->has_ended && err)
        diag_set(f->diag, err, "%s", reason);
    if (!f->has_ended)
        f->err = err;
    f->has_ended = true;
}

static void put_plain(struct str *s, const struct of_flow_stats *fs)
{
    str_putf(s, "table=%u ", fs->table_id);
    size_t at = s->n;
    match_put(s, &fs->match, -1, NULL);
    str_putf(s, "%sactions=", s->n > at ? " " : "");
    of_actions_put(s, fs->actions.data, fs->actions.n, NULL);
}

static void add_flow(struct flow_list *list, const struct of_flow_stats *fs)
{
    struct line line = {(uint32_t)fs->cookie, fs->priority, fs->table_id, list->texts.n};
    if (list->stats)
        of_flow_stats_print(&list->texts, fs, NULL, NULL, true);
    else
        put_plain(&list->texts, fs);
    str_putc(&list->texts, '\n');
    vec_push(&list->lines, line);
}

static void on_ready(void *aux UNUSED, struct of_conn *conn)
{
    struct of_flow_stats_request req;
    struct of_buf b = OF_BUF_INIT;
    uint8_t version = of_conn_version(conn);
    of_flow_stats_request_init(&req);
    of_flow_stats_request_encode(&req, version, version == OF10_VERSION, of_conn_next_xid(conn),
                                 &b);
    of_conn_send_buf(conn, &b);
    of_buf_fini(&b);
}

static void on_message(void *aux, struct of_conn *conn UNUSED, const struct of_msg *msg)
{
    struct fetch *f = aux;
    struct of_flow_stats fs;
    size_t ofs = 0;
    int more;
    if (msg->type == OF_ERROR_MSG) {
        end(f, ERR_UNSUPPORTED, "the switch does not tell its flows");
        return;
    }
    if (f->has_ended || msg->type != OF_FLOW_STATS_REPLY)
        return;
    while ((more = of_flow_stats_next(msg, &ofs, &fs)) > 0) {
        add_flow(f->list, &fs);
        of_flow_stats_fini(&fs);
    }
    if (more < 0)
        end(f, ERR_SYNTAX, "malformed flow in the switch's answer");
    else if (!(msg->flags & OF_MULTIPART_MORE))
        end(f, 0, NULL);
}

static void on_closed(void *aux, struct of_conn *conn UNUSED, int err, const char *reason)
{
    end(aux, err ? err : ERR_IO, reason);
}

/* By cookie, then as dump-flows --sort would list them. */
static int compare_lines(const void *a_, const void *b_)
{
    const struct line *a = a_, *b = b_;
    if (a->cookie != b->cookie)
        return a->cookie < b->cookie ? -1 : 1;
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

/* Until the end, or until nothing has come for SILENCE_US. */
static void talk(struct loop *loop, struct stream *stream, struct fetch *f)
{
    static const struct of_conn_callbacks callbacks = {on_ready, on_message, NULL, on_closed};
    struct of_conn_options options = {.versions = OF_VERSIONS_ALL, .hello_bitmap = true};
    struct of_conn *conn = of_conn_new(loop, stream, &options, &callbacks, f);
    while (!f->has_ended)
        if (!loop_run_once(loop, SILENCE_US))
            end(f, ERR_TIMEOUT, "no answer from the switch");
    of_conn_free(conn);
}

int flow_list_fetch(const char *name, struct tls_config *tls, bool stats, struct flow_list **ret,
                    struct diag *diag)
{
    struct stream_options so = {.default_port = TARGET_PORT_OPENFLOW, .tls = tls};
    struct stream *stream;
    char *target = of_bridge_target(name, NULL);
    *ret = NULL;
    if (!target)
        return diag_set(diag, ERR_NOT_FOUND, "%s is not a bridge or a socket", name);
    struct flow_list *list = xcalloc(1, sizeof *list);
    struct loop *loop = loop_new(env_real());
    struct fetch f = {.list = list, .diag = diag};
    list->stats = stats;
    f.err = stream_connect(loop, target, &so, &stream, diag);
    if (!f.err)
        talk(loop, stream, &f);
    loop_free(loop);
    if (f.err) {
        diag_prefix(diag, "%s: ", target);
        flow_list_free(list);
    } else {
        if (list->lines.n)
            qsort(list->lines.data, list->lines.n, sizeof *list->lines.data, compare_lines);
        *ret = list;
    }
    free(target);
    return f.err;
}

void flow_list_free(struct flow_list *list)
{
    if (!list)
        return;
    vec_fini(&list->lines);
    str_fini(&list->texts);
    free(list);
}

/* The first line whose cookie is not below COOKIE. */
static size_t first_line(const struct flow_list *list, uint32_t cookie)
{
    size_t from = 0, to = list->lines.n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (list->lines.data[middle].cookie < cookie)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

void flow_list_put(const struct flow_list *list, uint32_t cookie, const char *indent,
                   struct str *out)
{
    for (size_t i = first_line(list, cookie);
         i < list->lines.n && list->lines.data[i].cookie == cookie; i++) {
        const char *text = str_c(&list->texts) + list->lines.data[i].at;
        while (*text == ' ')
            text++;
        str_put(out, indent);
        str_put_n(out, text, strcspn(text, "\n") + 1);
    }
}
