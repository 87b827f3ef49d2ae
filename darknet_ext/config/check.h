/* Checks across keys and sections, after every single value was checked. */
#ifndef DNX_CONFIG_CHECK_H
#define DNX_CONFIG_CHECK_H

#include "config/messages.h"

/* Sections of the file that are not in the config because their names are unknown: reported already, but missing here. */
typedef struct missing_sections {
    int n;
    bool first; /* the file's first section is one of them */
} missing_sections;

void check_config(const config *c, missing_sections missing, messages *m);

#endif
