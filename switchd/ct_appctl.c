/* ct_appctl.c - control commands of the connection tracker (dpctl/dump-conntrack, ct-get-limits and so on); the words are those of
 * ovs-vswitchd(8). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "openflow/switch.h"
#include "switchd/switchd.h"

/* What a command line says: options, the filter, and what is left. */
struct args {
    unsigned show;
    struct ct_filter filter;
    const char *rest[16];
    unsigned n;
};

static void PRINTF_FORMAT(2, 3) refuse(struct unixctl_conn *conn, const char *format, ...)
{
    struct str s = STR_INIT;
    va_list va;
    va_start(va, format);
    str_vputf(&s, format, va);
    va_end(va);
    str_put(&s, " (Invalid argument)");
    unixctl_error(conn, str_c(&s));
    str_fini(&s);
}

static void answer(struct unixctl_conn *conn, struct str *s)
{
    unixctl_reply(conn, str_c(s));
    str_fini(s);
}

static bool parse_number(const char *text, uint64_t max, uint64_t *ret)
{
    return !text_to_u64(text, 0, ret) && *ret <= max;
}

/* Takes options, zone=N, and the name of the datapath, of which there is one. False: refused already. */
static bool read_args(struct unixctl_conn *conn, int argc, const char *argv[], struct args *a)
{
    memset(a, 0, sizeof *a);
    for (int i = 1; i < argc; i++) {
        const char *s = argv[i];
        uint64_t zone;
        if (!strcmp(s, "-m") || !strcmp(s, "--more")) {
            a->show |= CT_SHOW_MORE;
        } else if (!strcmp(s, "-s") || !strcmp(s, "--statistics")) {
            a->show |= CT_SHOW_TIMES;
        } else if (!strncmp(s, "zone=", 5) && !strchr(s, ',')) {
            if (!parse_number(s + 5, UINT16_MAX, &zone)) {
                refuse(conn, "failed to parse zone");
                return false;
            }
            a->filter.has_zone = true;
            a->filter.zone = (uint16_t)zone;
        } else if (strchr(s, '@') || !strcmp(s, "ovs-netdev")) {
            if (strcmp(s, "netdev@ovs-netdev") != 0 && strcmp(s, "system@ovs-system") != 0 &&
                strcmp(s, "ovs-netdev") != 0) {
                refuse(conn, "datapath not found");
                return false;
            }
        } else if (a->n < ARRAY_SIZE(a->rest)) {
            a->rest[a->n++] = s;
        }
    }
    return true;
}

/* The same, for commands that take nothing else. */
static bool read_plain_args(struct unixctl_conn *conn, int argc, const char *argv[], struct args *a)
{
    if (!read_args(conn, argc, argv, a))
        return false;
    if (a->n)
        refuse(conn, "datapath not found");
    return !a->n;
}

/* ---- dump and flush ---- */

static void dump_conntrack(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct args a;
    struct str out = STR_INIT;
    if (!read_plain_args(conn, argc, argv, &a))
        return;
    conntrack_put(&out, vs->ct, &a.filter, a.show, env_now_ms(vs->env));
    answer(conn, &out);
}

static void flush_conntrack(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct args a;
    if (!read_args(conn, argc, argv, &a))
        return;
    struct of_ct_flush flush = {.has_zone = a.filter.has_zone, .zone = a.filter.zone};
    for (unsigned i = 0; i < a.n; i++) {
        if (i > CT_REPLY) {
            refuse(conn, "invalid arguments");
            return;
        }
        struct of_ct_tuple *tuple = i ? &flush.reply : &flush.orig;
        struct diag diag = DIAG_INIT;
        if (of_ct_tuple_parse(a.rest[i], tuple, &diag)) {
            refuse(conn, "%s", diag_text(&diag));
            diag_fini(&diag);
            return;
        }
    }
    vswitch_ct_flush(vs, &flush);
    unixctl_reply(conn, NULL);
}

static void stats_show(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct args a;
    struct str out = STR_INIT;
    if (!read_plain_args(conn, argc, argv, &a))
        return;
    conntrack_put_stats(&out, vs->ct, &a.filter, a.show);
    answer(conn, &out);
}

static void show_buckets(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct args a;
    uint64_t above = 0;
    if (!read_args(conn, argc, argv, &a))
        return;
    if (a.n &&
        (strncmp(a.rest[0], "gt=", 3) != 0 || !parse_number(a.rest[0] + 3, UINT16_MAX, &above))) {
        refuse(conn, "gt=THRESHOLD is expected, not %s", a.rest[0]);
        return;
    }
    struct str out = STR_INIT;
    conntrack_put_buckets(&out, vs->ct, (unsigned)above);
    answer(conn, &out);
}

/* ---- numbers ---- */

static void get_number(struct unixctl_conn *conn, int argc, const char *argv[], uint32_t n)
{
    struct args a;
    struct str out = STR_INIT;
    if (!read_plain_args(conn, argc, argv, &a))
        return;
    str_putf(&out, "%" PRIu32 "\n", n);
    answer(conn, &out);
}

static void get_nconns(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    const struct vswitch *vs = vs_;
    get_number(conn, argc, argv, conntrack_count(vs->ct));
}

static void get_maxconns(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    const struct vswitch *vs = vs_;
    get_number(conn, argc, argv, conntrack_max(vs->ct));
}

static void set_maxconns(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct args a;
    uint64_t max;
    if (!read_args(conn, argc, argv, &a))
        return;
    if (a.n != 1 || !parse_number(a.rest[0], UINT32_MAX, &max)) {
        refuse(conn, "maxconns missing or malformed");
        return;
    }
    conntrack_set_max(vs->ct, (uint32_t)max);
    unixctl_reply(conn, "setting maxconns successful");
}

static void sequence_check(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct args a;
    if (!read_plain_args(conn, argc, argv, &a))
        return;
    if (strstr(argv[0], "get")) {
        unixctl_reply(conn, conntrack_checks_sequence(vs->ct)
                                ? "TCP sequence checking: enabled\n"
                                : "TCP sequence checking: disabled\n");
        return;
    }
    bool enable = strstr(argv[0], "enable") != NULL;
    conntrack_check_sequence(vs->ct, enable);
    unixctl_reply(conn, enable ? "enabling TCP sequence checking successful"
                               : "disabling TCP sequence checking successful");
}

/* ---- limits ---- */

/* "default=L" or "zone=N,limit=L"; CT NULL: only looks whether it is right. */
static bool set_limit(struct conntrack *ct, const char *text, const char **error)
{
    uint64_t zone, limit;
    char zone_text[16];
    const char *comma = strchr(text, ',');
    *error = "failed to parse zone limit";
    if (!strncmp(text, "default=", 8)) {
        *error = "invalid default limit";
        if (!parse_number(text + 8, UINT32_MAX, &limit))
            return false;
        if (ct)
            conntrack_set_default_limit(ct, (uint32_t)limit);
        return true;
    }
    if (strncmp(text, "zone=", 5) != 0 || !comma || comma - text - 5 >= (int)sizeof zone_text ||
        strncmp(comma, ",limit=", 7) != 0)
        return false;
    snprintf(zone_text, sizeof zone_text, "%.*s", (int)(comma - text - 5), text + 5);
    *error = "failed to parse field zone";
    if (!parse_number(zone_text, UINT16_MAX, &zone))
        return false;
    *error = "failed to parse field limit";
    if (!parse_number(comma + 7, UINT32_MAX, &limit))
        return false;
    if (ct)
        conntrack_set_limit(ct, (uint16_t)zone, (uint32_t)limit);
    return true;
}

static void set_limits(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct args a;
    const char *error;
    if (!read_args(conn, argc, argv, &a))
        return;
    if (!a.n) {
        refuse(conn, "failed to parse zone limit");
        return;
    }
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < a.n; i++) {
            if (!set_limit(round ? vs->ct : NULL, a.rest[i], &error)) {
                refuse(conn, "%s", error);
                return;
            }
        }
    }
    unixctl_reply(conn, NULL);
}

/* Calls FN for each zone of "zone=N[,N]...". False: it is something else. */
static bool each_zone(const char *text, struct conntrack *ct, struct str *out,
                      void (*fn)(struct conntrack *ct, uint16_t zone, struct str *out))
{
    char buf[512];
    uint64_t zone;
    if (strncmp(text, "zone=", 5) != 0)
        return false;
    snprintf(buf, sizeof buf, "%s", text + 5);
    char *save = NULL;
    for (char *p = strtok_r(buf, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
        if (!parse_number(p, UINT16_MAX, &zone))
            return false;
        fn(ct, (uint16_t)zone, out);
    }
    return true;
}

static void unset_limit(struct conntrack *ct, uint16_t zone, struct str *out)
{
    (void)out;
    conntrack_unset_limit(ct, zone);
}

static void put_limit(struct conntrack *ct, uint16_t zone, struct str *out)
{
    struct ct_limit l = conntrack_limit(ct, zone);
    str_putf(out, "zone=%u,limit=%u,count=%u\n", zone, l.limit, l.n);
}

/* The argument that names zones, which read_args takes for the filter when it names one. */
static const char *zones_argument(int argc, const char *argv[])
{
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "zone=", 5))
            return argv[i];
    }
    return NULL;
}

static void del_limits(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    const char *zones = zones_argument(argc, argv);
    if (!zones || !each_zone(zones, vs->ct, NULL, unset_limit))
        refuse(conn, "invalid zone");
    else
        unixctl_reply(conn, NULL);
}

static void get_limits(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    const char *zones = zones_argument(argc, argv);
    struct str out = STR_INIT;
    str_putf(&out, "default limit=%" PRIu32 "\n", conntrack_default_limit(vs->ct));
    if (zones && !each_zone(zones, vs->ct, &out, put_limit)) {
        str_fini(&out);
        refuse(conn, "invalid zone");
        return;
    }
    for (uint32_t zone = 0; !zones && zone <= UINT16_MAX; zone++) {
        if (conntrack_limit(vs->ct, (uint16_t)zone).own)
            put_limit(vs->ct, (uint16_t)zone, &out);
    }
    answer(conn, &out);
}

void ct_appctl_register(struct unixctl *ctl, struct vswitch *vs)
{
    static const struct unixctl_entry commands[] = {
        {"dpctl/dump-conntrack", "[-m] [-s] [dp] [zone=N]", 0, 4, dump_conntrack},
        {"dpctl/flush-conntrack", "[dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]", 0, 4,
         flush_conntrack},
        {"dpctl/ct-stats-show", "[dp] [zone=N] [-m]", 0, 3, stats_show},
        {"dpctl/ct-bkts", "[dp] [gt=N]", 0, 2, show_buckets},
        {"dpctl/ct-get-nconns", "[dp]", 0, 1, get_nconns},
        {"dpctl/ct-get-maxconns", "[dp]", 0, 1, get_maxconns},
        {"dpctl/ct-set-maxconns", "[dp] maxconns", 1, 2, set_maxconns},
        {"dpctl/ct-enable-tcp-seq-chk", "[dp]", 0, 1, sequence_check},
        {"dpctl/ct-disable-tcp-seq-chk", "[dp]", 0, 1, sequence_check},
        {"dpctl/ct-get-tcp-seq-chk", "[dp]", 0, 1, sequence_check},
        {"dpctl/ct-set-limits", "[dp] [default=L] [zone=N,limit=L]...", 1, 16, set_limits},
        {"dpctl/ct-del-limits", "[dp] zone=N1[,N2]...", 1, 2, del_limits},
        {"dpctl/ct-get-limits", "[dp] [zone=N1[,N2]...]", 0, 2, get_limits},
    };
    unixctl_register_all(ctl, commands, ARRAY_SIZE(commands), vs);
}
