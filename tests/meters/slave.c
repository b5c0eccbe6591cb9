/* A meter made of libmodbus: takes its registers from standard input ("function address word" a line, a dot ends
   them), says "ready" and its port, and answers until it is stopped.  slave tcp | slave rtu DEVICE UNIT */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

static int listening(modbus_t *line)
{
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    int server = modbus_tcp_listen(line, 4);
    if (server < 0 || getsockname(server, (struct sockaddr *)&name, &size) < 0)
        return -1;
    printf("ready %d\n", ntohs(name.sin_port));
    return server;
}

int main(int argc, char **argv)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    unsigned code, address, word;
    modbus_mapping_t *said = modbus_mapping_new(0, 0, 65535, 65535);
    int tcp = argc > 1 && strcmp(argv[1], "tcp") == 0, server = -1, client = -1;
    modbus_t *line = tcp ? modbus_new_tcp("127.0.0.1", 0) : modbus_new_rtu(argv[2], 19200, 'E', 8, 1);
    while (scanf("%u %u %u", &code, &address, &word) == 3)
        (code == 3 ? said->tab_registers : said->tab_input_registers)[address] = word;
    if (tcp) {
        server = listening(line);
        if (server < 0)
            return 1;
    } else {
        modbus_set_slave(line, atoi(argv[3]));
        if (modbus_connect(line) < 0)
            return 1;
        printf("ready 0\n");
    }
    fflush(stdout);
    for (;;) {
        if (tcp && client < 0) {
            client = modbus_tcp_accept(line, &server);
            if (client < 0)
                return 1;
        }
        int got = modbus_receive(line, query);
        if (got > 0)
            modbus_reply(line, query, got, said);
        else if (got < 0 && tcp) {
            close(client);
            client = -1;
        } else if (got < 0 && errno != EMBBADCRC && errno != ETIMEDOUT)
            return 1;
    }
}
