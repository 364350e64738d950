/* ipfix.c - see ipfix.h. An entry is ten numbers of 64 bits and, for sets of collectors, the set's number with four bytes of padding. */
#include "openflow/ipfix.h"

enum { NUMBERS = 10, BRIDGE_LEN = 8 * NUMBERS, FLOW_LEN = BRIDGE_LEN + 8 };
_Static_assert(offsetof(struct of_ipfix_stats, collector_set) == BRIDGE_LEN,
               "the numbers in the order of the wire");

void of_ipfix_stats_put(struct of_reply *reply, const struct of_ipfix_stats *is)
{
    struct of_buf b = OF_BUF_INIT;
    const uint64_t *numbers = &is->total_flows;
    for (size_t i = 0; i < NUMBERS; i++)
        of_buf_put64(&b, numbers[i]);
    of_buf_put32(&b, is->collector_set);
    of_buf_put32(&b, 0);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_ipfix_stats_next(const struct of_msg *msg, size_t *ofs, struct of_ipfix_stats *ret)
{
    size_t left = msg->body_len - *ofs,
           len = msg->type == OF_IPFIX_FLOW_REPLY ? FLOW_LEN : BRIDGE_LEN;
    uint64_t *numbers = &ret->total_flows;
    if (!left)
        return 0;
    if (left < len)
        return -OF_ERR_BAD_LEN;
    const uint8_t *p = msg->body + *ofs;
    for (size_t i = 0; i < NUMBERS; i++)
        numbers[i] = get_be64(p + 8 * i);
    ret->collector_set = len == FLOW_LEN ? get_be32(p + BRIDGE_LEN) : 0;
    *ofs += len;
    return 1;
}

static void put_stats(struct str *s, const struct of_ipfix_stats *is, int indent)
{
    const struct {
        const char *name;
        uint64_t value;
    } first[] = {{"flows", is->total_flows},    {"current flows", is->current_flows},
                 {"sampled pkts", is->packets}, {"ipv4 ok", is->ip4_packets},
                 {"ipv6 ok", is->ip6_packets},  {"tx pkts", is->tx_messages}},
      second[] = {{"pkts errs", is->errors},
                  {"ipv4 errs", is->ip4_errors},
                  {"ipv6 errs", is->ip6_errors},
                  {"tx errs", is->tx_errors}};
    for (size_t i = 0; i < ARRAY_SIZE(first); i++)
        str_putf(s, "%s%s=%llu", i ? ", " : " ", first[i].name, (unsigned long long)first[i].value);
    str_putf(s, "\n%*s", indent, "");
    for (size_t i = 0; i < ARRAY_SIZE(second); i++)
        str_putf(s, "%s%s=%llu", i ? ", " : "", second[i].name,
                 (unsigned long long)second[i].value);
    str_putc(s, '\n');
}

int of_ipfix_print(struct str *s, const struct of_msg *msg)
{
    struct of_ipfix_stats is;
    size_t ofs = 0, n = 0;
    int more;
    bool bridge = msg->type == OF_IPFIX_BRIDGE_REPLY;
    while ((more = of_ipfix_stats_next(msg, &ofs, &is)) > 0)
        n++;
    if (more < 0 || (bridge && n != 1))
        return more < 0 ? -more : OF_ERR_BAD_LEN;
    if (bridge) {
        str_put(s, "\n  bridge ipfix:");
        put_stats(s, &is, 16);
        return 0;
    }
    str_putf(s, " %zu ids\n", n);
    ofs = 0;
    while (of_ipfix_stats_next(msg, &ofs, &is) > 0) {
        str_putf(s, "  id %3u:", is.collector_set);
        put_stats(s, &is, 10);
    }
    return 0;
}
