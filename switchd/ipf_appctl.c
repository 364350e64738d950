/* ipf_appctl.c - control commands about fragments on their way through the connection tracker, under ovs-vswitchd's names. */
#include <inttypes.h>
#include <string.h>

#include "conntrack/conntrack.h"
#include "switchd/switchd.h"

/* Which of the pairs "v4" or "v6" names; -1: it is neither, and that was said. */
static int family(struct unixctl_conn *conn, const char *text)
{
    if (!strcmp(text, "v4") || !strcmp(text, "v6"))
        return text[1] == '6';
    unixctl_error(conn, "parameter missing: 'v4' for IPv4 or 'v6' for IPv6");
    return -1;
}

static void set_enabled(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    bool disable = strstr(argv[0], "disabled") != NULL;
    int six = family(conn, argv[argc - 1]);
    if (six < 0)
        return;
    conntrack_fragment_config(vs->ct)->disabled[six] = disable;
    unixctl_reply(conn, disable ? "disabling fragmentation reassembly successful"
                                : "enabling fragmentation reassembly successful");
}

static void set_min_size(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    uint64_t n;
    int six = family(conn, argv[argc - 2]);
    if (six < 0)
        return;
    if (text_to_u64(argv[argc - 1], 10, &n) || n > UINT16_MAX ||
        n < (six ? CT_MIN_FRAGMENT6 : CT_MIN_FRAGMENT4)) {
        unixctl_error(conn, "requested minimum fragment size too small; see documentation");
        return;
    }
    conntrack_fragment_config(vs->ct)->min_size[six] = (uint32_t)n;
    unixctl_reply(conn, "setting minimum fragment size successful");
}

static void set_max(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    uint64_t n;
    if (text_to_u64(argv[argc - 1], 10, &n) || n > CT_MAX_FRAGMENTS) {
        unixctl_error(conn, "setting maximum fragments failed");
        return;
    }
    conntrack_fragment_config(vs->ct)->max = (uint32_t)n;
    unixctl_reply(conn, "setting maximum fragments successful");
}

static void get_status(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    const struct ct_fragment_config *config = conntrack_fragment_config(vs->ct);
    struct ct_fragment_stats s;
    struct str out = STR_INIT;
    conntrack_fragment_stats(vs->ct, &s);
    str_putf(&out,
             "        Fragmentation Module Status\n        ---------------------------\n"
             "        v4 enabled: %d\n        v6 enabled: %d\n"
             "        max num frags (v4/v6): %u\n        num frag: %u\n",
             !config->disabled[0], !config->disabled[1], config->max, s.n);
    for (int i = 0; i < 2; i++) {
        const struct {
            const char *name;
            uint64_t n;
        } counts[] = {{"accepted", s.accepted[i]},     {"completed", s.completed[i]},
                      {"expired", s.expired[i]},       {"too small", s.too_small[i]},
                      {"overlapped", s.overlapped[i]}, {"purged", s.purged[i]}};
        const char *name = i ? "v6" : "v4";
        str_putf(&out, "        min %s frag size: %u\n", name, config->min_size[i]);
        for (size_t k = 0; k < ARRAY_SIZE(counts); k++)
            str_putf(&out, "        %s frags %s: %" PRIu64 "\n", name, counts[k].name, counts[k].n);
    }
    if (argc > 1 && !strcmp(argv[argc - 1], "-m")) {
        str_put(&out, "\n        Fragment Lists:\n\n");
        conntrack_put_fragments(vs->ct, &out);
    }
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

void ipf_appctl_register(struct unixctl *ctl, struct vswitch *vs)
{
    unixctl_register(ctl, "dpctl/ipf-set-enabled", "[dp] v4|v6", 1, 2, set_enabled, vs);
    unixctl_register(ctl, "dpctl/ipf-set-disabled", "[dp] v4|v6", 1, 2, set_enabled, vs);
    unixctl_register(ctl, "dpctl/ipf-set-min-frag", "[dp] v4|v6 minfragment", 2, 3, set_min_size,
                     vs);
    unixctl_register(ctl, "dpctl/ipf-set-max-nfrags", "[dp] maxfrags", 1, 2, set_max, vs);
    unixctl_register(ctl, "dpctl/ipf-get-status", "[dp] [-m]", 0, 2, get_status, vs);
}
