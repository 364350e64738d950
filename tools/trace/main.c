/* main.c - weft-trace: what becomes of a packet in a logical network. See program.c. */
#include "tools/trace/trace.h"

int main(int argc, char **argv)
{
    return trace_main(argc, argv);
}
