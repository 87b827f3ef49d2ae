/* The program darknet: `darknet sobolev VERB …` is ours, every other first word goes to the stock program. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/environment.h"
#include "core/file.h"
#include "program/arguments.h"
#include "program/spinning.h"

const verb *const verb_list[] = {
    &verb_train, &verb_valid, &verb_predict, &verb_export, &verb_check, &verb_bench, &verb_plot, &verb_data, &verb_functions, &verb_version, &verb_help, NULL,
};

static bool is_this_program(const char *path)
{
    struct stat other, self;
    return stat(path, &other) == 0 && stat("/proc/self/exe", &self) == 0 && other.st_dev == self.st_dev && other.st_ino == self.st_ino;
}

/* Replaces this process, so that the stock program's status is what the caller sees. */
static int exec_stock(char **argv)
{
    const char *stock = getenv(ENVIRONMENT_STOCK);
    if (!stock || !*stock)
        stock = DNX_STOCK_PROGRAM;
    if (is_this_program(stock)) {
        fprintf(stderr, "darknet: error: %s is this program, not the stock one (set %s)\n", stock, ENVIRONMENT_STOCK);
        return 127;
    }
    execv(stock, argv);
    fprintf(stderr, "darknet: error: the stock program %s cannot be started: %s\n", stock, strerror(errno));
    return errno == ENOENT ? 127 : 126;
}

static int run_verb(int argc, char **argv)
{
    if (argc < 3) {
        arguments none = {0};
        verb_help.run(&none);
        return EXIT_USAGE;
    }
    const verb *v = verb_find(argv[2]);
    arguments a;
    if (!v || !arguments_parse(&a, v, argc - 3, argv + 3))
        return EXIT_USAGE;
    if (v->takes_long && a.threads != 1)
        limit_spinning(argv);
    return v->run(&a);
}

/* The next file that we open would get the number of a closed standard stream, and our words would go into it. */
static void occupy_closed_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            abort();
}

static bool output_is_written(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "darknet sobolev: error: standard output cannot be written%s%s\n", errno ? ": " : "", errno ? strerror(errno) : "");
    return false;
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "sobolev") != 0)
        return exec_stock(argv);
    occupy_closed_streams();
    setlocale(LC_ALL, "C"); /* numbers have a decimal point, whatever a library chose while it was loaded */
    file_clean_up_on_signals();
    signal(SIGXFSZ, SIG_IGN); /* a file over the size limit is a failed write, not the end of the program */
    int result = run_verb(argc, argv);
    return output_is_written() || result ? result : EXIT_FAILED;
}
