/* main_asset.c - pictures: the helper that fits them, and what the public listener serves under /a/. Loop thread. */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "content/rendition.h"
#include "main_app.h"

/* lantoa-image lies beside the folder of the adapters: /usr/lib/lantoa. */
void app_renditions_open(struct app *a)
{
	const char *dir = a->conf->adapter_dir, *end = dir + strlen(dir);
	while (end > dir + 1 && end[-1] == '/')
		end--;
	while (end > dir && end[-1] != '/')
		end--;
	char *folder = x_strndup(dir, (size_t)(end - dir)),
	     *path = x_asprintf("%slantoa-image", folder);
	a->renditions = renditions_new(path);
	free(path);
	free(folder);
}

void app_renditions_close(struct app *a)
{
	renditions_free(MOVE(a->renditions));
}
