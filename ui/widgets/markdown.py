"""Escape a text, so that Streamlit does not read it as Markdown.

Other people write the names, and a name could contain a Markdown image whose address is on another
server. The browser would request the image, and so tell that server about the visitor.
"""

import re
from typing import Final

# What can begin something in Markdown, in its extensions in GitHub, or in Streamlit's.
_SPECIAL: Final = re.compile(
    r"(?P<sign>[\\`*_\[\]~|$@]"  # code, emphasis, links, images, tables, formulas, addresses
    r"|<(?=[A-Za-z/!?])|&(?=[#A-Za-z])"  # HTML and its entities
    r"|:(?=[A-Za-z/])|(?<=[wW]{3})\."  # directives, icons and addresses
    r"|^[#+>=-]|(?<=^\d)[.)]|(?<=^\d\d)[.)]|(?<=^\d{3})[.)]|(?<=^\d{4})[.)])"  # headings, lists
)


def plain(text: str) -> str:
    """Return Markdown that shows `text` as it is, in one line."""
    return _SPECIAL.sub(r"\\\g<sign>", " ".join(text.split()))
