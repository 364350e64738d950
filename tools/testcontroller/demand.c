/* demand.c - flows that a switch gets when a packet asks for them: tables that are filled on demand (docs/seeds.md, WK-62, WK-84).
 *
 * A table sends what it has no flow for to the controller. When one of the flows given covers the packet there, the switch
 * gets it, and the packet goes through the tables again; a packet that none covers is dropped, and asks again next time.
 */
#include "openflow/text.h"
#include "tools/testcontroller/session.h"

static bool wanted(const struct of_flow_mod *fm, const struct packet_in *in, bool *same_table)
{
    if (fm->table_id != in->pin->table_id)
        return false;
    *same_table = true;
    return match_covers_key(&fm->match, &in->key);
}

bool demand_packet(struct session *s, const struct packet_in *in)
{
    char *const *text;
    bool same_table = false;
    VEC_FOR_EACH (text, &s->config->on_demand) {
        struct of_flow_mod fm;
        bool parsed = !of_flow_mod_parse(*text, OF_FLOW_ADD, NULL, NULL, &fm, NULL);
        if (parsed && wanted(&fm, in, &same_table)) { /* main.c has checked them */
            struct of_actions again = OF_ACTIONS_INIT;
            of_put_output(&again, PORT_TABLE);
            session_flow(s, &fm);
            session_packet_out(s, in, &again);
            of_actions_fini(&again);
            return true;
        }
        of_flow_mod_fini(&fm);
    }
    return same_table;
}
