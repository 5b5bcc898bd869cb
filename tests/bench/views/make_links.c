/* Makes what a list on standard input says, and nothing else: the least that a view costs.
 *
 *   d PATH            mkdir
 *   s TARGET<TAB>PATH symlink
 *   h TARGET<TAB>PATH link
 *   c TARGET<TAB>PATH copy, with read and write
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *path) {
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
}

static void copy(const char *from, const char *to) {
    static char buffer[1 << 20];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0644);
    ssize_t size;
    if (in < 0 || out < 0) fail(to);
    while ((size = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, size) != size) fail(to);
    close(in);
    close(out);
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&line, &room, stdin)) > 0) {
        line[length - 1] = 0;
        char *from = line + 2, *to = strchr(from, '\t');
        if (to) *to++ = 0;
        if (line[0] == 'd' && mkdir(from, 0755)) fail(from);
        if (line[0] == 's' && symlink(from, to)) fail(to);
        if (line[0] == 'h' && link(from, to)) fail(to);
        if (line[0] == 'c') copy(from, to);
    }
    return 0;
}
