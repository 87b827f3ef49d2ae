/* A trained network as a cfg and a weights file for other readers of Darknet's files: stock sections and keys alone. */
#ifndef DNX_MODEL_EXPORT_H
#define DNX_MODEL_EXPORT_H

#include "bridge/plugin.h"

typedef enum export_reader {
    EXPORT_FOR_BOTH,    /* stock Darknet and, where it can, OpenCV */
    EXPORT_FOR_DARKNET, /* stock Darknet alone: batch normalisation stays as it is */
    EXPORT_FOR_OPENCV   /* both, and refused when OpenCV cannot */
} export_reader;

typedef struct export_request {
    export_reader reader;
    const char *folder;        /* is made unless it is there */
    const char *cfg, *weights; /* the files to write, in it; existing ones are replaced */
    message_sink sink;         /* path:line:column: error: or note: … */
    void *context;
} export_request;

/* Both files appear, whole, or neither. The parameters of the network may change on the way. STATUS_BAD_CONFIG when a reader that was
 * asked for cannot run the network: every reason goes to the sink. */
status export_network(plugin_network *network, const export_request *r);

#endif
