/* ofcontroller.c - the controllers that a bridge is configured with: kept connected, or listened for. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "switchd/ofconn.h"

LOG_MODULE(ofcontroller);

static void controller_ready(void *ctl_, struct of_conn *conn)
{
    struct ofcontroller *ctl = ctl_;
    log_info("bridge %s: connected to controller \"%s\"", ctl->of->br->name, ctl->target);
    struct ofconn *oc = NEW(struct ofconn);
    ofconn_init(oc, ctl->of, false);
    oc->conn = conn;
    ctl->conn = oc;
    ctl->connected_ms = env_now_ms(ctl->of->br->vs->env);
    list_push_back(&ctl->of->conns, &oc->node);
    ofserver_update_miss(ctl->of);
}

static void controller_message(void *ctl_, struct of_conn *conn, const struct of_msg *msg)
{
    struct ofcontroller *ctl = ctl_;
    if (ctl->conn)
        ofserver_on_message(ctl->conn, conn, msg);
}

static void controller_drained(void *ctl_, struct of_conn *conn)
{
    struct ofcontroller *ctl = ctl_;
    (void)conn;
    if (ctl->conn)
        ofconn_drained(ctl->conn);
}

static void controller_closed(void *ctl_, struct of_conn *conn, int err, const char *reason)
{
    struct ofcontroller *ctl = ctl_;
    (void)conn;
    (void)err;
    if (!ctl->conn)
        return;
    log_info("bridge %s: lost controller \"%s\" (%s)", ctl->of->br->name, ctl->target, reason);
    ctl->conn->conn = NULL;
    ofconn_free(ctl->conn);
    ctl->conn = NULL;
    ctl->disconnected_ms = env_now_ms(ctl->of->br->vs->env);
}

static const struct of_conn_callbacks controller_callbacks = {.ready = controller_ready,
                                                              .message = controller_message,
                                                              .drained = controller_drained,
                                                              .closed = controller_closed};

static void service_accept(void *ctl_, struct stream *stream)
{
    const struct ofcontroller *ctl = ctl_;
    ofserver_serve(ctl->of, stream, ctl);
}

static void controller_free(struct ofcontroller *ctl)
{
    struct ofconn *oc, *next;
    LIST_FOR_EACH_SAFE (oc, next, node, &ctl->of->conns) {
        if (oc->service == ctl)
            ofconn_free(oc);
    }
    if (ctl->conn) {
        ctl->conn->conn = NULL;
        ofconn_free(ctl->conn);
    }
    of_remote_free(ctl->remote);
    stream_listener_free(ctl->listener);
    list_remove(&ctl->node);
    free(ctl->target);
    free(ctl);
}

/* Whoever may write the database may not point the switch at any socket of the machine: of unix sockets
 * only those in the run directory that are named after the bridge (seeds WK-94). */
static bool target_is_allowed(const struct ofserver *of, const char *target)
{
    const char *path = text_starts_with(target, "unix:")    ? target + 5
                       : text_starts_with(target, "punix:") ? target + 6
                                                            : NULL;
    if (!path)
        return true;
    char *prefix = xasprintf("%s/%s.", of->br->vs->rundir, of->br->name);
    bool ok = text_starts_with(path, prefix) && !strchr(path + strlen(prefix), '/');
    free(prefix);
    return ok;
}

static void controller_add(struct ofserver *of, const struct ofcontroller_config *config)
{
    struct ofcontroller *ctl = NEW(struct ofcontroller);
    ctl->of = of;
    ctl->target = xstrdup(config->target);
    ctl->probe_ms = config->probe_ms;
    ctl->max_backoff_ms = config->max_backoff_ms;
    list_push_back(&of->controllers, &ctl->node);
    if (!target_is_allowed(of, config->target)) {
        log_err("bridge %s: not connecting to \"%s\": only sockets %s/%s.* are allowed",
                of->br->name, config->target, of->br->vs->rundir, of->br->name);
        return;
    }
    struct reconnect_options reconnect = {.stream = {.default_port = TARGET_PORT_OPENFLOW,
                                                     .rundir = of->br->vs->rundir,
                                                     .tls = of->br->vs->tls},
                                          .max_backoff_ms = config->max_backoff_ms};
    struct of_conn_options options = {.versions = OF_VERSIONS_ALL, .probe_ms = config->probe_ms};
    struct diag diag = DIAG_INIT;
    int err = target_is_passive(config->target)
                  ? stream_listen(of->br->vs->loop, config->target, &reconnect.stream,
                                  service_accept, ctl, &ctl->listener, &diag)
                  : of_remote_new(of->br->vs->loop, config->target, &reconnect, &options,
                                  &controller_callbacks, ctl, &ctl->remote, &diag);
    if (err)
        log_warn("bridge %s: controller \"%s\": %s", of->br->name, config->target,
                 diag_text(&diag));
    diag_fini(&diag);
}

void ofserver_set_controllers(struct ofserver *of, const struct ofcontroller_config *configs,
                              size_t n)
{
    struct ofcontroller *ctl, *next;
    LIST_FOR_EACH_SAFE (ctl, next, node, &of->controllers) {
        bool stays = false;
        for (size_t i = 0; i < n; i++)
            stays |= !strcmp(configs[i].target, ctl->target) &&
                     configs[i].probe_ms == ctl->probe_ms &&
                     configs[i].max_backoff_ms == ctl->max_backoff_ms;
        if (!stays)
            controller_free(ctl);
    }
    for (size_t i = 0; i < n; i++) {
        bool there = false;
        LIST_FOR_EACH (ctl, node, &of->controllers)
            there |= !strcmp(configs[i].target, ctl->target);
        if (!there)
            controller_add(of, &configs[i]);
    }
}

size_t ofserver_controllers(const struct ofserver *of, struct ofcontroller_status *ret, size_t max)
{
    static const char *const roles[] = {"other", "other", "master", "slave"};
    size_t n = 0;
    const struct ofcontroller *ctl;
    LIST_FOR_EACH (ctl, node, &of->controllers) {
        if (n < max)
            ret[n++] = (struct ofcontroller_status){
                .target = ctl->target,
                .connected = ctl->conn != NULL,
                .role = ctl->conn ? roles[ctl->conn->role] : "other",
                .state = ctl->remote ? of_remote_state(ctl->remote) : NULL,
                .last_error = ctl->remote ? of_remote_last_error(ctl->remote) : NULL,
                .connected_ms = ctl->connected_ms,
                .disconnected_ms = ctl->disconnected_ms,
            };
    }
    return n;
}

bool ofserver_has_controllers(const struct ofserver *of)
{
    const struct ofcontroller *ctl;
    LIST_FOR_EACH (ctl, node, &of->controllers) {
        if (!target_is_passive(ctl->target))
            return true;
    }
    return false;
}

bool ofserver_is_controlled(const struct ofserver *of)
{
    const struct ofcontroller *ctl;
    LIST_FOR_EACH (ctl, node, &of->controllers) {
        if (ctl->conn)
            return true;
    }
    return !ofserver_has_controllers(of);
}

void ofcontrollers_free(struct ofserver *of)
{
    while (!list_empty(&of->controllers))
        controller_free(LIST_FIRST(struct ofcontroller, node, &of->controllers));
}

void ofserver_reconnect(struct ofserver *of)
{
    struct ofcontroller *ctl;
    LIST_FOR_EACH (ctl, node, &of->controllers) {
        if (ctl->remote)
            of_remote_reconnect(ctl->remote);
    }
}
