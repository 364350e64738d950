/* flows.c - commands on flows: dump, add, modify, delete, replace, compare. */
#include "tools/ofctl/ofctl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "openflow/bundle.h"
#include "tools/ofctl/sort.h"

/* ---- Dumping ---- */

static void parse_request(struct ofctl *o, int arg, struct of_flow_stats_request *req)
{
    struct diag diag = DIAG_INIT;
    of_flow_stats_request_init(req);
    if (!ofctl_arg(o, arg))
        return;
    if (of_flow_stats_request_parse(o->argv[arg], &o->client.port_names, &o->client.table_names,
                                    req, &diag))
        ofctl_fatal("%s", diag_text(&diag));
    o->client.xid = 6; /* ovs-ofctl has asked for tables and ports by now */
}

static void send_request(struct ofctl *o, struct of_flow_stats_request *req,
                         void (*fn)(struct client *c, const struct of_msg *reply, void *aux),
                         void *aux)
{
    struct of_buf b = OF_BUF_INIT;
    uint8_t version = o->client.version;
    client_prepare_10(&o->client, true, false);
    of_flow_stats_request_encode(req, version, version == OF10_VERSION, client_next_xid(&o->client),
                                 &b);
    client_transact(&o->client, &b, fn, aux);
    of_buf_fini(&b);
}

static void print_reply(struct client *c, const struct of_msg *reply, void *aux UNUSED)
{
    struct str s = STR_INIT;
    of_print(&s, reply, 2, client_print_names(c), NULL);
    fputs(str_c(&s), stdout);
    str_fini(&s);
}

/* With names or without statistics there is no header: the lines are the flows. */
static void print_flows(struct client *c, const struct of_msg *reply, void *aux)
{
    const struct ofctl *o = aux;
    struct of_flow_stats fs;
    struct str s = STR_INIT;
    size_t ofs = 0;
    while (of_flow_stats_next(reply, &ofs, &fs) > 0) {
        of_flow_stats_print(&s, &fs, client_print_names(c), client_print_tables(c), !o->no_stats);
        str_putc(&s, '\n');
        of_flow_stats_fini(&fs);
    }
    fputs(str_c(&s), stdout);
    str_fini(&s);
}

static void gather_flows(struct client *c UNUSED, const struct of_msg *reply, void *aux)
{
    const struct ofctl *o = aux;
    struct of_flow_stats fs;
    size_t ofs = 0;
    while (of_flow_stats_next(reply, &ofs, &fs) > 0)
        sorting_add_flow(o->sorting, &fs);
}

void ofctl_dump_flows(struct ofctl *o)
{
    struct of_flow_stats_request req;
    ofctl_connect(o);
    parse_request(o, 1, &req);
    if (o->sorting) {
        send_request(o, &req, gather_flows, o);
        sorting_print(o->sorting, client_print_names(&o->client), !o->no_stats);
        return;
    }
    bool plain = !o->client.show_names && !o->no_stats;
    (void)client_print_tables(&o->client); /* asks, if they are to be shown */
    send_request(o, &req, plain ? print_reply : print_flows, o);
}

void ofctl_dump_aggregate(struct ofctl *o)
{
    struct of_flow_stats_request req;
    ofctl_connect(o);
    parse_request(o, 1, &req);
    req.aggregate = true;
    send_request(o, &req, print_reply, NULL);
}

/* ---- Changing ---- */

typedef VEC(struct of_flow_mod) flow_mods;

static void flow_mods_fini(flow_mods *fms)
{
    for (size_t i = 0; i < fms->n; i++)
        of_flow_mod_fini(&fms->data[i]);
    vec_fini(fms);
}

static void add_flow_mod(struct ofctl *o, flow_mods *fms, const char *text,
                         enum of_flow_command command, const char *place)
{
    struct of_flow_mod fm;
    struct diag diag = DIAG_INIT;
    const struct port_names *names = o->client.conn ? &o->client.port_names : NULL;
    const struct table_names *tables = o->client.conn ? &o->client.table_names : NULL;
    if (of_flow_mod_parse(text, command, names, tables, &fm, &diag))
        ofctl_fatal("%s%s", place, diag_text(&diag));
    ofctl_check_flow(o, &fm, place);
    vec_push(fms, fm);
}

/* A command word may stand before a flow in a file: "delete table=1". */
static const char *split_command(const char *line, enum of_flow_command *command)
{
    static const struct {
        const char *word;
        enum of_flow_command command;
    } words[] = {
        {"add", OF_FLOW_ADD},       {"modify_strict", OF_FLOW_MODIFY_STRICT},
        {"modify", OF_FLOW_MODIFY}, {"delete_strict", OF_FLOW_DELETE_STRICT},
        {"delete", OF_FLOW_DELETE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t n = strlen(words[i].word);
        if (!strncmp(line, words[i].word, n) && (line[n] == ' ' || line[n] == '\0')) {
            *command = words[i].command;
            return line + n;
        }
    }
    return line;
}

void ofctl_put_flow(struct ofctl *o, const char *line, const char *place, struct of_buf *b)
{
    flow_mods fms = VEC_INIT;
    enum of_flow_command command = OF_FLOW_ADD;
    line = split_command(line, &command);
    add_flow_mod(o, &fms, line, command, place);
    uint32_t xid = client_next_xid(&o->client);
    size_t start =
        of_bundle_add_begin(0, OF_BUNDLE_ATOMIC | OF_BUNDLE_ORDERED, o->client.version, xid, b);
    of_flow_mod_encode(&fms.data[0], o->client.version, xid, b);
    of_bundle_add_end(b, start);
    flow_mods_fini(&fms);
}

static void read_file(struct ofctl *o, const char *name, enum of_flow_command command,
                      flow_mods *fms)
{
    FILE *f = !strcmp(name, "-") ? stdin : fopen(name, "r");
    char *line = NULL;
    size_t cap = 0, number = 0;
    if (!f)
        ofctl_fatal("%s: open failed (No such file or directory)%s", name,
                    strchr(name, '=') ? "; a file is wanted here, a flow itself is for add-flow"
                                      : "");
    while (getline(&line, &cap, f) > 0) {
        number++;
        line[strcspn(line, "#\r\n")] = '\0';
        const char *p = line + strspn(line, " \t");
        if (!*p)
            continue;
        enum of_flow_command own = command;
        char *place = xasprintf("%s:%zu: ", name, number);
        p = split_command(p, &own);
        add_flow_mod(o, fms, p, own, place);
        free(place);
    }
    free(line);
    if (f != stdin)
        fclose(f);
}

static void send_bundle(struct ofctl *o, const flow_mods *fms)
{
    struct of_buf b = OF_BUF_INIT;
    uint8_t version = o->client.version;
    ofctl_bundle_control(o, OF_BUNDLE_OPEN_REQUEST);
    for (size_t i = 0; i < fms->n; i++) {
        uint32_t xid = client_next_xid(&o->client);
        size_t start =
            of_bundle_add_begin(0, OF_BUNDLE_ATOMIC | OF_BUNDLE_ORDERED, version, xid, &b);
        of_flow_mod_encode(&fms->data[i], version, xid, &b);
        of_bundle_add_end(&b, start);
    }
    client_transact_noreply(&o->client, &b);
    ofctl_bundle_control(o, OF_BUNDLE_COMMIT_REQUEST);
    of_buf_fini(&b);
}

static void encode(const struct ofctl *o, const struct of_flow_mod *fm, uint8_t version,
                   uint32_t xid, struct of_buf *b)
{
    if (version == OF10_VERSION)
        of_flow_mod_encode_10(fm, ofctl_goes_plain(o), ofctl_goes_with_tables(o), xid, b);
    else
        of_flow_mod_encode(fm, version, xid, b);
}

static void send_flow_mods(struct ofctl *o, flow_mods *fms)
{
    struct of_buf b = OF_BUF_INIT;
    o->client.xid = 6; /* where ovs-ofctl stands after asking for names: error texts quote it */
    client_prepare_10(&o->client, !ofctl_goes_plain(o), ofctl_goes_with_tables(o));
    if (o->bundle && fms->n) {
        send_bundle(o, fms);
    } else {
        for (size_t i = 0; i < fms->n; i++)
            encode(o, &fms->data[i], o->client.version, client_next_xid(&o->client), &b);
        client_transact_noreply(&o->client, &b);
    }
    of_buf_fini(&b);
    flow_mods_fini(fms);
}

static void change(struct ofctl *o, enum of_flow_command command, bool file)
{
    flow_mods fms = VEC_INIT;
    ofctl_connect(o);
    if (file || (ofctl_arg(o, 1) && !strcmp(o->argv[1], "-")))
        read_file(o, o->argv[1], command, &fms);
    else
        add_flow_mod(o, &fms, ofctl_arg(o, 1) ? o->argv[1] : "", command, "");
    send_flow_mods(o, &fms);
}

void ofctl_add_flow(struct ofctl *o)
{
    change(o, OF_FLOW_ADD, false);
}

void ofctl_add_flows(struct ofctl *o)
{
    change(o, OF_FLOW_ADD, true);
}

void ofctl_mod_flows(struct ofctl *o)
{
    change(o, o->strict ? OF_FLOW_MODIFY_STRICT : OF_FLOW_MODIFY, false);
}

void ofctl_del_flows(struct ofctl *o)
{
    change(o, o->strict ? OF_FLOW_DELETE_STRICT : OF_FLOW_DELETE, false);
}

/* ---- Comparing ---- */

static void gather(struct client *c UNUSED, const struct of_msg *reply, void *aux)
{
    flow_mods *fms = aux;
    struct of_flow_stats fs;
    size_t ofs = 0;
    while (of_flow_stats_next(reply, &ofs, &fs) > 0) {
        struct of_flow_mod fm;
        of_flow_mod_init(&fm, OF_FLOW_ADD);
        fm.match = fs.match;
        fm.table_id = fs.table_id;
        fm.priority = fs.priority;
        fm.cookie = fs.cookie;
        fm.idle_timeout = fs.idle_timeout;
        fm.hard_timeout = fs.hard_timeout;
        fm.importance = fs.importance;
        fm.flags = fs.flags & ~(uint16_t)OF_FLOW_RESET_COUNTS;
        fm.actions = fs.actions; /* handed over */
        vec_push(fms, fm);
    }
}

/* Strict sense: same table, priority and match. */
static int compare_place(const void *a, const void *b)
{
    const struct of_flow_mod *x = a, *y = b;
    if (x->table_id != y->table_id)
        return x->table_id < y->table_id ? -1 : 1;
    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    return match_compare(&x->match, &y->match);
}

static bool same_contents(const struct of_flow_mod *x, const struct of_flow_mod *y)
{
    return x->cookie == y->cookie && x->idle_timeout == y->idle_timeout &&
           x->hard_timeout == y->hard_timeout && x->importance == y->importance &&
           x->flags == y->flags && of_actions_equal(&x->actions, &y->actions);
}

/* Actions as the switch would hand them back, so that spellings do not count as differences. */
static void normalize(struct of_flow_mod *fm, uint8_t version)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_actions a = OF_ACTIONS_INIT;
    of_instructions_encode(fm->actions.data, fm->actions.n, version, &b);
    if (!of_instructions_decode(b.data, b.n, version, &a)) {
        of_actions_fini(&fm->actions);
        fm->actions = a;
    } else {
        of_actions_fini(&a);
    }
    of_buf_fini(&b);
    fm->flags &= ~(uint16_t)OF_FLOW_RESET_COUNTS;
}

static void sort_flows(flow_mods *fms)
{
    if (fms->n)
        qsort(fms->data, fms->n, sizeof *fms->data, compare_place);
}

static void read_switch(struct ofctl *o, flow_mods *fms)
{
    struct of_flow_stats_request req;
    of_flow_stats_request_init(&req);
    send_request(o, &req, gather, fms);
    sort_flows(fms);
}

/* Calls FN for each place: OLD or NEW may be NULL. */
static void merge(const flow_mods *old, const flow_mods *new,
                  void (*fn)(void *aux, const struct of_flow_mod *old,
                             const struct of_flow_mod *new),
                  void *aux)
{
    size_t i = 0, j = 0;
    while (i < old->n || j < new->n) {
        int order = i == old->n   ? 1
                    : j == new->n ? -1
                                  : compare_place(&old->data[i], &new->data[j]);
        fn(aux, order <= 0 ? &old->data[i] : NULL, order >= 0 ? &new->data[j] : NULL);
        i += order <= 0;
        j += order >= 0;
    }
}

struct replacement {
    flow_mods fms;
    bool readd;
};

static void copy_flow_mod(flow_mods *fms, const struct of_flow_mod *from,
                          enum of_flow_command command)
{
    struct of_flow_mod fm = *from;
    fm.command = command;
    fm.actions = (struct of_actions)OF_ACTIONS_INIT;
    if (command == OF_FLOW_ADD)
        of_actions_copy(&fm.actions, &from->actions);
    else
        fm.cookie = 0;
    vec_push(fms, fm);
}

static void replace_one(void *aux, const struct of_flow_mod *old, const struct of_flow_mod *new)
{
    struct replacement *r = aux;
    if (!new)
        copy_flow_mod(&r->fms, old, OF_FLOW_DELETE_STRICT);
    else if (!old || r->readd || !same_contents(old, new))
        copy_flow_mod(&r->fms, new, OF_FLOW_ADD);
}

void ofctl_replace_flows(struct ofctl *o)
{
    flow_mods old = VEC_INIT, new = VEC_INIT;
    struct replacement r = {.fms = VEC_INIT, .readd = o->readd};
    ofctl_connect(o);
    read_file(o, o->argv[1], OF_FLOW_ADD, &new);
    for (size_t i = 0; i < new.n; i++)
        normalize(&new.data[i], o->client.version);
    sort_flows(&new);
    read_switch(o, &old);
    merge(&old, &new, replace_one, &r);
    flow_mods_fini(&old);
    flow_mods_fini(&new);
    send_flow_mods(o, &r.fms);
}

static void print_side(char sign, const struct of_flow_mod *fm, bool *differ)
{
    struct str s = STR_INIT;
    of_flow_mod_print(&s, fm, NULL);
    printf("%c%s\n", sign, str_c(&s));
    str_fini(&s);
    *differ = true;
}

static void diff_one(void *aux, const struct of_flow_mod *old, const struct of_flow_mod *new)
{
    if (old && new &&same_contents(old, new))
        return;
    if (old)
        print_side('-', old, aux);
    if (new)
        print_side('+', new, aux);
}

/* Each source is a file, if there is one of that name, else a switch. */
void ofctl_diff_flows(struct ofctl *o)
{
    flow_mods sides[2] = {VEC_INIT, VEC_INIT};
    bool differ = false;
    char **argv = o->argv;
    uint8_t version = OF15_VERSION;
    for (int i = 0; i < 2; i++) {
        FILE *f = !strcmp(argv[i], "-") ? NULL : fopen(argv[i], "r");
        if (f || !strcmp(argv[i], "-")) {
            if (f)
                fclose(f);
            read_file(o, argv[i], OF_FLOW_ADD, &sides[i]);
        } else {
            if (o->client.conn)
                client_close(&o->client);
            memset(&o->client, 0, sizeof o->client);
            o->argv = argv + i;
            ofctl_connect(o);
            version = o->client.version;
            read_switch(o, &sides[i]);
        }
    }
    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < sides[i].n; k++)
            normalize(&sides[i].data[k], version);
        sort_flows(&sides[i]);
    }
    merge(&sides[0], &sides[1], diff_one, &differ);
    flow_mods_fini(&sides[0]);
    flow_mods_fini(&sides[1]);
    if (differ) {
        fflush(stdout);
        exit(2);
    }
}

/* ---- Without a switch ---- */

/* As they would be sent. */
static void print_parsed(struct ofctl *o, flow_mods *fms)
{
    uint8_t version = ofctl_print_formats(o);
    for (size_t i = 0; i < fms->n; i++) {
        struct of_buf b = OF_BUF_INIT;
        encode(o, &fms->data[i], version, (uint32_t)i + 1, &b);
        ofctl_print_message(b.data, b.n, 1);
        of_buf_fini(&b);
    }
    flow_mods_fini(fms);
}

void ofctl_parse_flow(struct ofctl *o)
{
    flow_mods fms = VEC_INIT;
    add_flow_mod(o, &fms, o->argv[0], OF_FLOW_ADD, "");
    print_parsed(o, &fms);
}

void ofctl_parse_flows(struct ofctl *o)
{
    flow_mods fms = VEC_INIT;
    read_file(o, o->argv[0], OF_FLOW_ADD, &fms);
    print_parsed(o, &fms);
}
