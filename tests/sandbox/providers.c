/* providers.c - which providers the sandbox imitates beside its SMTP side. One line a provider. */
#include "http.h"

/* A provider that is not linked in is left out. */
#pragma weak sb_provider_smsc
#pragma weak sb_provider_smsgw
#pragma weak sb_provider_facebook
#pragma weak sb_provider_zalo

static const struct sb_provider *const providers[] = { &sb_provider_echo, &sb_provider_smsc,
	&sb_provider_smsgw, &sb_provider_facebook, &sb_provider_zalo };

int sb_providers_open(struct sandbox *s, const cJSON *script, struct err *e)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		const struct sb_provider *p = providers[i];
		if (p == NULL)
			continue;
		int rc = p->open(s, script == NULL ? NULL : json_get(script, p->name), e);
		if (rc < 0)
			return err_prefix(e, "%s", p->name);
	}
	return 0;
}

void sb_providers_close(struct sandbox *s)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (providers[i] != NULL && providers[i]->close != NULL)
			providers[i]->close(s);
}

void sb_providers_flush(struct sandbox *s)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (providers[i] != NULL && providers[i]->flush != NULL)
			providers[i]->flush(s);
}

void sb_providers_ports(struct sandbox *s, cJSON *into)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (providers[i] != NULL && providers[i]->port != NULL)
			json_put_i64(into, providers[i]->name, providers[i]->port(s));
}
