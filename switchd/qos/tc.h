/* tc.h - the kernel's traffic control, by rtnetlink: queueing disciplines and classes of a network device.
 *
 * Calls wait while anybody configures any device (rtnl): they are for chores. Rates are bits a second, sizes bytes.
 */
#pragma once

#include "base/diag.h"

enum { TC_ROOT_CLASS = 0xfffe };

struct tc_class_options {
    uint64_t min_rate, max_rate, burst; /* bits a second, bits */
    uint32_t priority;
    uint32_t mtu;
};
struct tc_class_stats {
    uint64_t packets, bytes, drops;
};

/* Takes the device's root discipline away; that there is none is no error. */
int tc_clear(uint32_t ifindex) MUST_CHECK;
/* "htb" or "hfsc" as handle 1:, with DEFAULT_CLASS for what is not classified. */
int tc_set_classful(uint32_t ifindex, const char *kind, uint32_t default_class,
                    struct diag *diag) MUST_CHECK;
/* A discipline with the options of KIND as text: "sfq", "codel", "fq_codel", "netem". KEY gives values, -1: not said. */
int tc_set_simple(uint32_t ifindex, const char *kind,
                  int64_t (*value)(const void *aux, const char *key), const void *aux,
                  struct diag *diag) MUST_CHECK;
/* Class 1:MINOR under 1:PARENT (0: the discipline), made or changed. */
int tc_set_class(uint32_t ifindex, const char *kind, uint32_t parent, uint32_t minor,
                 const struct tc_class_options *options, struct diag *diag) MUST_CHECK;
int tc_delete_class(uint32_t ifindex, uint32_t minor) MUST_CHECK;
/* Calls FN for each class 1:MINOR of the device. */
int tc_read_classes(uint32_t ifindex,
                    void (*fn)(void *aux, uint32_t minor, const struct tc_class_stats *stats),
                    void *aux) MUST_CHECK;
