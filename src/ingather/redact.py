"""Keeps keys out of whatever is shown: messages, logs, bodies of errors."""

from __future__ import annotations

import re

_SECRETS = re.compile(
    r"""(?ix)
    \b(?:sk|pk|rk|gsk|xai|hf|r8)[-_][A-Za-z0-9_\-*.]{6,}  # OpenAI, Anthropic, Groq and their like
    | \bkey[-_](?=[A-Za-z0-9_\-*.]*\d)[A-Za-z0-9_\-*.]{6,}  # a digit tells it from a word such as key_findings
    | \bAIza[A-Za-z0-9_\-]{10,}                           # Google
    | (?<=://)[^\s/:"']*:[^\s/"']+(?=@)                   # user:password of a URL
    """
)
# known by the name before them; a digit tells a value from a word of a sentence
_NAMED_SECRETS = re.compile(
    r"""(?ix)
    ( \bbearer\s+
    | \bbasic\s+(?=[a-z0-9+/=]{8})
    | api-key["']?:\s*["']?
    | (?:api[-_]?key|[?&]key)["']?[=:]["']?(?=[^\s"',;&]*\d)
    ) [^\s"',;&]+
    """
)


def redact(text: str, *secrets: str) -> str:
    """`text` with whatever looks like a key, and each of `secrets`, replaced by ``***``.

    >>> redact("Incorrect API key: sk-abcdefghijkl", "hunter2")
    'Incorrect API key: ***'
    """
    for secret in sorted(secrets, key=len, reverse=True):  # the longest first: one may hold another
        if secret:
            text = text.replace(secret, "***")
    return _NAMED_SECRETS.sub(r"\1***", _SECRETS.sub("***", text))


def plain(text: object) -> str:
    """One line for the log: no key, no control character, not without end."""
    line = redact(str(text))[:500]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
