"""candidates.py - where a C file can be broken by one small change: what operators.py tries.

A candidate is one edit outside comments, log lines and assertions: a comparison, a logical or arithmetic operator, a lost `!`, a
constant, a condition turned round, an error that is swallowed, a call that is left out, and the same inside SQL.
"""
import collections
import re

Candidate = collections.namedtuple("Candidate", "path line begin end new kind")

SWAP = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "+": "-", "-": "+",
        "+=": "-=", "-=": "+=", "++": "--", "--": "++", "/": "*", "%": "*"}
OPERATOR = re.compile(r"<<=|>>=|->|<<|>>|\+\+|--|\+=|-=|<=|>=|==|!=|&&|\|\||[<>+\-/%!]")
NUMBER = re.compile(r"(?<![\w.])(\d+)([uUlL]*)(?![\w.])")
# What a person reads, what states a bound of the compiler, and what is no rule.
LEFT_ALONE = re.compile(r"\b(REQUIRE|CHECK_OBJ|_Static_assert|log_line|LOG_\w+|ASSERT_\w+|sizeof|PRINTF_LIKE|UNUSED|err_set)\s*\(")
CALL = re.compile(r"^\t+(?:\(void\))?([a-z_]\w*)\(.*\);[ \t]*$")
# Only leaks or the next use of the same memory would show these.
CALL_DULL = re.compile(r"free$|_done$|_reset$|_init$|^pthread_|^memset$|^va_|^log_|^snprintf$|^vsnprintf$|^UNUSED$|^buf_|^err_")
DECLARED_SIZE = re.compile(r"^\s*(?:static |const |unsigned |struct )*\w+[ *]+\w+(?:, \*?\w+)*\[[^\]=(]*$")
SQL = re.compile(r"\b(SELECT|UPDATE|DELETE FROM|INSERT)\b|^\"\s*(AND|OR|WHERE|FROM)\b")
SQL_RULES = [(re.compile(a), b) for a, b in (
    (r"\bAND\b", "OR"), (r"(?<!INSERT )\bOR\b(?! (?:IGNORE|REPLACE))", "AND"), (r"<=", "<"), (r"<(?![=>])", "<="), (r">=", ">"),
    (r"(?<![<-])>(?!=)", ">="), (r"!=", "="), (r"\bIS NOT NULL\b", "IS NULL"), (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bNOT EXISTS\b", "EXISTS"), (r"\bmax\(", "min("), (r"\bmin\(", "max("), (r"(?<=\w)\+(?=\d)", "-"), (r"(?<=\w)-(?=\d)", "+"))]
SQL_NUMBER = re.compile(r"(?<=[=<>])\d+\b")


def masked(text):
    """The text with comments blanked and every character of a string or character constant replaced; the strings' places."""
    out, strings, i, n = list(text), [], 0, len(text)
    while i < n:
        two = text[i:i + 2]
        if two in ("/*", "//"):
            end = text.find("*/", i + 2) + 2 if two == "/*" else text.find("\n", i)
            for k in range(i, end):
                out[k] = out[k] if out[k] == "\n" else " "
            i = end
        elif text[i] in "\"'":
            quote, end = text[i], i + 1
            while text[end] != quote:
                end += 2 if text[end] == "\\" else 1
            end += 1
            if quote == '"':
                strings.append((i, end))
            out[i:end] = quote * (end - i)
            i = end
        else:
            i += 1
    return "".join(out), strings


def closing(mask, at):
    """The place behind the parenthesis that closes the one at `at`."""
    depth = 0
    for i in range(at, len(mask)):
        depth += {"(": 1, ")": -1}.get(mask[i], 0)
        if depth == 0:
            return i + 1
    return len(mask)


def left_alone(mask):
    spots = bytearray(len(mask))
    for m in LEFT_ALONE.finditer(mask):
        end = closing(mask, m.end() - 1)
        spots[m.start():end] = b"\1" * (end - m.start())
    for m in re.finditer(r"^[ \t]*#(?:.*\\\n)*.*$", mask, re.M):  # of the preprocessor only plain constants
        if not re.match(r"#define \w+\s+\d+[uUlL]*\s*$", m.group()):
            spots[m.start():m.end()] = b"\1" * (m.end() - m.start())
    return spots


def operators(mask):
    for m in OPERATOR.finditer(mask):
        op, before = m.group(), mask[:m.start()].rstrip()
        if op == "!":
            yield m.start(), m.end(), "", "negation lost"
        elif op in "+-/%":  # two operands, not a sign
            if re.search(r"[\w)\]]$", before) and not re.search(r"\b(return|case)$", before):
                yield m.start(), m.end(), SWAP[op], "arithmetic"
        elif op in SWAP:
            yield m.start(), m.end(), SWAP[op], "logic" if op in ("&&", "||") else "comparison" if op[-1] != op[0] or op == "==" or len(op) == 1 else "arithmetic"


def constants(mask):
    for m in NUMBER.finditer(mask):
        line = mask[mask.rfind("\n", 0, m.start()) + 1:m.start()]
        after = mask[m.end():m.end() + 2]
        if re.search(r"\{ $", line) and after == " }" or re.search(r"\brc [<=!]=? $", line) or DECLARED_SIZE.match(line):
            continue
        yield m.start(), m.end(), "%d%s" % (int(m.group(1)) + 1, m.group(2)), "constant"
    for m in re.finditer(r"\b(true|false)\b", mask):
        yield m.start(), m.end(), "false" if m.group() == "true" else "true", "constant"


def statements(text, mask):
    for m in re.finditer(r"\bif \(", mask):
        end = closing(mask, m.end() - 1)
        yield m.end() - 1, end, "(!%s)" % text[m.end() - 1:end], "condition turned"
    for m in re.finditer(r"\breturn (-E\w+|rc);", mask):
        yield m.start(1), m.end(1), "0", "error swallowed"
    at = 0
    for line in mask.split("\n"):
        m = CALL.match(line)
        if m and not CALL_DULL.search(m.group(1)) and line.count("(") == line.count(")"):
            begin = at + len(line) - len(line.lstrip())
            yield begin, at + len(line.rstrip()), ";", "call left out"
        at += len(line) + 1


def queries(text, strings):
    groups = []
    for begin, end in strings:
        if groups and not text[groups[-1][-1][1]:begin].strip(" \t\n\\"):
            groups[-1].append((begin, end))
        else:
            groups.append([(begin, end)])
    for group in groups:
        if not any(SQL.search(text[b:e]) for b, e in group):
            continue
        for begin, end in group:
            piece = text[begin:end]
            for rule, new in SQL_RULES:
                for m in rule.finditer(piece):
                    yield begin + m.start(), begin + m.end(), new, "SQL"
            for m in SQL_NUMBER.finditer(piece):
                yield begin + m.start(), begin + m.end(), str(int(m.group()) + 1), "SQL"


def candidates(path, text):
    """All of them, in the order of the text."""
    mask, strings = masked(text)
    alone = left_alone(mask)
    found = set()
    for make in (operators(mask), constants(mask), statements(text, mask), queries(text, strings)):
        for begin, end, new, kind in make:
            if not alone[begin]:
                found.add(Candidate(path, text.count("\n", 0, begin) + 1, begin, end, new, kind))
    return sorted(found)
