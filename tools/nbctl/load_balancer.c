/* load_balancer.c - lb-*: virtual addresses and their backends. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define BALANCER_TABLES "Load_Balancer"

/* An address with or without a port (0), as lb-add takes it:  IP  IP4:PORT  [IP6]  [IP6]:PORT */
struct endpoint {
    struct ip_addr ip;
    uint16_t port;
};

static bool parse_endpoint(const char *text, struct endpoint *ret)
{
    bool bracket = *text == '[';
    const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
    *ret = (struct endpoint){.port = 0};
    if (!bracket && (!end || !ip_addr_parse(text, &ret->ip)))
        return !ip_addr_parse(text, &ret->ip);
    if (!end)
        return false;
    char *ip = xstrndup(text + bracket, (size_t)(end - text) - bracket);
    bool ok = !ip_addr_parse(ip, &ret->ip);
    free(ip);
    end += bracket;
    int64_t port = 0;
    ok = ok &&
         (!*end || (*end == ':' && (!end[1] || nb_parse_integer(end + 1, 0, UINT16_MAX, &port))));
    ret->port = (uint16_t)port;
    return ok;
}

static void put_endpoint(struct str *out, const struct endpoint *e)
{
    bool bracket = e->port && e->ip.version == 6;
    str_put(out, bracket ? "[" : "");
    ip_addr_put(out, &e->ip);
    str_put(out, bracket ? "]" : "");
    if (e->port)
        str_putf(out, ":%u", e->port);
}

/* ---- lb-add ---- */

static int check_backend(struct ctl_call *call, const struct endpoint *vip, const char *text,
                         struct endpoint *ret)
{
    bool ok = parse_endpoint(text, ret) && !ret->port == !vip->port;
    if (!ok)
        return ctl_fail(call,
                        vip->port ? "%s: should be an IP address and a port number with : "
                                    "as a separator."
                                  : "%s: should be an IP address.",
                        text);
    if (ret->ip.version == vip->ip.version)
        return 0;
    struct str ip = STR_INIT;
    ip_addr_put(&ip, &vip->ip);
    int err = ctl_fail(call, "%s: IP address family is different from VIP %s.", text, str_c(&ip));
    str_fini(&ip);
    return err;
}

/* Backends separated by commas, in their usual form. */
static int parse_backends(struct ctl_call *call, const struct endpoint *vip, const char *text,
                          struct str *out)
{
    char *copy = xstrdup(text), *rest = copy, *word;
    int err = 0;
    while (!err && (word = strsep(&rest, ",")) != NULL) {
        struct endpoint backend;
        if (!*word)
            continue;
        err = check_backend(call, vip, word, &backend);
        if (!err) {
            str_put(out, out->n ? "," : "");
            put_endpoint(out, &backend);
        }
    }
    free(copy);
    return err;
}

struct request {
    const char *name, *protocol; /* protocol may be NULL */
    struct str vip, backends;
};

static int check_protocol(struct ctl_call *call, const char *protocol)
{
    if (!strcmp(protocol, "tcp") || !strcmp(protocol, "udp") || !strcmp(protocol, "sctp"))
        return 0;
    return ctl_fail(call, "%s: protocol must be one of \"tcp\", \"udp\",  or \"sctp\".", protocol);
}

static int parse_request(struct ctl_call *call, struct request *r)
{
    struct endpoint vip;
    r->name = call->argv[0];
    r->protocol = call->argc > 3 ? call->argv[3] : NULL;
    if (ctl_has_option(call, "--reject") && ctl_has_option(call, "--event"))
        return ctl_fail(call, "--reject and --event can't specified at the same time");
    int err = r->protocol ? check_protocol(call, r->protocol) : 0;
    if (err)
        return err;
    if (ctl_has_option(call, "--template")) { /* variables: what they are is known elsewhere */
        str_put(&r->vip, call->argv[1]);
        str_put(&r->backends, call->argv[2]);
        return 0;
    }
    if (!parse_endpoint(call->argv[1], &vip))
        return ctl_fail(call,
                        "%s: should be an IP address (or an IP address and a port number with : "
                        "as a separator).",
                        call->argv[1]);
    if (r->protocol && !vip.port)
        return ctl_fail(call, "Protocol is unnecessary when no port of vip is given.");
    put_endpoint(&r->vip, &vip);
    return parse_backends(call, &vip, call->argv[2], &r->backends);
}

/* Adds the address to the load balancer of that name. */
static int extend(struct ctl_call *call, const struct row *lb, const struct request *r)
{
    if (row_map_text(lb, "vips", str_c(&r->vip)) && !ctl_has_option(call, "--may-exist"))
        return ctl_fail(call, "%s: a load balancer with this vip (%s) already exists", r->name,
                        str_c(&r->vip));
    lb = view_set_key(call->view, lb, "vips", str_c(&r->vip), str_c(&r->backends));
    if (r->protocol)
        view_set_text(call->view, lb, "protocol", r->protocol);
    return 0;
}

static void create(struct ctl_call *call, const struct request *r)
{
    static const char *const flags[] = {"--reject", "--event", "--template"};
    const struct row *lb = view_insert(call->view, view_table(call->view, "Load_Balancer"));
    lb = view_set_text(call->view, lb, "name", r->name);
    lb = view_set_text(call->view, lb, "protocol", r->protocol ? r->protocol : "tcp");
    lb = view_set_key(call->view, lb, "vips", str_c(&r->vip), str_c(&r->backends));
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (ctl_has_option(call, flags[i]))
            lb = view_set_key(call->view, lb, "options", flags[i] + 2, "true");
    if (ctl_has_option(call, "--add-route"))
        lb = view_set_key(call->view, lb, "options", "add_route", "true");
    if (call->argc > 4)
        view_set_key(call->view, lb, "options", "address-family", call->argv[4]);
}

static int run_add(struct ctl_call *call)
{
    struct request r = {.vip = STR_INIT, .backends = STR_INIT};
    const struct row *lb = NULL;
    int err = parse_request(call, &r);
    if (!err && !ctl_has_option(call, "--add-duplicate"))
        err = nb_find(call, &nb_load_balancer, r.name, false, &lb);
    if (!err && lb)
        err = extend(call, lb, &r);
    else if (!err)
        create(call, &r);
    str_fini(&r.vip);
    str_fini(&r.backends);
    return err;
}

/* ---- lb-del, lb-list ---- */

static int run_del(struct ctl_call *call)
{
    const struct row *lb;
    int err = nb_find(call, &nb_load_balancer, call->argv[0], false, &lb);
    if (err || !lb)
        return err;
    if (call->argc < 2) {
        view_delete(call->view, lb);
        return 0;
    }
    struct endpoint e;
    struct str vip = STR_INIT;
    if (parse_endpoint(call->argv[1], &e))
        put_endpoint(&vip, &e);
    else
        str_put(&vip, call->argv[1]);
    if (row_map_text(lb, "vips", str_c(&vip))) {
        lb = view_remove_key(call->view, lb, "vips", str_c(&vip));
        if (!row_value(lb, "vips")->n)
            view_delete(call->view, lb);
    } else if (!ctl_has_option(call, "--if-exists")) {
        err = ctl_fail(call, "vip %s is not part of the load balancer.", call->argv[1]);
    }
    str_fini(&vip);
    return err;
}

enum { LB_NAME_WIDTH = 16, MIN_VIP_WIDTH = 12 };

static void put_balancer(struct ctl_call *call, const struct row *lb, int width)
{
    char uuid[UUID_TEXT_LEN + 1];
    const struct datum *vips = row_value(lb, "vips");
    for (size_t i = 0; i < vips->n; i++) {
        const char *vip = vips->atoms[i].string->s;
        struct endpoint e;
        bool no_port = parse_endpoint(vip, &e) && !e.port;
        str_putf(&call->out, "%-40s%-*.*s%-11s%-*s%s\n", i ? "" : uuid_print(&lb->uuid, uuid),
                 LB_NAME_WIDTH + 4, LB_NAME_WIDTH, i ? "" : row_text(lb, "name"),
                 no_port ? "" : row_text(lb, "protocol"), width + 4, vip,
                 datum_values(vips)[i].string->s);
    }
}

void nb_put_balancers(struct ctl_call *call, struct row_list *rows)
{
    size_t width = MIN_VIP_WIDTH, n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const struct datum *vips = row_value(rows->rows[i], "vips");
        n += vips->n;
        for (size_t j = 0; j < vips->n; j++)
            width = MAX(width, strlen(vips->atoms[j].string->s));
    }
    if (!n)
        return;
    str_putf(&call->out, "%-40s%-*s%-11s%-*s%s\n", "UUID", LB_NAME_WIDTH + 4, "LB", "PROTO",
             (int)width + 4, "VIP", "IPs");
    for (size_t i = 0; i < rows->n; i++)
        put_balancer(call, rows->rows[i], (int)width);
}

static int run_list(struct ctl_call *call)
{
    struct row_list rows = call->argc
                               ? nb_find_all(call, &nb_load_balancer, call->argv[0])
                               : view_rows(call->view, view_table(call->view, "Load_Balancer"));
    nb_put_balancers(call, &rows);
    row_list_fini(&rows);
    return 0;
}

const struct ctl_command nb_balancer_commands[] = {
    {.help = "Load balancer commands"},
    {"lb-add", 3, 5, "LB VIP[:PORT] IP[:PORT],... [PROTOCOL [FAMILY]]",
     "--may-exist,--add-duplicate,--reject,--event,--template,--add-route", BALANCER_TABLES, NULL,
     run_add, "a new load balancer, or one more virtual address of it"},
    {"lb-del", 1, 2, "LB [VIP]", "--if-exists", BALANCER_TABLES, NULL, run_del,
     "delete a load balancer, or one of its virtual addresses"},
    {"lb-list", 0, 1, "[LB]", NULL, BALANCER_TABLES, NULL, run_list, "print load balancers"},
    {0},
};
