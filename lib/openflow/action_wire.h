/* action_wire.h - numbers of actions and instructions on the wire, for the files that read and write them. */
#pragma once

/* Standard actions. 1.0 has its own numbers below 12. */
enum {
    AT10_OUTPUT = 0,
    AT10_SET_VLAN_VID = 1,
    AT10_SET_VLAN_PCP = 2,
    AT10_STRIP_VLAN = 3,
    AT10_SET_DL_SRC = 4,
    AT10_SET_DL_DST = 5,
    AT10_SET_NW_SRC = 6,
    AT10_SET_NW_DST = 7,
    AT10_SET_NW_TOS = 8,
    AT10_SET_TP_SRC = 9,
    AT10_SET_TP_DST = 10,
    AT10_ENQUEUE = 11,

    AT_OUTPUT = 0,
    /* Until 1.1, and understood later too. */
    AT_SET_VLAN_VID = 1,
    AT_SET_VLAN_PCP = 2,
    AT_SET_DL_SRC = 3,
    AT_SET_DL_DST = 4,
    AT_SET_NW_SRC = 5,
    AT_SET_NW_DST = 6,
    AT_SET_NW_TOS = 7,
    AT_SET_NW_ECN = 8,
    AT_SET_TP_SRC = 9,
    AT_SET_TP_DST = 10,
    AT_SET_MPLS_LABEL = 13,
    AT_SET_MPLS_TC = 14,
    AT_SET_MPLS_TTL = 15,
    AT_DEC_MPLS_TTL = 16,
    AT_PUSH_VLAN = 17,
    AT_POP_VLAN = 18,
    AT_PUSH_MPLS = 19,
    AT_POP_MPLS = 20,
    AT_SET_QUEUE = 21,
    AT_GROUP = 22,
    AT_SET_NW_TTL = 23,
    AT_DEC_NW_TTL = 24,
    AT_SET_FIELD = 25,
    AT_PUSH_PBB = 26,
    AT_POP_PBB = 27,
    AT_COPY_FIELD = 28,
    AT_METER = 29,
    AT_EXPERIMENTER = 0xffff,
};

/* Nicira's actions. */
enum {
    NXAST_RESUBMIT = 1,
    NXAST_SET_TUNNEL = 2,
    NXAST_SET_QUEUE = 4,
    NXAST_POP_QUEUE = 5,
    NXAST_REG_MOVE = 6,
    NXAST_REG_LOAD = 7,
    NXAST_NOTE = 8,
    NXAST_SET_TUNNEL64 = 9,
    NXAST_MULTIPATH = 10,
    NXAST_BUNDLE = 12,
    NXAST_BUNDLE_LOAD = 13,
    NXAST_RESUBMIT_TABLE = 14,
    NXAST_OUTPUT_REG = 15,
    NXAST_LEARN = 16,
    NXAST_EXIT = 17,
    NXAST_DEC_TTL = 18,
    NXAST_FIN_TIMEOUT = 19,
    NXAST_CONTROLLER = 20,
    NXAST_DEC_TTL_CNT_IDS = 21,
    NXAST_WRITE_METADATA = 22,
    NXAST_PUSH_MPLS = 23,
    NXAST_POP_MPLS = 24,
    NXAST_SET_MPLS_TTL = 25,
    NXAST_DEC_MPLS_TTL = 26,
    NXAST_STACK_PUSH = 27,
    NXAST_STACK_POP = 28,
    NXAST_SAMPLE = 29,
    NXAST_OUTPUT_REG2 = 32,
    NXAST_REG_LOAD2 = 33,
    NXAST_CONJUNCTION = 34,
    NXAST_CT = 35,
    NXAST_NAT = 36,
    NXAST_CONTROLLER2 = 37,
    NXAST_SAMPLE2 = 38,
    NXAST_OUTPUT_TRUNC = 39,
    NXAST_GROUP = 40,
    NXAST_SAMPLE3 = 41,
    NXAST_CLONE = 42,
    NXAST_CT_CLEAR = 43,
    NXAST_RESUBMIT_TABLE_CT = 44,
    NXAST_LEARN2 = 45,
    NXAST_CHECK_PKT_LARGER = 49,
    NXAST_DELETE_FIELD = 50,
    NXAST_SAMPLE4 = 51,
};

enum { ONF_COPY_FIELD = 3200 };

/* Instructions. */
enum {
    IT_GOTO_TABLE = 1,
    IT_WRITE_METADATA = 2,
    IT_WRITE_ACTIONS = 3,
    IT_APPLY_ACTIONS = 4,
    IT_CLEAR_ACTIONS = 5,
    IT_METER = 6,
};

/* Properties of CONTROLLER2. */
enum { AC2_MAX_LEN, AC2_CONTROLLER_ID, AC2_REASON, AC2_USERDATA, AC2_PAUSE, AC2_METER_ID };

/* learn: bits of a spec's header. */
enum {
    LEARN_N_BITS_MASK = 0x3ff,
    LEARN_SRC_IMMEDIATE = 1 << 13,
    LEARN_DST_MASK = 3 << 11,
    LEARN_DST_MATCH = 0 << 11,
    LEARN_DST_LOAD = 1 << 11,
    LEARN_DST_OUTPUT = 2 << 11,
};

/* nat: which parts of the range follow. */
enum {
    NAT_IPV4_MIN = 1,
    NAT_IPV4_MAX = 2,
    NAT_IPV6_MIN = 4,
    NAT_IPV6_MAX = 8,
    NAT_PORT_MIN = 16,
    NAT_PORT_MAX = 32,
};
