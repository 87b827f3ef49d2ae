/* Sections of the cfg language that are not layers of layers/: [net], [data], [teacher], [end], and stock layers kept as they are. */
#ifndef DNX_CONFIG_EXTRA_SECTIONS_H
#define DNX_CONFIG_EXTRA_SECTIONS_H

#include "core/options.h"

extern const section_spec net_section, data_section, teacher_section, end_section;

/* Stock layer sections that the engine does not differentiate, NULL-terminated. */
extern const section_spec *const stock_sections[];

#endif
