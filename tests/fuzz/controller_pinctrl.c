/* controller_pinctrl.c - fuzz harness: a packet-in with any userdata, any registers and any packet. An input is the length of the
 * userdata (2 bytes), reg0 to reg3 (16), reg14 and reg15 (a byte each), the userdata, the packet. Nothing is sent anywhere.
 */
#include <stddef.h>
#include <stdint.h>

#include "controller/pinctrl/pinctrl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 20 };

static struct env_seeded env;
static struct schema *schema;
static struct sb_index sb;
static struct loop *loop;
static struct pinctrl *pinctrl;

static void wake(void *aux UNUSED)
{
}

static struct row *make_row(const char *table, uint8_t id)
{
    struct uuid uuid = {{id}};
    return row_new(schema_table_find(schema, table), &uuid);
}

static void set(struct row *row, const char *column, const struct datum *value)
{
    row_set(row, schema_column_find(row->table, column), value);
}

static void add(struct row *row)
{
    struct change change = {NULL, row};
    sb_index_change(&sb, &change);
    row_unref(row);
}

static void begin(void)
{
    struct uuid datapath = {{1}};
    env_seeded_init(&env, 1);
    loop = loop_new(&env.env);
    schema = sb_schema_new();
    sb_index_init(&sb);
    struct row *row = make_row("Datapath_Binding", 1);
    set(row, "tunnel_key", datum_new_integer(4));
    add(row);
    row = make_row("Port_Binding", 2);
    set(row, "datapath", datum_new_uuid(&datapath));
    set(row, "tunnel_key", datum_new_integer(3));
    set(row, "logical_port", datum_new_string("lrp"));
    add(row);
    row = make_row("DNS", 3);
    union atom name = {.string = rstr_new("vm1.example")},
               value = {.string = rstr_new("10.0.0.1 fd00::1 vm1.example")};
    set(row, "records", datum_new_map(ATOM_STRING, ATOM_STRING, &name, &value, 1));
    set(row, "datapaths", datum_new_uuid(&datapath));
    add(row);
    struct pinctrl_options options = {
        .loop = loop, .target = "unix:/nonexistent/br.mgmt", .sb = &sb, .wake = wake};
    pinctrl = pinctrl_new(&options, NULL);
    INVARIANT(pinctrl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t continuation[4] = {0};
    if (!pinctrl)
        begin();
    if (size < HEAD)
        return 0;
    env.now_us += 500000;
    loop_run_once(loop, 0);
    size_t n = MIN(get_be16(data), size - HEAD);
    struct of_packet_in pin = {.userdata = data + HEAD,
                               .userdata_len = n,
                               .packet = data + HEAD + n,
                               .packet_len = size - HEAD - n,
                               .total_len = (uint32_t)(size - HEAD - n),
                               .continuation = continuation,
                               .continuation_len = sizeof continuation};
    match_init(&pin.metadata);
    for (unsigned i = 0; i < 4; i++)
        match_set(&pin.metadata, FIELD_REG0 + i, get_be32(data + 2 + 4 * i));
    match_set(&pin.metadata, FIELD_REG14, data[18]);
    match_set(&pin.metadata, FIELD_REG15, data[19]);
    match_set(&pin.metadata, FIELD_METADATA, 4);
    pinctrl_packet_in(pinctrl, &pin);
    return 0;
}
