/* A Modbus TCP server that costs next to nothing, so that what asks it is what is measured.
 *
 *     server HOSTS SECONDS < table
 *
 * listens on one port of the addresses 127.0.1.1, 127.0.1.2 … (200 of each third byte), says the port on its first line of
 * output, and ends after SECONDS or when its input ends. Every line of the table, up to the line "go", is one number that
 * all meters tell: function code, address, f32 or u32, value at the start, what it grows in a second, and how far it wobbles.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_NUMBERS 256
#define MOST_FILES 8192
#define TICK_SECONDS 0.01

struct number { int code, address, is_float; double base, slope, wobble; };
struct caller { int used; uint8_t bytes[512]; };

static struct number numbers[MOST_NUMBERS];
static int count_numbers;
static uint16_t words[2][65536]; /* of function codes 3 and 4, in network order */
static struct caller *callers[MOST_FILES]; /* NULL: a listening socket */
static double began, told_at = -1;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void renew(double t) {
    if (t - told_at < TICK_SECONDS) return;
    told_at = t;
    for (int i = 0; i < count_numbers; i++) {
        struct number *n = &numbers[i];
        double value = n->base + n->slope * (t - began) + n->wobble * sin(t * (1 + i % 7));
        uint32_t bits;
        float single = (float)value;
        if (n->is_float) memcpy(&bits, &single, 4);
        else bits = (uint32_t)llround(value);
        words[n->code - 3][n->address] = htons(bits >> 16);
        words[n->code - 3][(n->address + 1) & 0xffff] = htons(bits & 0xffff);
    }
}

static int answer(const uint8_t *asked, uint8_t *said) {
    int code = asked[7], address = asked[8] << 8 | asked[9], count = asked[10] << 8 | asked[11];
    memcpy(said, asked, 8);
    if ((code != 3 && code != 4) || count < 1 || count > 125 || address + count > 65536) {
        said[4] = 0, said[5] = 3, said[7] = code | 0x80, said[8] = code == 3 || code == 4 ? 2 : 1;
        return 9;
    }
    said[4] = 0, said[5] = 3 + 2 * count, said[8] = 2 * count;
    memcpy(said + 9, &words[code - 3][address], 2 * count);
    return 9 + 2 * count;
}

static int serve(int file, struct caller *who) { /* 0: gone */
    ssize_t got = recv(file, who->bytes + who->used, sizeof who->bytes - who->used, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    who->used += got;
    renew(now());
    int at = 0;
    while (who->used - at >= 12) {
        uint8_t said[300];
        int length = answer(who->bytes + at, said);
        if (send(file, said, length, MSG_NOSIGNAL) != length) return 0;
        at += 12;
    }
    memmove(who->bytes, who->bytes + at, who->used - at);
    who->used -= at;
    return 1;
}

static int listen_at(int host, int port) {
    int file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    char name[32];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    snprintf(name, sizeof name, "127.0.%d.%d", 1 + host / 200, 1 + host % 200);
    inet_pton(AF_INET, name, &at.sin_addr);
    if (file < 0) fail("socket");
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(file, (struct sockaddr *)&at, sizeof at) || listen(file, 1024)) fail("listen");
    return file;
}

static void watch(int poll, int file) {
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = file};
    if (file >= MOST_FILES) fail("too many connections");
    if (epoll_ctl(poll, EPOLL_CTL_ADD, file, &wanted)) fail("epoll");
}

static void read_table(void) {
    char line[256], type[8];
    while (fgets(line, sizeof line, stdin) && strncmp(line, "go", 2)) {
        struct number n;
        if (count_numbers == MOST_NUMBERS ||
            sscanf(line, "%d %d %7s %lf %lf %lf", &n.code, &n.address, type, &n.base, &n.slope, &n.wobble) != 6 ||
            (n.code != 3 && n.code != 4) || n.address < 0 || n.address > 65534) {
            fprintf(stderr, "not a line of the table: %s", line);
            exit(2);
        }
        n.is_float = !strcmp(type, "f32");
        numbers[count_numbers++] = n;
    }
}

int main(int argc, char **argv) {
    if (argc != 3) { fprintf(stderr, "server HOSTS SECONDS < table\n"); return 2; }
    int hosts = atoi(argv[1]), poll = epoll_create1(0), port = 0, on = 1;
    double seconds = atof(argv[2]);
    read_table();
    began = now();
    for (int host = 0; host < hosts; host++) {
        int file = listen_at(host, port);
        struct sockaddr_in at;
        socklen_t size = sizeof at;
        getsockname(file, (struct sockaddr *)&at, &size);
        port = ntohs(at.sin_port);
        watch(poll, file);
    }
    watch(poll, STDIN_FILENO);
    printf("%d\n", port);
    fflush(stdout);
    while (now() - began < seconds) {
        struct epoll_event ready[256];
        int found = epoll_wait(poll, ready, 256, 500);
        for (int i = 0; i < found; i++) {
            int file = ready[i].data.fd;
            if (file == STDIN_FILENO) return 0;
            if (callers[file]) {
                if (serve(file, callers[file])) continue;
                close(file);
                free(callers[file]);
                callers[file] = NULL;
                continue;
            }
            int caller = accept4(file, NULL, NULL, SOCK_NONBLOCK);
            if (caller < 0) continue;
            setsockopt(caller, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(poll, caller);
            callers[caller] = calloc(1, sizeof(struct caller));
        }
    }
    return 0;
}
