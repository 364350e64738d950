/* config_inband.c - which remotes a bridge must keep the way open to: rows of Controller and Manager, other_config; see config.h and
 * inband/inband.h.
 *
 * In-band is the default for remotes on the network (ovs-vswitchd.conf.db(5), connection_mode). Managers count for every bridge: a
 * manager that cannot be reached could never mend a wrong controller. A bridge without local port has no in-band control.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "io/target.h"
#include "rows/ovs.h"
#include "switchd/config.h"
#include "switchd/inband/inband.h"

LOG_MODULE(in_band);

struct wanted {
    const struct bridge *br;
    VEC(struct inband_remote) remotes;
};

static void want_target(struct wanted *w, const char *text, uint16_t default_port)
{
    static struct log_rate rate = LOG_RATE(2, 4);
    struct target target;
    struct diag diag = DIAG_INIT;
    if (!target_is_active(text) || !strncmp(text, "unix:", 5))
        return;
    if (target_parse(text, default_port, NULL, &target, &diag)) {
        log_warn_limited(
            &rate,
            "bridge %s: no in-band control for \"%s\": %s (a remote must be given by its "
            "address, since its name could not be looked up through the bridge)",
            w->br->name, text, diag_text(&diag));
    } else {
        const struct sockaddr_in *in = (const void *)&target.addr;
        const struct sockaddr_in6 *in6 = (const void *)&target.addr;
        struct inband_remote remote = {0};
        if (target.addr.ss_family == AF_INET && (ntohl(in->sin_addr.s_addr) >> 24) != 127) {
            remote.ip = ip_addr_from_v4(in->sin_addr.s_addr);
            remote.port = ntohs(in->sin_port);
        } else if (target.addr.ss_family == AF_INET6 && !IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr)) {
            remote.ip.version = 6;
            memcpy(&remote.ip.v6, &in6->sin6_addr, sizeof remote.ip.v6);
            remote.port = ntohs(in6->sin6_port);
        }
        if (remote.ip.version)
            vec_push(&w->remotes, remote);
        target_fini(&target);
    }
    diag_fini(&diag);
}

static bool is_in_band(const char *mode)
{
    return !mode || !strcmp(mode, "in-band");
}

static void want_controller(void *wanted, const struct row *row_)
{
    const struct ovs_controller *row = ovs_controller_cast(row_);
    if (is_in_band(ovs_controller_connection_mode(row)))
        want_target(wanted, ovs_controller_target(row), TARGET_PORT_OPENFLOW);
}

static void want_manager(void *wanted, const struct row *row_)
{
    const struct ovs_manager *row = ovs_manager_cast(row_);
    if (is_in_band(ovs_manager_connection_mode(row)))
        want_target(wanted, ovs_manager_target(row), TARGET_PORT_OVSDB);
}

/* "10.0.0.1:6653,10.0.0.2:6640": remotes of other switches, whose way leads through this one. */
static void want_listed(struct wanted *w, const char *list)
{
    char *copy = xstrdup(list), *save = NULL;
    for (char *p = strtok_r(copy, ", ", &save); p; p = strtok_r(NULL, ", ", &save)) {
        char *target = xasprintf("tcp:%s", p);
        want_target(w, target, TARGET_PORT_OPENFLOW);
        free(target);
    }
    free(copy);
}

void config_apply_inband(struct config *config, struct bridge *br, const struct row *row_)
{
    const struct ovs_bridge *row = ovs_bridge_cast(row_);
    const struct row *root = config_root(config);
    const char *disable = ovs_bridge_other_config_value(row, "disable-in-band");
    const char *queue = ovs_bridge_other_config_value(row, "in-band-queue");
    const char *listed = ovs_bridge_other_config_value(row, "in-band-remotes");
    struct wanted w = {.br = br, .remotes = VEC_INIT};
    if (!disable || strcmp(disable, "true") != 0) {
        config_each(config, ovs_bridge_controller(row), OVS_TABLE_CONTROLLER, want_controller, &w);
        if (root)
            config_each(config, ovs_open_vswitch_manager_options(ovs_open_vswitch_cast(root)),
                        OVS_TABLE_MANAGER, want_manager, &w);
        if (listed)
            want_listed(&w, listed);
    }
    if (w.remotes.n) {
        uint64_t id;
        if (!br->inband)
            br->inband = inband_new(br, &inband_kernel_real);
        inband_set_queue(br->inband, queue && !text_to_u64(queue, 10, &id) && id <= UINT32_MAX
                                         ? (int64_t)id
                                         : INBAND_NO_QUEUE);
        inband_set_remotes(br->inband, w.remotes.data, w.remotes.n);
    } else {
        inband_free(br->inband);
        br->inband = NULL;
    }
    vec_fini(&w.remotes);
}
