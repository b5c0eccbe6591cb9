/* Reads of registers by libmodbus, as the measure of what a read must cost.
 *
 *     libmodbus_reads one|all PORT CONNECTIONS REGISTERS SECONDS
 *
 * opens so many connections (to 127.0.1.1, 127.0.1.2 … as server.c listens), and reads holding registers from 0 until the time
 * is over: "one" after another (modbus_read_registers), or asks on "all" connections before it takes the answers, which is
 * the most that one thread gets out of libmodbus. Says reads, seconds and CPU seconds as JSON.
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void must(int good, const char *what) {
    if (good) return;
    fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
    exit(1);
}

int main(int argc, char **argv) {
    if (argc != 6) { fprintf(stderr, "libmodbus_reads one|all PORT CONNECTIONS REGISTERS SECONDS\n"); return 2; }
    int all = !strcmp(argv[1], "all"), port = atoi(argv[2]), count = atoi(argv[3]), registers = atoi(argv[4]);
    double limit = atof(argv[5]);
    modbus_t **bus = calloc(count, sizeof *bus);
    uint16_t words[MODBUS_MAX_READ_REGISTERS];
    uint8_t reply[MODBUS_TCP_MAX_ADU_LENGTH];
    for (int i = 0; i < count; i++) {
        char host[32];
        snprintf(host, sizeof host, "127.0.%d.%d", 1 + i / 200, 1 + i % 200);
        bus[i] = modbus_new_tcp(host, port);
        must(bus[i] != NULL, "modbus_new_tcp");
        modbus_set_slave(bus[i], 1);
        modbus_set_response_timeout(bus[i], 5, 0);
        must(!modbus_connect(bus[i]), "modbus_connect");
    }
    uint8_t request[] = {1, MODBUS_FC_READ_HOLDING_REGISTERS, 0, 0, registers >> 8, registers & 0xff};
    double began = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), passed;
    long reads = 0;
    do {
        if (all)
            for (int i = 0; i < count; i++)
                must(modbus_send_raw_request(bus[i], request, sizeof request) > 0, "modbus_send_raw_request");
        for (int i = 0; i < count; i++, reads++) {
            if (all) {
                must(modbus_receive_confirmation(bus[i], reply) == 9 + 2 * registers, "modbus_receive_confirmation");
                for (int r = 0; r < registers; r++) words[r] = reply[9 + 2 * r] << 8 | reply[10 + 2 * r];
            } else {
                must(modbus_read_registers(bus[i], 0, registers, words) == registers, "modbus_read_registers");
            }
        }
        passed = seconds_of(CLOCK_MONOTONIC) - began;
    } while (passed < limit);
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("{\"reads\": %ld, \"seconds\": %.6f, \"cpu_seconds\": %.6f, \"first\": %d}\n", reads, passed, cpu, words[0]);
    for (int i = 0; i < count; i++) { modbus_close(bus[i]); modbus_free(bus[i]); }
    return 0;
}
