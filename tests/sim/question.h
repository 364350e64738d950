/* question.h - packets to send: chance. */
#pragma once

#include "sim/model.h"

struct question {
    unsigned from; /* a port, or OUTSIDE */
    bool is_spoofed;
    struct flow_key key;
    struct talk talk;
};

/* False: there is nobody to send. Packets that would keep a router asking for somebody who does not answer are not made: they would come
 * out whenever he does. */
bool question_make(struct net *net, struct question *ret);
