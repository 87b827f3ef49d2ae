#define XXH_INLINE_ALL
#include <gnu/libc-version.h>
#include <json-c/json.h>
#include <link.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#ifdef DNX_ONEDNN
#include <dnnl.h>
#endif

#include "program/arguments.h"

/* The file of a loaded shared object whose name contains `word`. */
typedef struct library_search {
    const char *word;
    char path[512];
} library_search;

static int match_library(struct dl_phdr_info *info, size_t size, void *context)
{
    library_search *search = context;
    (void)size;
    if (!strstr(info->dlpi_name, search->word))
        return 0;
    char *whole = realpath(info->dlpi_name, NULL); /* with the version that the name of the link leaves out */
    snprintf(search->path, sizeof search->path, "%s", whole ? whole : info->dlpi_name);
    free(whole);
    return 1;
}

static void print_library(const char *title, const char *word, const char *version)
{
    library_search search = {.word = word};
    dl_iterate_phdr(match_library, &search);
    printf("%-12s %s%s%s\n", title, version, *version && *search.path ? "  " : "", search.path);
}

static const char *instruction_set(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return __builtin_cpu_supports("avx512vnni") ? "AVX-512 with VNNI" : "AVX-512";
    if (__builtin_cpu_supports("avx2"))
        return __builtin_cpu_supports("fma") ? "AVX2 with FMA" : "AVX2";
    return __builtin_cpu_supports("avx") ? "AVX" : "SSE2";
}

#ifdef DNX_ONEDNN
static void print_onednn(void)
{
    const dnnl_version_t *v = dnnl_version();
    char text[64];
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    print_library("oneDNN", "libdnnl", text);
}
#endif

static int version(const arguments *a)
{
    (void)a;
    printf("%-12s %s\n", "darknet_ext", DNX_VERSION);
    print_library("Darknet", "libdarknet.so", "");
#ifdef DNX_ONEDNN
    print_onednn();
#endif
    char openmp[32], xxhash[32];
    snprintf(openmp, sizeof openmp, "%d, %d processors", _OPENMP, omp_get_num_procs());
    snprintf(xxhash, sizeof xxhash, "%d.%d.%d", XXH_VERSION_MAJOR, XXH_VERSION_MINOR, XXH_VERSION_RELEASE);
    print_library("OpenCV", "libopencv_core", "");
    print_library("OpenMP", "libgomp", openmp);
    print_library("json-c", "libjson-c", json_c_version());
    print_library("popt", "libpopt", "");
    printf("%-12s %s\n", "xxHash", xxhash);
    printf("%-12s %s\n", "glibc", gnu_get_libc_version());
    printf("%-12s %s\n", "processor", instruction_set());
    printf("%-12s", "backends");
    for (const backend *const *be = backend_list; *be; ++be)
        printf(" %s", (*be)->name);
    printf("\n");
    return EXIT_OK;
}

const verb verb_version = {
    .name = "version",
    .synopsis = "",
    .meaning = "versions and instruction set of everything loaded",
    .details = "",
    .run = version,
};
