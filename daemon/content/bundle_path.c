/* bundle_path.c - which paths a bundle may hold. Pure. */
#include "content/bundle.h"

#include <string.h>

#include "base/utf8.h"

#define PATH_BYTES_MAX  255
#define PATH_LEVELS_MAX 8

static const char *piece_fault(struct str piece)
{
	if (piece.n == 0)
		return "has an empty folder name";
	if (str_eqz(piece, "..") || str_eqz(piece, "."))
		return "leads outside the bundle ('..' or '.')";
	if (piece.p[0] == ' ' || piece.p[piece.n - 1] == ' ' || piece.p[piece.n - 1] == '.')
		return "has a name that begins with a space or ends with a space or dot";
	return NULL;
}

const char *bundle_path_fault(struct str path)
{
	if (path.n == 0)
		return "is empty";
	if (path.p[0] == '/')
		return "is absolute; write it relative to the bundle";
	if (path.n > 1 && path.p[1] == ':')
		return "begins with a drive letter; write it relative to the bundle";
	if (memchr(path.p, '\\', path.n) != NULL)
		return "has a backslash; folders are parted by /";
	if (path.n > PATH_BYTES_MAX)
		return "is longer than 255 bytes";
	if (!utf8_valid(path, NULL))
		return "is not valid UTF-8";
	struct str rest = path;
	int32_t cp = 0;
	while (utf8_next(&rest, &cp)) {
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029)
			return "has a control character";
	}
	rest = path;
	for (size_t levels = 0; rest.p != NULL; levels++) {
		const char *slash = memchr(rest.p, '/', rest.n);
		struct str piece = { rest.p, slash == NULL ? rest.n : (size_t)(slash - rest.p) };
		const char *wrong = levels == PATH_LEVELS_MAX ? "lies too deep (8 levels)"
							      : piece_fault(piece);
		if (wrong != NULL)
			return wrong;
		rest = slash == NULL ? (struct str){ NULL, 0 }
				     : (struct str){ slash + 1, rest.n - piece.n - 1 };
	}
	return NULL;
}
