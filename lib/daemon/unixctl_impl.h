/* unixctl_impl.h - what the parts of the control socket share; not for others. */
#pragma once

#include "base/vec.h"
#include "daemon/unixctl.h"

struct unixctl_command {
    struct list node; /* by name */
    char *name, *usage;
    int min, max;
    unixctl_fn *fn;
    void *aux;
};

struct memory_reporter {
    void (*fn)(void *aux, struct str *out);
    void *aux;
};

struct counters_reporter {
    void (*fn)(void *aux, struct counters *counters);
    void *aux;
};

struct unixctl {
    char *path, *version;
    struct stream_listener *listener;
    struct counters *counters; /* may be NULL */
    struct list commands, conns;
    VEC(struct memory_reporter) memory;
    VEC(struct counters_reporter) counted;
};

struct unixctl_command *unixctl_find(const struct unixctl *ctl, const char *name);
void unixctl_register_builtin(struct unixctl *ctl); /* unixctl_builtin.c */
