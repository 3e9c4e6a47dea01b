/* conf_link.c - whether a web address leads to one of our own domains. Pure; any thread that holds the configuration. */
#include <string.h>

#include "conf/conf.h"

#define NO_HOST \
	"@\\%" /* what stands before @ is a name to log in with, and a browser takes \ for / */

static bool has_any(struct str s, const char *any)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr(any, s.p[i]))
			return true;
	return false;
}

struct str conf_link_host(struct str s)
{
	struct str host = { 0 };
	size_t skip = str_starts(s, "https://") ? 8 : str_starts(s, "http://") ? 7 : 0;
	if (!skip)
		return host;
	host = (struct str){ s.p + skip, 0 };
	while (skip + host.n < s.n && !strchr("/?# \t\r\n)>\"'", s.p[skip + host.n]))
		host.n++;
	const char *port = memchr(host.p, ':', host.n);
	if (port && !has_any(host, NO_HOST))
		host.n = (size_t)(port - host.p);
	return host;
}

bool conf_own_domain(const struct conf *conf, struct str host)
{
	if (host.n == 0 || has_any(host, NO_HOST))
		return false;
	for (size_t i = 0; i < conf->own_domains.n; i++) {
		const char *d = conf->own_domains.v[i];
		size_t n = strlen(d);
		if (str_ieqz(host, d))
			return true;
		if (host.n > n && host.p[host.n - n - 1] == '.' &&
			str_ieqz((struct str){ host.p + host.n - n, n }, d))
			return true;
	}
	return false;
}
