/* control.c - the controller's commands on its control socket (ovs-appctl -t ovn-controller ..., weft-appctl). Beside the rooms of
 * docs/architecture.md. Names are OVN's where it has the command.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/vec.h"
#include "controller/controller_internal.h"

static void reply(struct unixctl_conn *conn, struct str *text)
{
    unixctl_reply(conn, str_c(text));
    str_fini(text);
}

static void connection_status(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                              void *c_)
{
    const struct controller *c = c_;
    unixctl_reply(conn, c->sb && replica_is_connected(c->sb) ? "connected" : "not connected");
}

static void inc_show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                     void *c_)
{
    const struct controller *c = c_;
    struct str text = STR_INIT;
    inc_print_stats(c->inc, &text);
    str_putf(&text, "generation %" PRIu64 "\n", c->generation);
    if (c->options.verify)
        str_putf(&text, "verified %" PRIu64 " times, %" PRIu64 " differences\n", c->verified,
                 c->verify_failures);
    reply(conn, &text);
}

static void recompute(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                      void *c_)
{
    struct controller *c = c_;
    inc_recompute(c->inc);
    c->recomputes++;
    deferred_schedule(&c->run);
    unixctl_reply(conn, NULL);
}

static void install_show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                         void *c_)
{
    const struct controller *c = c_;
    struct installer_stats s = controller_install_stats(c);
    struct str text = STR_INIT;
    str_putf(&text, "switch: %s\n", s.is_connected ? "connected" : "not connected");
    str_putf(&text, "flows: %zu desired, %zu installed, %zu refused\n", s.desired, s.installed,
             s.rejected);
    str_putf(&text,
             "sent: %" PRIu64 " adds, %" PRIu64 " deletes in %" PRIu64 " bundles, %" PRIu64
             " failed\n",
             s.adds, s.deletes, s.bundles, s.failures);
    str_putf(&text, "groups and meters: %" PRIu64 " sent\n", s.objects);
    reply(conn, &text);
}

static void pinctrl_show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                         void *c_)
{
    const struct controller *c = c_;
    struct pinctrl_stats s = c->pinctrl ? c->pinctrl->stats : (struct pinctrl_stats){0};
    struct str text = STR_INIT;
    const struct {
        const char *name;
        uint64_t n;
    } counters[] = {
        {"packet-ins", s.packet_ins},
        {"malformed", s.malformed},
        {"unknown opcodes", s.unknown_opcodes},
        {"over the limit of their port", s.limited},
        {"requests answered", s.answered},
        {"requests left unanswered", s.unanswered},
        {"router advertisements sent", s.ras_sent},
        {"gratuitous announcements sent", s.garps_sent},
        {"events written", s.events},
        {"events dropped", s.events_dropped},
        {"virtual ports bound", s.vports_bound},
        {"service checks sent", s.checks_sent},
        {"service checks failed", s.checks_failed},
        {"packets that no error may answer", s.unanswerable},
        {"ICMP errors over the limit of their host", s.errors_limited},
        {"ARP and ND requests sent", s.arp_sent},
        {"ARP and ND requests not repeated", s.arp_limited},
        {"packets waiting", s.packets_waiting},
        {"packets released", s.packets_released},
        {"packets dropped", s.packets_dropped},
        {"neighbours learned", s.learned},
        {"neighbours refreshed", s.neighbors_refreshed},
        {"neighbours probed", s.neighbors_probed},
        {"neighbours forgotten", s.neighbors_aged},
        {"neighbours that moved", s.neighbors_moved},
        {"neighbours with two MACs", s.neighbors_duplicate},
        {"neighbours dropped, port has too many", s.neighbors_over_limit},
        {"neighbours dropped, table full", s.put_arp_full},
        {"neighbours dropped, unknown port", s.put_arp_unknown_port},
        {"neighbours dropped, too old", s.put_arp_old},
    };
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
        str_putf(&text, "%s: %" PRIu64 "\n", counters[i].name, counters[i].n);
    for (int i = 0; i < N_HANDLERS; i++)
        if (s.handlers[i].packet_ins)
            str_putf(&text,
                     "  %s: %" PRIu64 ", malformed %" PRIu64 ", over the limit %" PRIu64 "\n",
                     pinctrl_handler_name(i), s.handlers[i].packet_ins, s.handlers[i].malformed,
                     s.handlers[i].limited);
    reply(conn, &text);
}

static void neighbors_show(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    const struct controller *c = c_;
    const char *port = argc > 1 ? argv[1] : NULL;
    struct str text = STR_INIT;
    if (!c->pinctrl) {
        unixctl_error(conn, "not connected to a bridge and a southbound database yet");
    } else if (neighbor_show(c->pinctrl, port, &text)) {
        reply(conn, &text);
        return;
    } else {
        str_putf(&text, "no port named %s is known here", port);
        unixctl_error(conn, str_c(&text));
    }
    str_fini(&text);
}

struct lines {
    struct str text;
    VEC(char *) list;
};

static void add_line(const char *name, uint32_t id, void *lines_)
{
    struct lines *lines = lines_;
    vec_push(&lines->list, xasprintf("%s %u", name, id));
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names and numbers of a kind, in order of names. */
static void reply_ids(struct unixctl_conn *conn, const struct controller *c, enum id_kind kind)
{
    struct lines lines = {.text = STR_INIT};
    ids_for_each(&c->ids, kind, add_line, &lines);
    if (lines.list.n)
        qsort(lines.list.data, lines.list.n, sizeof *lines.list.data, compare_lines);
    for (size_t i = 0; i < lines.list.n; i++) {
        str_putf(&lines.text, "%s\n", lines.list.data[i]);
        free(lines.list.data[i]);
    }
    vec_fini(&lines.list);
    reply(conn, &lines.text);
}

static void ct_zone_list(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                         void *c)
{
    reply_ids(conn, c, ID_ZONE);
}

static void group_list(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                       void *c)
{
    reply_ids(conn, c, ID_GROUP);
}

static void meter_list(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                       void *c)
{
    reply_ids(conn, c, ID_METER);
}

static const struct unixctl_entry commands[] = {
    {"connection-status", "", 0, 0, connection_status},
    {"inc/show", "", 0, 0, inc_show},
    {"inc-engine/show-stats", "", 0, 0, inc_show},
    {"recompute", "", 0, 0, recompute},
    {"inc-engine/recompute", "", 0, 0, recompute},
    {"install/show", "", 0, 0, install_show},
    {"pinctrl/show", "", 0, 0, pinctrl_show},
    {"ct-zone-list", "", 0, 0, ct_zone_list},
    {"group-table-list", "", 0, 0, group_list},
    {"meter-table-list", "", 0, 0, meter_list},
    {"neighbors/show", "[PORT]", 0, 1, neighbors_show},
    {"explain", "COOKIE", 1, 1, control_explain},
};

/* "facts-bytes" and the rest, for memory/show. */
static void put_memory(void *c_, struct str *out)
{
    const struct controller *c = c_;
    struct installer_stats s = controller_install_stats(c);
    str_putf(out, "facts-bytes:%zu lflows:%zu oflows:%zu flows-desired:%zu flows-installed:%zu",
             inc_memory(c->inc), inc_count(c->inc, c->program.in_lflow),
             inc_count(c->inc, c->program.oflow), s.desired, s.installed);
}

static void put_counters(void *c_, struct counters *counters)
{
    const struct controller *c = c_;
    struct installer_stats s = controller_install_stats(c);
    counter_set(counters, "ovs_update", c->ovs_updates);
    counter_set(counters, "sb_update", c->sb_updates);
    counter_set(counters, "recompute", c->recomputes);
    counter_set(counters, "flow_add", s.adds);
    counter_set(counters, "flow_delete", s.deletes);
    counter_set(counters, "bundle", s.bundles);
    counter_set(counters, "bundle_failed", s.failures);
    for (int i = 0; c->pinctrl && i < N_HANDLERS; i++) {
        char *name = xasprintf("packet_in_%s", pinctrl_handler_name(i));
        counter_set(counters, name, c->pinctrl->stats.handlers[i].packet_ins);
        free(name);
    }
}

void control_register(struct controller *c)
{
    if (c->options.unixctl)
        unixctl_add_memory(c->options.unixctl, put_memory, c);
    unixctl_add_counters(c->options.unixctl, put_counters, c);
    unixctl_register_all(c->options.unixctl, commands, ARRAY_SIZE(commands), c);
}

void control_unregister(struct controller *c)
{
    control_explain_end(c);
    for (size_t i = 0; c->options.unixctl && i < ARRAY_SIZE(commands); i++)
        unixctl_unregister(c->options.unixctl, commands[i].name);
}
