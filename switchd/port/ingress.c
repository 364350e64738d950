/* ingress.c - see ingress.h: a clsact queue discipline with a two-instruction BPF program, over
 * rtnetlink. */
#include "switchd/port/ingress.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "net/bytes.h"

enum { PRIORITY = 0xC000 };

struct request {
    struct nlmsghdr n;
    struct tcmsg t;
    uint8_t attributes[256];
};

static void put_attribute(struct nlmsghdr *n, uint16_t type, const void *data, size_t len)
{
    struct rtattr *a = (void *)((uint8_t *)n + NLMSG_ALIGN(n->nlmsg_len));
    a->rta_type = type;
    a->rta_len = (uint16_t)RTA_LENGTH(len);
    if (len)
        memcpy(RTA_DATA(a), data, len);
    n->nlmsg_len = (uint32_t)(NLMSG_ALIGN(n->nlmsg_len) + RTA_ALIGN(a->rta_len));
}

static void request_init(struct request *req, uint16_t type, uint16_t flags, uint32_t ifindex)
{
    memset(req, 0, sizeof *req);
    req->n.nlmsg_len = NLMSG_LENGTH(sizeof req->t);
    req->n.nlmsg_type = type;
    req->n.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    req->t.tcm_family = AF_UNSPEC;
    req->t.tcm_ifindex = (int)ifindex;
}

/* Sends REQ and waits for its acknowledgement: 0 or a negative errno. */
static int ask(const struct request *req)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    struct {
        struct nlmsghdr n;
        struct nlmsgerr e;
        uint8_t more[512];
    } answer;
    memset(&answer, 0, sizeof answer);
    int rc = -EIO;
    if (send(fd, req, req->n.nlmsg_len, 0) >= 0) {
        ssize_t len = recv(fd, &answer, sizeof answer, 0);
        if (len >= (ssize_t)NLMSG_LENGTH(sizeof answer.e) && answer.n.nlmsg_type == NLMSG_ERROR)
            rc = answer.e.error;
    }
    close(fd);
    return rc;
}

/* A program that drops whatever it sees; its descriptor, or -1. */
static int load_program(void)
{
    static const struct bpf_insn program[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
    attr.insns = (uint64_t)(uintptr_t)program;
    attr.insn_cnt = ARRAY_SIZE(program);
    attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
}

static void filter_init(struct request *req, uint16_t type, uint16_t flags, uint32_t ifindex)
{
    request_init(req, type, flags, ifindex);
    req->t.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    req->t.tcm_info = TC_H_MAKE((uint32_t)PRIORITY << 16, (uint32_t)swap16(ETH_P_ALL));
    put_attribute(&req->n, TCA_KIND, "bpf", sizeof "bpf");
}

int ingress_close(uint32_t ifindex)
{
    struct request req;
    request_init(&req, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex);
    req.t.tcm_parent = TC_H_CLSACT;
    req.t.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
    put_attribute(&req.n, TCA_KIND, "clsact", sizeof "clsact");
    int rc = ask(&req);
    if (rc && rc != -EEXIST)
        return ERR_UNSUPPORTED;
    int program = load_program();
    if (program < 0)
        return ERR_UNSUPPORTED;
    filter_init(&req, RTM_NEWTFILTER, NLM_F_CREATE, ifindex);
    req.t.tcm_handle = 1;
    struct rtattr *options = (void *)((uint8_t *)&req.n + NLMSG_ALIGN(req.n.nlmsg_len));
    put_attribute(&req.n, TCA_OPTIONS, NULL, 0);
    uint32_t fd = (uint32_t)program, flags = TCA_BPF_FLAG_ACT_DIRECT;
    put_attribute(&req.n, TCA_BPF_FD, &fd, sizeof fd);
    put_attribute(&req.n, TCA_BPF_NAME, "weft-switchd", sizeof "weft-switchd");
    put_attribute(&req.n, TCA_BPF_FLAGS, &flags, sizeof flags);
    options->rta_len =
        (uint16_t)((uint8_t *)&req.n + NLMSG_ALIGN(req.n.nlmsg_len) - (uint8_t *)options);
    rc = ask(&req);
    close(program);
    return rc ? ERR_UNSUPPORTED : 0;
}

void ingress_open(uint32_t ifindex)
{
    struct request req;
    filter_init(&req, RTM_DELTFILTER, 0, ifindex);
    req.t.tcm_handle = 1;
    (void)ask(&req);
}
