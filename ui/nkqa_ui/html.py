"""Small pieces of safe HTML: what comes from outside goes through `esc`, what leaves is one line.

The fragments are shown by `gr.Markdown`, which passes a block of HTML through untouched as long as it
starts with a block element and holds no empty line. `gr.HTML` would need `unsafe-eval`, which the page's
Content-Security-Policy does not grant.
"""

import html
import re
from urllib.parse import urlsplit

# Marks that turn the direction of the text around them; text is set apart with `dir` and <bdi> instead.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_SPACE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def esc(text: str) -> str:
    """Return `text` as data for element content or a quoted attribute, on one line."""
    return html.escape(_SPACE.sub(" ", _TURNING.sub("", text)), quote=True)


def lines(text: str) -> str:
    """Return `text` escaped with its line breaks kept, as character references."""
    return "&#10;".join(esc(line) for line in text.split("\n"))


def attributes(**given: str | int | bool | None) -> str:
    """Return attributes with a leading space; `_` becomes `-`, None and False are left out."""
    parts = []
    for name, value in given.items():
        key = name.rstrip("_").replace("_", "-")
        if value is True:
            parts.append(f" {key}")
        elif value is not None and value is not False:
            parts.append(f' {key}="{esc(str(value))}"')
    return "".join(parts)


def tag(name: str, *content: str, **given: str | int | bool | None) -> str:
    """Return an element with content that is already safe."""
    return f"<{name}{attributes(**given)}>{''.join(content)}</{name}>"


def web_url(url: str | None) -> str | None:
    """Return `url` where it is a plain http(s) address with a host, else None."""
    if not url or any(c.isspace() or ord(c) < 32 for c in url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and host and "@" not in parts.netloc else None


def host_of(url: str) -> str:
    """Return the host of a web address, without `www.`."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def outside(url: str | None, label: str, **given: str | int | bool | None) -> str:
    """Return a link to the original, or the escaped label where there is no web address for it."""
    safe = web_url(url)
    if safe is None:
        return esc(label)
    return tag("a", esc(label), href=safe, target="_blank", rel="noopener noreferrer external", **given)
