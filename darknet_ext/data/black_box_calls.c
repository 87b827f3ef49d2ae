/* The processes in which a black box is called.
 *
 *     this process  --fork-->  leader  --fork-->  workers 0 .. n-1
 *
 * Only workers load the library and call the function. The leader has no other children, so it can wait for whichever worker ends
 * first, and kills the rest after a failure, and at the end what the function itself started; this process waits for the leader alone. A
 * child is killed when its parent dies.
 * The plan is known to the workers through fork(); values and failures come back through memory that all of them share. Before each
 * call a worker writes down which one it is, so that its x is known after a crash.
 *
 * OpenMP: a forked child has none of the threads of its parent's pool, and libgomp would wait for them forever. A team of one needs
 * no pool, so workers run with no active parallel region at all, whatever num_threads() a region asks for. */
#include "data/black_box_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fenv.h>
#include <link.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int (*user_function)(const double *x, int n, double *y, int m);

enum {
    BATCH_VALUES = 1 << 20, /* numbers that the children return at once, unless a single item has more */
    SHARE_CALLS = 64,       /* consecutive calls of one worker, at most: fewer cache lines with two writers */
    SHARES = 8,             /* parts of a batch for each worker, at least: even work */
    SHOWN_COORDINATES = 8
};

typedef enum worker_stage {
    STAGE_LOADING = 0,
    STAGE_NOT_FOUND, /* text: why library or symbol is unusable */
    STAGE_CALLING,
    STAGE_RETURNED,   /* detail: the function's result, not 0 */
    STAGE_NOT_FINITE, /* detail: the output; value: what it is */
    STAGE_DONE
} worker_stage;

/* Written by one worker, read after its death. */
typedef struct worker_record {
    volatile worker_stage stage;
    volatile size_t call; /* within the batch; from STAGE_CALLING on */
    int detail;
    double value;
    char text[768];
} worker_record;

/* The memory that all processes share, followed by values. */
typedef struct shared_area {
    volatile bool finished; /* the leader has seen the end of all workers */
    int failed;             /* the first worker that failed, -1: none */
    int wait_status;        /* of that one */
    int fork_error;         /* errno, 0: all workers started */
    worker_record workers[];
} shared_area;

typedef struct call_batch {
    const box_function *f;
    const call_plan *plan;
    size_t first_item, count; /* count: calls */
    int workers;
    shared_area *area;
    double *values;   /* [count, outputs], in the shared memory */
    pid_t *processes; /* [workers], the leader's own, out of reach for the function; 0: not running */
} call_batch;

/* ---------------------------------------------------------------- worker */

/* When the user's function calls exit(), the handlers that our process registered must not run in its copy. */
static void leave_at_once(int exit_status, void *unused)
{
    fflush(NULL);
    _exit(exit_status);
}

/* A child that begins like a fresh process, and ends with its parent. */
static void become_child(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    for (int s = 1; s < NSIG; s++) {
        struct sigaction action;
        if (sigaction(s, NULL, &action) == 0 && (s == SIGCHLD || action.sa_handler != SIG_IGN))
            sigaction(s, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void use_one_thread(void)
{
    omp_set_max_active_levels(0);
    omp_set_num_threads(1);
    setenv("OMP_NUM_THREADS", "1", 1); /* other runtimes, which the library may bring along */
}

/* Whether the library says so; false also when it says nothing about that address. */
static bool is_data(void *symbol)
{
    Dl_info info;
    const ElfW(Sym) *entry = NULL;
    if (!symbol || !dladdr1(symbol, &info, (void **)&entry, RTLD_DL_SYMENT) || !entry)
        return false;
    int type = ELF64_ST_TYPE(entry->st_info); /* the same bits for 32 */
    return type == STT_OBJECT || type == STT_TLS;
}

/* NULL with the reason in the record. */
static user_function load_function(const box_function *f, worker_record *record)
{
    int flags = RTLD_NOW | RTLD_LOCAL;
#ifndef DNX_SANITIZED
    flags |= RTLD_DEEPBIND; /* the library's own names before those of libdarknet, which exports some like rand_normal */
#endif
    void *library = dlopen(f->library, flags);
    void *symbol = library ? dlsym(library, f->symbol) : NULL;
    const char *reason = symbol ? NULL : dlerror();
    if (!symbol)
        snprintf(record->text, sizeof record->text, "%s", reason ? reason : "its address is 0");
    if (!is_data(symbol))
        return (user_function)symbol;
    snprintf(record->text, sizeof record->text, "it is data, not a function");
    return NULL;
}

static int first_not_finite(const double *y, int n)
{
    int k = 0;
    while (k < n && isfinite(y[k]))
        k++;
    return k;
}

/* One call; false after a failure. x and y are this worker's own memory. */
static bool call_once(const call_batch *b, worker_record *record, user_function function, size_t call, double *x, double *y)
{
    const int n = b->f->inputs, m = b->f->outputs;
    b->plan->point(b->plan->context, b->first_item + call / b->plan->calls, call % b->plan->calls, x);
    for (int k = 0; k < m; k++)
        y[k] = NAN; /* an output that the function forgets is a failure */
    record->call = call;
    record->stage = STAGE_CALLING;
    record->detail = function(x, n, y, m);
    if (record->detail != 0) {
        record->stage = STAGE_RETURNED;
        return false;
    }
    const int output = first_not_finite(y, m);
    if (output < m) {
        record->detail = output;
        record->value = y[output];
        record->stage = STAGE_NOT_FINITE;
        return false;
    }
    memcpy(b->values + call * (size_t)m, y, (size_t)m * sizeof *y);
    return true;
}

/* Shares of consecutive calls, dealt out to the workers in turn. */
static bool call_own_shares(const call_batch *b, int worker, user_function function, double *x, double *y)
{
    const size_t even = b->count / ((size_t)b->workers * SHARES);
    const size_t share = even < 1 ? 1 : even < SHARE_CALLS ? even : SHARE_CALLS;
    for (size_t first = (size_t)worker * share; first < b->count; first += (size_t)b->workers * share)
        for (size_t call = first; call < first + share && call < b->count; call++)
            if (!call_once(b, &b->area->workers[worker], function, call, x, y))
                return false;
    return true;
}

static _Noreturn void work(const call_batch *b, int worker)
{
    worker_record *record = &b->area->workers[worker];
    fesetenv(FE_DFL_ENV); /* libdarknet switches denormal numbers off */
    use_one_thread();
    on_exit(leave_at_once, NULL);
    double *x = malloc((size_t)(b->f->inputs + 1) * sizeof *x), *y = malloc((size_t)(b->f->outputs + 1) * sizeof *y);
    if (!x || !y)
        abort();
    user_function function = load_function(b->f, record);
    if (!function)
        record->stage = STAGE_NOT_FOUND;
    else if (call_own_shares(b, worker, function, x, y))
        record->stage = STAGE_DONE;
    fflush(NULL);
    _exit(EXIT_SUCCESS);
}

/* ---------------------------------------------------------------- leader */

static bool worker_succeeded(const worker_record *record, int wait_status)
{
    return record->stage == STAGE_DONE && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXIT_SUCCESS;
}

static void kill_workers(const call_batch *b)
{
    for (int w = 0; w < b->workers; w++)
        if (b->processes[w])
            kill(b->processes[w], SIGKILL);
}

static void start_workers(const call_batch *b)
{
    const pid_t leader = getpid();
    for (int w = 0; w < b->workers && !b->area->fork_error; w++) {
        const pid_t process = fork();
        if (process == 0) {
            become_child(leader);
            work(b, w);
        }
        if (process < 0)
            b->area->fork_error = errno;
        else
            b->processes[w] = process;
    }
    if (b->area->fork_error)
        kill_workers(b);
}

static void worker_ended(const call_batch *b, int worker, int wait_status)
{
    b->processes[worker] = 0;
    if (worker_succeeded(&b->area->workers[worker], wait_status) || b->area->failed >= 0 || b->area->fork_error)
        return;
    b->area->failed = worker;
    b->area->wait_status = wait_status;
    kill_workers(b);
}

static bool workers_run(const call_batch *b)
{
    for (int w = 0; w < b->workers; w++)
        if (b->processes[w])
            return true;
    return false;
}

/* Processes that the function started and left behind have become children of the leader. Each time one of them ends, so may its own
 * children; without the kernel's list of children (an old kernel) they stay. */
static void kill_leftovers(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    bool found = true;
    while (found) {
        found = false;
        FILE *list = fopen(path, "re");
        for (int process; list && fscanf(list, "%d", &process) == 1; found = true) {
            kill(process, SIGKILL);
            waitpid(process, NULL, 0);
        }
        if (list)
            fclose(list);
    }
}

static _Noreturn void lead(const call_batch *b)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    start_workers(b);
    int wait_status;
    pid_t process;
    while (workers_run(b) && ((process = wait(&wait_status)) > 0 || errno == EINTR))
        for (int w = 0; process > 0 && w < b->workers; w++)
            if (b->processes[w] == process)
                worker_ended(b, w, wait_status);
    kill_leftovers();
    b->area->finished = true;
    _exit(EXIT_SUCCESS);
}

/* ---------------------------------------------------------------- messages */

static void print_point(char *text, size_t size, const double *x, int n)
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0; i < n && i < SHOWN_COORDINATES && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%.9g", i ? ", " : "", x[i]);
    if (n > SHOWN_COORDINATES && length < size)
        snprintf(text + length, size - length, ", …");
}

/* "the function NAME did that at x = (…)"; the call's number comes from memory that the function could have written to. */
static status fail_at(const call_batch *b, const worker_record *record, const char *did)
{
    const size_t call = record->call;
    double *x = allocate_zeroed((unsigned long)b->f->inputs, sizeof *x);
    if (!x)
        return STATUS_NO_MEMORY;
    char at[SHOWN_COORDINATES * 24 + 8] = "?";
    if (call < b->count) {
        b->plan->point(b->plan->context, b->first_item + call / b->plan->calls, call % b->plan->calls, x);
        print_point(at, sizeof at, x, b->f->inputs);
    }
    free(x);
    return status_fail(STATUS_FAILED, "the function %s %s at x = (%s)", b->f->name, did, at);
}

/* dlopen() does not look into the working folder. */
static status fail_not_found(const box_function *f, const worker_record *record)
{
    const bool here = !strchr(f->library, '/') && access(f->library, F_OK) == 0;
    return status_fail(STATUS_BAD_CONFIG, "cannot use the function %s: %.*s%s%s%s", f->name, (int)sizeof record->text - 1, record->text,
                       here ? " (the file in the working folder is ./" : "", here ? f->library : "", here ? ")" : "");
}

static status fail_ended(const call_batch *b, const worker_record *record, int wait_status)
{
    char how[128];
    if (WIFSIGNALED(wait_status))
        snprintf(how, sizeof how, "crashed (signal %d, %s)", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    else
        snprintf(how, sizeof how, "ended its process with exit status %d", WEXITSTATUS(wait_status));
    return record->stage == STAGE_LOADING ? status_fail(STATUS_BAD_CONFIG, "the library of the function %s %s while it was loaded", b->f->name, how)
                                          : fail_at(b, record, how);
}

static status worker_failure(const call_batch *b, const worker_record *record, int wait_status)
{
    char did[128];
    if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != EXIT_SUCCESS)
        return fail_ended(b, record, wait_status);
    switch (record->stage) {
    case STAGE_NOT_FOUND:
        return fail_not_found(b->f, record);
    case STAGE_RETURNED:
        snprintf(did, sizeof did, "returned %d", record->detail);
        return fail_at(b, record, did);
    case STAGE_NOT_FINITE:
        snprintf(did, sizeof did, "gave %g as output %d of %d", record->value, record->detail + 1, b->f->outputs);
        return fail_at(b, record, did);
    default:
        return fail_ended(b, record, wait_status);
    }
}

/* leader_status: 0 when somebody else in this process has waited for the leader. */
static status batch_result(const call_batch *b, int leader_status)
{
    const shared_area *area = b->area;
    if (area->fork_error)
        return status_fail(STATUS_FAILED, "cannot start %d processes for %s: %s", b->workers, b->f->name, strerror(area->fork_error));
    if (area->failed >= 0)
        return worker_failure(b, &area->workers[area->failed], area->wait_status);
    if (!area->finished)
        return status_fail(STATUS_FAILED, "the processes that evaluate %s were killed (signal %d)", b->f->name,
                           WIFSIGNALED(leader_status) ? WTERMSIG(leader_status) : 0);
    return STATUS_OK;
}

/* ---------------------------------------------------------------- this process */

/* EINTR: a handler of ours has run. What it is for can wait for the batch; the children decide for themselves about the signal. */
static int wait_for(pid_t process)
{
    int wait_status = 0;
    while (waitpid(process, &wait_status, 0) < 0)
        if (errno != EINTR)
            return 0;
    return wait_status;
}

static status run_batch(const call_batch *b)
{
    b->area->finished = false;
    b->area->failed = -1;
    memset(b->area->workers, 0, (size_t)b->f->processes * sizeof *b->area->workers);
    fflush(NULL); /* a child must not write our buffered text once more */
    const pid_t parent = getpid(), leader = fork();
    if (leader == 0) {
        become_child(parent);
        lead(b);
    }
    if (leader < 0)
        return status_fail(STATUS_FAILED, "cannot start a process for %s: %s", b->f->name, strerror(errno));
    return batch_result(b, wait_for(leader));
}

static size_t header_bytes(const box_function *f)
{
    const size_t bytes = sizeof(shared_area) + (size_t)f->processes * sizeof(worker_record);
    return (bytes + 63) / 64 * 64;
}

/* Items of the plan, as many as fit, in one area of shared memory after another. */
static status run_batches(const box_function *f, const call_plan *plan, size_t items_at_once, void *memory, pid_t *processes)
{
    call_batch b = {.f = f, .plan = plan, .area = memory, .values = (double *)((char *)memory + header_bytes(f)), .processes = processes};
    status result = STATUS_OK;
    for (size_t item = 0; item < plan->items && result == STATUS_OK; item += items_at_once) {
        const size_t left = plan->items - item, items = left < items_at_once ? left : items_at_once;
        b.first_item = item;
        b.count = items * plan->calls;
        b.workers = b.count < (size_t)f->processes ? (b.count ? (int)b.count : 1) : f->processes;
        result = run_batch(&b);
        for (size_t i = 0; i < items && plan->calls && result == STATUS_OK; i++)
            plan->take(plan->context, item + i, b.values + i * plan->calls * (size_t)f->outputs);
    }
    return result;
}

status box_call(const box_function *f, const call_plan *plan)
{
    const size_t item_values = plan->calls * (size_t)f->outputs;
    const size_t fitting = item_values ? BATCH_VALUES / item_values : 1, at_once = fitting < 1 ? 1 : fitting < plan->items ? fitting : plan->items;
    const size_t bytes = header_bytes(f) + at_once * item_values * sizeof(double);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return status_fail(STATUS_NO_MEMORY, "out of memory (%zu bytes shared with the processes of %s)", bytes, f->name);
    pid_t *processes = allocate_zeroed((unsigned long)f->processes, sizeof *processes);
    const status result = processes ? run_batches(f, plan, at_once, memory, processes) : STATUS_NO_MEMORY;
    free(processes);
    munmap(memory, bytes);
    return result;
}

status box_check(const box_function *f)
{
    const call_plan load_only = {.items = 1};
    return box_call(f, &load_only);
}
