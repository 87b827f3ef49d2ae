#include "train/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"

enum { STANDARD_STREAMS = 3, ERROR_LINES = 3, ERROR_LINE_LENGTH = 200 };

static status picture_failed(const gnuplot *g, const char *what, const char *cause)
{
    return status_fail(STATUS_BAD_FILE, "%s: error: %s: %s", g->picture, what, cause);
}

/* ---- the script ---- */

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), tail = strlen(ending);
    return length > tail && strcasecmp(text + length - tail, ending) == 0;
}

/* A file without a name. */
static FILE *memory_file(const char *purpose)
{
    int descriptor = memfd_create(purpose, MFD_CLOEXEC);
    FILE *f = descriptor < 0 ? NULL : fdopen(descriptor, "w+");
    if (!f && descriptor >= 0)
        close(descriptor);
    return f;
}

static void write_terminal(gnuplot *g, int width, int height)
{
    fputs("set encoding utf8\n", g->script);
    if (g->svg)
        fprintf(g->script, "set terminal svg noenhanced size %d,%d font 'sans-serif,14' background '#ffffff'\n", width, height);
    else
        fprintf(g->script,
                "if (strstrt(GPVAL_TERMINALS, 'pngcairo')) {\n"
                "set terminal pngcairo noenhanced size %d,%d font 'Sans,11' background '#ffffff'\n"
                "} else {\n"
                "set terminal png truecolor noenhanced size %d,%d font 'DejaVu Sans' 10 background '#ffffff'\n"
                "}\n",
                width, height, width, height);
}

static void release(gnuplot *g)
{
    if (g->script)
        fclose(g->script);
    uselocale(g->before);
    freelocale(g->numbers);
}

status gnuplot_begin(gnuplot *g, const char *picture, int width, int height)
{
    *g = (gnuplot){.picture = picture, .svg = ends_with(picture, ".svg")};
    if (!g->svg && !ends_with(picture, ".png"))
        return status_fail(STATUS_BAD_FILE, "%s: error: the name of a picture must end in .png or .svg", picture);
    g->numbers = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!g->numbers)
        return picture_failed(g, "cannot be drawn", strerror(errno));
    g->before = uselocale(g->numbers);
    g->script = memory_file("gnuplot script");
    if (!g->script) {
        status s = picture_failed(g, "cannot be drawn", strerror(errno));
        release(g);
        return s;
    }
    write_terminal(g, width, height);
    return STATUS_OK;
}

void gnuplot_panels(gnuplot *g, int rows, int columns, const char *title, int limit)
{
    fprintf(g->script, "set multiplot layout %d,%d title", rows, columns);
    gnuplot_text(g, title, limit);
    fprintf(g->script, " font ',%d'\n", g->svg ? 19 : 15);
}

double gnuplot_tic_step(double rough)
{
    double decade = pow(10, floor(log10(rough)));
    return decade * (rough <= decade ? 1 : rough <= 2 * decade ? 2 : rough <= 5 * decade ? 5 : 10);
}

/* ---- the process ---- */

/* The caller's environment with LC_ALL=C; the array is the caller's to free, the strings are not. */
static char **child_environment(void)
{
    size_t n = 0, kept = 0;
    while (environ && environ[n])
        n++;
    char **copy = allocate_zeroed(n + 2, sizeof *copy);
    if (!copy)
        return NULL;
    copy[kept++] = "LC_ALL=C";
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], "LC_ALL=", 7) != 0)
            copy[kept++] = environ[i];
    return copy;
}

/* An error number; 0: *child runs with `streams` as its standard streams. They were opened in this order, so none is less
 * than its index, and no dup2 closes one that is needed later, also in a program without standard streams of its own. */
static int spawn(const int streams[STANDARD_STREAMS], char **environment, pid_t *child)
{
    char *arguments[] = {"gnuplot", "-d", NULL}; /* -d: no gnuplotrc of the user's */
    posix_spawn_file_actions_t actions;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure)
        return failure;
    for (int i = 0; i < STANDARD_STREAMS && !failure; i++)
        failure = posix_spawn_file_actions_adddup2(&actions, streams[i], i);
    if (!failure)
        failure = posix_spawnp(child, arguments[0], &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

/* 0 also when the caller ignores SIGCHLD and the outcome is lost: the picture itself is judged next. */
static int wait_for(pid_t child)
{
    int outcome = 0;
    pid_t reaped;
    do
        reaped = waitpid(child, &outcome, 0);
    while (reaped < 0 && errno == EINTR);
    return reaped == child ? outcome : 0;
}

static status run(const gnuplot *g, const int streams[STANDARD_STREAMS], int *outcome)
{
    char **environment = child_environment();
    if (!environment)
        return STATUS_NO_MEMORY;
    pid_t child;
    int failure = spawn(streams, environment, &child);
    free(environment);
    if (failure)
        return picture_failed(g, "gnuplot cannot be started (it is in the Debian package gnuplot-nox)", strerror(failure));
    *outcome = wait_for(child);
    return STATUS_OK;
}

/* ---- the result ---- */

/* Cuts a line of gnuplot's to its printable text. */
static char *printable(char *line)
{
    line[strcspn(line, "\r\n")] = '\0';
    line += strspn(line, " \t");
    if (strlen(line) > ERROR_LINE_LENGTH)
        line[ERROR_LINE_LENGTH] = '\0';
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    return line;
}

/* Empty lines, the caret under a wrong token, and warnings (one about a degree sign comes with every run under LC_ALL=C). */
static bool says_nothing(const char *line)
{
    return !*line || strcmp(line, "^") == 0 || strstr(line, "warning: ");
}

/* The first lines of what gnuplot said, joined by "; ". */
static void first_lines(FILE *errors, char *text, size_t size)
{
    char *line = NULL;
    size_t capacity = 0, used = 0;
    text[0] = '\0';
    rewind(errors);
    for (int n = 0; n < ERROR_LINES && getline(&line, &capacity, errors) >= 0;) {
        char *words = printable(line);
        if (says_nothing(words))
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s", n++ ? "; " : "", words);
    }
    free(line);
}

static status report(const gnuplot *g, int outcome, FILE *errors)
{
    char text[ERROR_LINES * (ERROR_LINE_LENGTH + 4)], killed[64];
    first_lines(errors, text, sizeof text);
    if (WIFSIGNALED(outcome)) {
        snprintf(killed, sizeof killed, "gnuplot was killed by signal %d", WTERMSIG(outcome));
        return picture_failed(g, killed, *text ? text : strsignal(WTERMSIG(outcome)));
    }
    if (outcome != 0)
        return picture_failed(g, "gnuplot failed", *text ? text : "it did not say why");
    return picture_failed(g, "gnuplot wrote an incomplete picture", *text ? text : "is the disk full?");
}

/* gnuplot does not notice failed writes, so its word is not enough. */
static bool is_whole(const char *path, bool svg)
{
    const char *ending = svg ? "</svg>" : "IEND\xae\x42\x60\x82";
    char tail[16];
    struct stat info;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    if (descriptor >= 0 && fstat(descriptor, &info) == 0 && info.st_size >= (off_t)sizeof tail)
        n = pread(descriptor, tail, sizeof tail, info.st_size - (off_t)sizeof tail);
    if (descriptor >= 0)
        close(descriptor);
    return n == (ssize_t)sizeof tail && memmem(tail, sizeof tail, ending, strlen(ending));
}

static status draw(const gnuplot *g, FILE *picture, const char *temporary)
{
    FILE *errors = memory_file("gnuplot errors");
    if (!errors)
        return picture_failed(g, "cannot be drawn", strerror(errno));
    const int streams[STANDARD_STREAMS] = {fileno(g->script), fileno(picture), fileno(errors)};
    int outcome = 0;
    status s = run(g, streams, &outcome);
    if (s == STATUS_OK && (outcome != 0 || !is_whole(temporary, g->svg)))
        s = report(g, outcome, errors);
    fclose(errors);
    return s;
}

static status draw_and_commit(const gnuplot *g)
{
    char temporary[PATH_MAX];
    FILE *picture;
    status s = file_begin(g->picture, temporary, sizeof temporary, &picture);
    if (s != STATUS_OK)
        return s;
    s = draw(g, picture, temporary);
    if (s == STATUS_OK)
        return file_commit(picture, temporary, g->picture);
    file_abandon(picture, temporary);
    return s;
}

status gnuplot_finish(gnuplot *g)
{
    bool written = fflush(g->script) == 0 && !ferror(g->script) && lseek(fileno(g->script), 0, SEEK_SET) == 0;
    status s = written ? draw_and_commit(g) : picture_failed(g, "no memory for gnuplot's script", strerror(errno));
    release(g);
    return s;
}
