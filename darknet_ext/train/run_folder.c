#include "train/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "train/metrics.h"

enum { PATH_BYTES = 4096 };

const char *run_folder_file(const run_folder *r, const char *file, char *buffer)
{
    snprintf(buffer, PATH_BYTES, "%s/%s", r->path, file);
    return buffer;
}

const char *run_folder_named(const run_folder *r, const char *what, char *buffer)
{
    snprintf(buffer, PATH_BYTES, "%s/%s_%s", r->path, r->name, what);
    return buffer;
}

static void base_name(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = 0;
}

/* Two runs would write the same files. Held until the run is closed, or the process has ended; a file system without locks has none. */
static status lock_folder(run_folder *r)
{
    r->lock = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->lock < 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be used as a folder: %s", r->path, strerror(errno));
    if (flock(r->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return status_fail(STATUS_BAD_FILE, "%s: error: another run is writing into this folder", r->path);
    return STATUS_OK;
}

static bool is_empty(DIR *folder)
{
    struct dirent *entry;
    while ((entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return true;
}

static status refuse_old_run(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be used as a folder: %s", path, strerror(errno));
    bool empty = is_empty(folder);
    closedir(folder);
    if (empty)
        return STATUS_OK;
    return status_fail(STATUS_BAD_CONFIG, "%s: error: the folder is not empty; name another with -out, or replace the run in it with -force", path);
}

/* Whether the file lies in the folder. */
static bool lies_in(const char *file, int folder)
{
    char path[PATH_BYTES];
    const char *slash = strrchr(file, '/');
    struct stat a, b;
    snprintf(path, sizeof path, "%.*s", slash ? (int)(slash - file) + 1 : 1, slash ? file : ".");
    return stat(path, &a) == 0 && fstat(folder, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static status write_config(const run_folder *r, const config *c)
{
    char path[PATH_BYTES], temporary[PATH_BYTES];
    FILE *f;
    run_folder_file(r, "run.cfg", path);
    status s = file_begin(path, temporary, sizeof temporary, &f);
    if (s != STATUS_OK)
        return s;
    config_print(c, f);
    return file_commit(f, temporary, path);
}

/* Rows of updates that the run has done, if the table is the same. */
static void copy_rows(FILE *from, const char *header, long updates, FILE *to, char last[RUN_ROW_BYTES])
{
    char row[RUN_ROW_BYTES];
    if (!fgets(row, sizeof row, from) || strncmp(row, header, strlen(header)) != 0 || row[strlen(header)] != '\n')
        return;
    while (fgets(row, sizeof row, from) && strchr(row, '\n') && strtol(row, NULL, 10) <= updates) {
        fputs(row, to);
        memcpy(last, row, sizeof row);
    }
}

status run_folder_table(const run_folder *r, const char *file, const char *header, FILE **table, char last[RUN_ROW_BYTES])
{
    char path[PATH_BYTES], temporary[PATH_BYTES];
    FILE *to;
    *table = NULL;
    *last = '\0';
    run_folder_file(r, file, path);
    status s = file_begin(path, temporary, sizeof temporary, &to);
    if (s != STATUS_OK)
        return s;
    fprintf(to, "%s\n", header);
    FILE *from = r->goes_on ? fopen(path, "r") : NULL;
    if (from) {
        copy_rows(from, header, r->updates, to, last);
        fclose(from);
    }
    s = file_commit(to, temporary, path);
    *table = s == STATUS_OK ? fopen(path, "a") : NULL;
    return s != STATUS_OK || *table ? s : status_fail(STATUS_BAD_FILE, "%s: error: cannot be written: %s", path, strerror(errno));
}

static status open_metrics(run_folder *r)
{
    char last[RUN_ROW_BYTES];
    status s = run_folder_table(r, "metrics.csv", METRICS_HEADER, &r->metrics, last);
    r->last_step = -1;
    if (*last)
        sscanf(last, "%ld,%*[^,],%lf", &r->last_step, &r->seconds);
    return s;
}

/* What the run in the folder would leave at its end: until then it is not true. */
static status remove_old_results(const run_folder *r)
{
    char paths[4][PATH_BYTES];
    run_folder_file(r, "summary.json", paths[0]);
    run_folder_file(r, "chart.png", paths[1]);
    run_folder_file(r, "critics.png", paths[2]);
    run_folder_named(r, "final.weights", paths[3]);
    for (int i = 0; i < 4; ++i)
        if (unlink(paths[i]) != 0 && errno != ENOENT)
            return status_fail(STATUS_BAD_FILE, "%s: error: cannot be replaced: %s", paths[i], strerror(errno));
    return STATUS_OK;
}

status run_folder_create(run_folder *r, const char *out, const char *all, const config *c, bool force, const run_start *start)
{
    *r = (run_folder){.lock = -1};
    base_name(c->named_path, r->name, sizeof r->name);
    all = all ? all : "runs";
    const char *slash = *all && all[strlen(all) - 1] == '/' ? "" : "/";
    int length = out ? snprintf(r->path, sizeof r->path, "%s", out) : snprintf(r->path, sizeof r->path, "%s%s%s", all, slash, r->name);
    if (length <= 0 || (size_t)length >= sizeof r->path)
        return status_fail(STATUS_BAD_CONFIG, "%s: error: the path is empty or too long", out ? "-out" : "backup");
    status s = file_make_folders(r->path);
    if (s == STATUS_OK)
        s = lock_folder(r);
    if (s == STATUS_OK) {
        r->goes_on = start->weights && lies_in(start->weights, r->lock);
        r->updates = start->updates;
        s = force || r->goes_on ? remove_old_results(r) : refuse_old_run(r->path);
    }
    if (s == STATUS_OK)
        s = write_config(r, c);
    if (s == STATUS_OK)
        s = open_metrics(r);
    return s;
}

void run_folder_close(run_folder *r)
{
    if (r->metrics)
        fclose(r->metrics);
    r->metrics = NULL;
    if (r->lock >= 0)
        close(r->lock);
    r->lock = -1;
}
