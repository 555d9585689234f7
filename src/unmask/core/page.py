"""Pages that need nothing else: no network, no file beside them.

A page allows its own style and script by their hashes and nothing else, so even text that got
into it unescaped could neither run nor load anything.
"""

import base64
import hashlib
from html import escape
from importlib import resources

from unmask.core.visible import visible


def document(package: str, title: str, body: str) -> str:
    """Put a body, its page.css and its page.js into a page, which is well-formed XML, too.

    `package` is the one whose folder holds the two files; `title` is plain text, `body` is XML.
    """
    style, script = (_resource(package, name) for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        '<meta name="color-scheme" content="light dark"/>\n<link rel="icon" href="data:,"/>\n'
        f"<title>{escape(visible(title))}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"{body}<script>{script}</script>\n</body>\n</html>\n"
    )


def _resource(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
